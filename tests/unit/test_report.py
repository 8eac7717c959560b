"""The signed commissioning report, its page, and everything that may be done to either."""

from __future__ import annotations

import io
import json
import uuid
from typing import Any

import pytest
from fpdf import FPDF
from msgspec.structs import replace
from pypdf import PdfReader, PdfWriter

from mqtt.evidence import EvidenceError, report
from mqtt.evidence.chain import Signed
from mqtt.evidence.jws import POD, sign
from mqtt.evidence.record import Where
from mqtt.evidence.report import Clock, Fact, Line, Paper, Report, State
from mqtt.evidence.verify import verify_record
from provisioning import authority
from provisioning.report import EMBEDDED, extract, pdf
from tests.journals import BOOT
from tests.proofs import UNIT, Keys, keys_of_the_session

MADE = "2026-12-01T10:00:00.000Z"
FOUND: tuple[tuple[str, State, str, dict[str, Fact]], ...] = (
    ("gnss", "ok", "A 3D fix from 11 satellites.", {"sats": 11, "hdop": "0.8", "ttff_s": 31}),
    ("antenna", "warn", "Weak: the best four satellites are heard at 31 dB-Hz; give the antenna a free view.", {"best_db": 31}),
    ("camera", "ok", "A picture came.", {"width_px": 4608}),
    ("scanner", "skipped", "No hand scanner is fitted.", {}),
    ("touch", "ok", "9 of 9 targets hit, 1.2 mm off at most.", {"most_mm": "1.2"}),
    ("ignition", "bad", "The key did not turn: check the wire on pin 11 (GPIO 17).", {}),
    ("voltage", "ok", "No undervoltage since the start.", {"throttled": 0}),
    ("storage", "ok", "100 writes of 4 KiB, the slowest twentieth took 12 ms.", {"p95_ms": 12, "free_mb": 20_000}),
    ("clock", "ok", "Set by satellites; the clock chip keeps it.", {"drift_ms": 4}),
    ("modem", "skipped", "No modem is fitted.", {}),
    ("broker", "ok", "Connected by TLS; the certificate is good for 397 more days.", {"days": 397}),
    ("record", "ok", "Record 42 was receipted after 0.3 s.", {"seq": 42, "ms": 300}),
    ("plug", "ok", "Of 61 records promised, 0 were lost when the plug was pulled.", {"lost": 0}),
)


