"""Proofs of delivery at the fleet: stored, checked, receipted once, handed over."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from cli.main import main
from fleet.intake import read
from fleet.notary import Notary
from mqtt.evidence import bundle
from mqtt.evidence.receipt import check_receipt
from mqtt.evidence.record import Recipient
from mqtt.evidence.verdict import verify_bundle
from tests.system.notaries import UNIT, Desk, Pen, World
from tests.system.stores import Place, opened


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def desk(world: World, place: Place) -> Iterator[Desk]:
    made = Desk(world, place)
    yield made
    made.store.close()


@pytest.fixture
def pen(world: World) -> Pen:
    return world.pen()


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["fleet", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["fleet", *words]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    return told


def test_a_good_proof_gets_one_receipt_and_the_same_one_when_it_comes_again(world: World, desk: Desk, pen: Pen) -> None:
    payload = pen.pod(1, pen.record())
    (first,) = desk.proof(payload).proofs
    (again,) = desk.proof(payload).proofs
    assert first == again
    assert desk.notary.own is not None
    own = desk.notary.own
    told = check_receipt(first, receiver=own.leaf, issuing=own.issuing, root=world.root.read_bytes())
    assert (told.unit, told.seq, told.link) == (UNIT, 1, pen.head.link)


def test_a_forged_proof_is_stored_and_numbered_but_never_signed_for(desk: Desk, pen: Pen) -> None:
    payload = pen.pod(1, pen.record()).replace(b"Ana Soto", b"Eve Soto")
    holding = desk.proof(payload)
    assert (holding.proofs, holding.seq.coverage.upto()) == ((), 1)
    (row,) = desk.store.proofs()
    assert (row.recipient, row.verified_ms, row.rc) == ("Eve Soto", None, None)
    assert "signature does not fit" in (row.fault or "")


def test_another_units_record_on_a_units_topic_is_flagged(world: World, desk: Desk, pen: Pen) -> None:
    thief = world.pen("van-7")
    stolen = pen.pod(1, pen.record()).replace(b'"unit":"van-12","boot', b'"unit":"van-7","boot', 1)
    assert desk.proof(stolen, unit="van-7").proofs == ()
    own_words = thief.signed(thief.record(unit="van-12"))
    assert desk.proof(thief.message(2, own_words), unit="van-7").proofs == ()
    assert all(row.fault for row in desk.store.proofs("van-7"))


def test_a_unit_cannot_sign_a_receipt_for_itself_by_posing_as_a_receiver(world: World, pen: Pen) -> None:
    desk_settings = world.settings.__class__(
        root=str(world.root), units_folder=str(world.units), issuing=str(world.folder / "of-van-12" / "issuing.pem"),
        certificate=str(world.folder / "of-van-12" / "unit.pem"), key=str(world.folder / "of-van-12" / "unit.key"),
    )  # fmt: skip
    with pytest.raises(Exception, match="does not say that its holder is a receiver"):
        Notary(desk_settings).check_own(time.time_ns() // 1_000_000)


def test_an_unknown_units_proof_is_good_once_its_certificate_has_come(world: World, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    stranger = world.pen(known=False)
    payload = stranger.pod(1, stranger.record())
    assert desk.proof(payload).proofs == ()
    config = desk.config
    (told,) = asked(capsys, "pods", "--config", config)
    assert "no certificate of unit van-12" in told["fault"]
    world.introduce(UNIT)
    (told,) = asked(capsys, "pods", "--recheck", "--config", config)
    assert (told["verified"], told["fault"], bool(told["receipt"])) == (True, None, True)
    assert len(desk.proof(payload).proofs) == 1


def test_a_good_verdict_survives_a_certificate_that_was_taken_away(world: World, desk: Desk, pen: Pen) -> None:
    payload = pen.pod(1, pen.record())
    assert desk.proof(payload).proofs
    (world.units / "van-12.pem").unlink()
    assert desk.proof(payload).proofs
    (row,) = desk.store.proofs()
    assert row.fault is None


def test_the_same_record_under_another_number_is_one_proof(desk: Desk, pen: Pen) -> None:
    sealed = pen.signed(pen.record())
    first, second = (desk.proof(pen.message(number, sealed)) for number in (1, 2))
    assert first.proofs == second.proofs
    assert len(desk.store.proofs()) == 1


def test_proof_and_attachments_make_a_bundle_that_the_verifier_accepts(
    world: World, desk: Desk, pen: Pen, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, signature = pen.photo(), pen.signature()
    records = [pen.record("s1"), pen.record("s2", photo, signature), pen.record("s3")]
    for number, record in enumerate(records, 1):
        desk.proof(pen.pod(number, record))
    config = desk.config
    target = tmp_path / "proof.zip"
    words = ("bundle", records[1].id[:13], "-o", str(target), "--config", config)
    assert "photo and signature still wait on the unit" in refusal(capsys, *words)
    assert main(["fleet", *words, "--partial"]) == 0
    desk.send(photo)
    desk.send(signature)
    capsys.readouterr()
    assert main(["fleet", *words]) == 0
    contents = bundle.unpack(target.read_bytes())
    verdict = verify_bundle(contents, world.root.read_bytes())
    assert verdict.good, verdict.findings
    assert sorted(contents.neighbours) == [1, 3]
    assert {data for _, data in contents.attachments.values()} == {photo.plain, signature.plain}
    assert "verify-openssl.sh" in zipfile.ZipFile(io.BytesIO(target.read_bytes())).namelist()
    assert not any(photo.plain[200:400] in file.read_bytes() for file in tmp_path.glob("fleet.db*")), "the plain photo was stored"


def test_a_page_and_an_epcis_document_are_made_of_a_proof(desk: Desk, pen: Pen, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, signature = pen.photo(), pen.signature()
    record = pen.record("s1", photo, signature, recipient=Recipient(name="محمد بن علي", relation="recipient", signature_state="signed"))
    desk.proof(pen.pod(1, record))
    config = desk.config
    page = tmp_path / "proof.pdf"
    assert main(["fleet", "pdf", "van-12/s1", "-o", str(page), "--config", config]) == 0
    assert "not yet received" in PdfReader(page).pages[0].extract_text()
    desk.send(photo)
    desk.send(signature)
    assert main(["fleet", "pdf", record.id, "-o", str(page), "--config", config]) == 0
    run = tmp_path / "run.json"
    driver = {"driver_id": "d", "name": "D", "pin": "2468"}
    run.write_text(json.dumps({"day": "2026-09-21", "drivers": [driver], "stops": [{"stop_id": "s1", "address": "شارع الملك فهد"}]}))
    assert main(["fleet", "pdf", record.id, "-o", str(page), "--run", str(run), "--config", config]) == 0
    (only,) = PdfReader(page).pages
    assert "شارع الملك فهد" in only.extract_text()
    told = only.extract_text()
    assert "محمد بن علي" in told
    assert "nothing in it was changed since" in told
    assert len(only.images) == 1
    exported = tmp_path / "events.json"
    assert main(["fleet", "epcis", "van-12", "--zone", "Europe/Berlin", "-o", str(exported), "--config", config]) == 0
    (event,) = json.loads(exported.read_text(encoding="utf-8"))["epcisBody"]["eventList"]
    assert (event["eventID"], event["eventTimeZoneOffset"]) == (f"urn:uuid:{record.id}", "+02:00")
    assert event["epcList"] == ["https://id.gs1.org/00/340123450000000017"]


def test_what_a_command_lacks_is_one_sentence(desk: Desk, pen: Pen, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = pen.photo()
    desk.proof(pen.pod(1, pen.record("s1", photo)))
    desk.proof(pen.pod(2, pen.record("s2")).replace(b"Ana Soto", b"Eve Soto"))
    desk.send(photo)
    config = Path(desk.config)
    target = str(tmp_path / "x")
    assert "signature does not fit" in refusal(capsys, "bundle", "van-12/s2", "-o", target, "--config", str(config))
    assert "no time zone" in refusal(capsys, "epcis", "van-12", "--zone", "Mars", "-o", target, "--config", str(config))
    whole = config.read_text(encoding="utf-8")
    without = "\n".join(line for line in whole.splitlines() if not line.startswith("seal_key"))
    config.write_text(without, encoding="utf-8")
    assert "evidence.seal_key" in refusal(capsys, "pdf", "van-12/s1", "-o", target, "--config", str(config))
    config.write_text(whole.partition("[evidence]")[0], encoding="utf-8")
    assert "has no section [evidence]" in refusal(capsys, "bundle", "van-12/s1", "-o", target, "--config", str(config))
    assert not Path(target).exists()


def test_a_proof_is_named_by_the_start_of_its_id_or_by_its_stop(
    desk: Desk, pen: Pen, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ["aaaa0000-0000-4000-8000-000000000001", "aaaa0000-0000-4000-8000-000000000002"]
    desk.proof(pen.pod(1, pen.record("s1", id=ids[0])))
    desk.proof(pen.pod(2, pen.record("s1", id=ids[1], corrects=ids[0])))
    config = desk.config
    told = refusal(capsys, "bundle", "aaaa", "-o", str(tmp_path / "x.zip"), "--config", config)
    assert "2 proofs begin with aaaa" in told
    assert "there is no proof bbbb" in refusal(capsys, "bundle", "bbbb", "-o", str(tmp_path / "x.zip"), "--config", config)
    assert main(["fleet", "bundle", "van-12/s1", "-o", str(tmp_path / "x.zip"), "--config", config]) == 0
    assert ids[1] in capsys.readouterr().out


def test_pods_are_a_table_that_tells_good_from_forged(
    desk: Desk, pen: Pen, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = pen.photo()
    desk.proof(pen.pod(1, pen.record("s1", photo)))
    desk.proof(pen.pod(2, pen.record("s2")).replace(b"Ana Soto", b"Eve Soto"))
    monkeypatch.setenv("COLUMNS", "250")
    assert main(["fleet", "pods", "van-12", "--config", desk.config]) == 0
    good, forged = [line for line in capsys.readouterr().out.splitlines() if "van-12" in line]
    assert [cell.strip() for cell in good.strip("│").split("│")][2:8] == ["s1", "delivered to recipient", "Ana Soto", "waiting", "-", "yes"]
    assert "NO: its signature does not fit" in forged
    (one,) = asked(capsys, "pods", "van-12", "--stop", "s2", "--config", desk.config)
    assert (one["stop"], one["verified"]) == ("s2", False)


def test_the_stream_check_names_a_gap_and_is_silent_over_a_whole_chain(desk: Desk, pen: Pen, capsys: pytest.CaptureFixture[str]) -> None:
    config = desk.config
    desk.proof(pen.pod(1, pen.record("s1")))
    assert main(["fleet", "stream-check", "van-12", "--config", config]) == 0
    assert "all 1 proofs of van-12 are there" in capsys.readouterr().out
    pen.signed(pen.record("lost"))
    desk.proof(pen.pod(2, pen.record("s3")))
    assert main(["fleet", "stream-check", "van-12", "--config", config]) == 1
    assert capsys.readouterr().out == "record 2 is missing\n"


def test_a_tail_that_was_cut_out_of_the_store_is_named_by_the_receipts(desk: Desk, pen: Pen, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        desk.proof(pen.pod(number, pen.record()))
    desk.store._db.execute("DELETE FROM record WHERE number = 2")
    assert main(["fleet", "stream-check", "van-12", "--config", desk.config]) == 1
    assert "record 2 is missing at the end" in capsys.readouterr().out


def test_without_an_authority_proofs_are_stored_unchecked_and_found_good_later(
    world: World, pen: Pen, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    store = opened(place)
    payload = pen.pod(1, pen.record())
    kept = store.keep(read("rp/v1/van-12/up/pod", payload, 0), time.time_ns() // 1_000_000)
    store.close()
    assert (kept.holdings[0].proofs, kept.holdings[0].seq.coverage.upto()) == ((), 1)
    config = str(world.config(place.url))
    (told,) = asked(capsys, "pods", "--config", config)
    assert (told["verified"], told["fault"]) == (None, None)
    (told,) = asked(capsys, "pods", "--recheck", "--config", config)
    assert told["verified"] is True
