"""The signed commissioning report, its page, and everything that may be done to either."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from fpdf import FPDF
from msgspec.structs import replace
from pypdf import PdfReader, PdfWriter

from mqtt.evidence import EvidenceError, report
from mqtt.evidence.chain import Signed
from mqtt.evidence.jws import POD, sign
from mqtt.evidence.report import Clock, Paper, Report
from mqtt.evidence.verify import verify_record
from provisioning.authority import bench
from provisioning.report import EMBEDDED, extract, pdf
from tests.proofs import Keys, keys_of_the_session
from tests.reports import FOUND, MADE, whole


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
    bench.make_root(tmp_path)
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