def whole(**changes: Any) -> Report:
    """A report of every part."""
    lines = tuple(Line(key=key, state=state, text=text, facts=facts, ms=5) for key, state, text, facts in FOUND)
    made = Report(
        unit=UNIT, vehicle="Van 17 \N{EN DASH} Kraków", id=str(uuid.uuid4()), boot=BOOT, fw="0.1.0", t=Clock(wall=MADE, src="gnss"),
        pos=Where(lat_e7=510_502_000, lon_e7=37_301_000, acc_m=4, fix=3, sats=11, age_ms=300),
        board={"board": "Raspberry Pi 4 Model B Rev 1.4", "storage": "SD64G (63.9 GB, SanDisk, 03/2024)"}, findings=lines,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def keys() -> Keys:
    return keys_of_the_session()


def signed(keys: Keys, made: Report | None = None) -> Paper:
    return report.signed(made or whole(), keys.signer, unit=(keys.folder / "unit/unit.pem").read_bytes(), issuing=keys.authorities.issuing)


def test_a_signed_report_says_what_was_found(keys: Keys) -> None:
    made = whole()
    assert report.check(signed(keys, made), root=keys.authorities.root) == made


def test_the_worst_finding_is_the_state_of_the_whole() -> None:
    lines = {line.state: line for line in whole().findings}
    assert whole().state == "bad"
    assert whole(findings=(lines["ok"], lines["skipped"])).state == "ok"
    assert whole(findings=(lines["ok"], lines["warn"])).state == "warn"
    assert whole(findings=(lines["skipped"],)).state == "skipped"


def test_a_changed_word_is_found_out(keys: Keys) -> None:
    paper = signed(keys)
    forged = replace(paper, rec=paper.rec.replace('"state":"bad"', '"state":"ok"'))
    assert forged.rec != paper.rec
    with pytest.raises(EvidenceError, match="altered"):
        report.check(forged, root=keys.authorities.root)
    assert not report.judge(forged, keys.authorities.root).good


def test_another_authority_s_report_is_refused(keys: Keys, tmp_path: Any) -> None:
    authority.make_root(tmp_path)
    with pytest.raises(EvidenceError, match="does not lead to the root"):
        report.check(signed(keys), root=(tmp_path / "root.pem").read_bytes())


def test_a_unit_cannot_sign_for_another(keys: Keys) -> None:
    with pytest.raises(EvidenceError, match="it is of unit van-9"):
        report.check(signed(keys, whole(unit="van-9")), root=keys.authorities.root)


def test_a_receiver_cannot_sign_a_report(keys: Keys) -> None:
    leaf = (keys.folder / "receiver/receiver.pem").read_bytes()
    paper = report.signed(whole(), keys.receiver_signer, unit=leaf, issuing=keys.authorities.issuing)
    with pytest.raises(EvidenceError, match="unit certificate"):
        report.check(paper, root=keys.authorities.root)


def test_a_report_is_no_proof_and_a_proof_s_signature_is_none_of_a_report(keys: Keys) -> None:
    paper, leaf = signed(keys), (keys.folder / "unit/unit.pem").read_bytes()
    mixed = replace(paper, jws=sign(paper.rec.encode(), POD, keys.signer))
    with pytest.raises(EvidenceError, match="signed as 'rp-pod"):
        report.check(mixed, root=keys.authorities.root)
    taken = Signed(rec=paper.rec, jws=paper.jws)
    with pytest.raises(EvidenceError):
        verify_record(taken.rec, taken.jws, unit=leaf, issuing=keys.authorities.issuing, root=keys.authorities.root, at=MADE)


def test_a_report_of_a_time_before_the_certificate_is_refused(keys: Keys) -> None:
    old = signed(keys, whole(t=Clock(wall="2001-01-01T00:00:00.000Z", src="floor")))
    with pytest.raises(EvidenceError, match="not valid yet"):
        report.check(old, root=keys.authorities.root)


def test_every_flipped_sign_of_the_signature_is_refused(keys: Keys) -> None:
    paper = signed(keys)
    for at, sign_ in enumerate(paper.jws):
        other = "A" if sign_ != "A" else "B"
        with pytest.raises(EvidenceError):
            report.check(replace(paper, jws=paper.jws[:at] + other + paper.jws[at + 1 :]), root=keys.authorities.root)


def test_a_fraction_is_signed_as_text_and_a_name_that_cannot_be_written_is_left_out() -> None:
    assert report.facts({"hdop": 0.8000001, "n": 3, "yes": True, "none": None, "a.b": 1}) == {
        "hdop": "0.8", "n": 3, "yes": True, "none": None,
    }  # fmt: skip


def test_the_page_holds_the_report_that_was_signed(keys: Keys) -> None:
    paper = signed(keys)
    page = pdf(paper)
    assert extract(page) == paper
    assert report.judge(extract(page), keys.authorities.root).good


def test_the_page_is_one_sheet_that_tells_every_finding(keys: Keys) -> None:
    pages = PdfReader(io.BytesIO(pdf(signed(keys)))).pages
    assert len(pages) == 1
    text = " ".join(pages[0].extract_text().split())
    for _, _, sentence, _ in FOUND:
        assert sentence in text
    assert "Something does not work." in text
    assert "Van 17 - Krak" in text


def test_a_report_json_is_read_as_it_is(keys: Keys) -> None:
    paper = signed(keys)
    assert extract(report.write_paper(paper)) == paper


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7 rubbish", b"{}", b"[1]", b'{"rec":1}', b"\xff\xfe", b"%PDF-", b"[" * 100_000])
def test_rubbish_is_a_sentence(data: bytes) -> None:
    with pytest.raises(EvidenceError, match=r"the PDF|no report"):
        extract(data)


def test_a_pdf_without_a_report_says_so() -> None:
    page = FPDF()
    page.add_page()
    with pytest.raises(EvidenceError, match="holds 0 files"):
        extract(bytes(page.output()))


def test_a_pdf_with_two_reports_is_refused(keys: Keys) -> None:
    page = PdfWriter(io.BytesIO(pdf(signed(keys))))
    page.add_attachment(EMBEDDED, report.write_paper(signed(keys)))
    both = io.BytesIO()
    page.write(both)
    with pytest.raises(EvidenceError, match="holds 2 files"):
        extract(both.getvalue())


@pytest.mark.parametrize("change", [{"v": 2}, {"typ": "pod"}, {"findings": []}, {"fw": "x" * 41}, {"boot": "?"}])
def test_a_report_that_breaks_the_contract_is_not_signed(keys: Keys, change: dict[str, Any]) -> None:
    data = json.loads(signed(keys).rec) | change
    with pytest.raises(EvidenceError, match="contract"):
        report.read(json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
