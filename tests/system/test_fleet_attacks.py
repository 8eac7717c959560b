"""What thieves, copies, other units, database administrators and sick units try at the fleet's end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from cli.main import main
from fleet.notary import Notary
from fleet.store import attachments
from mqtt.evidence import bundle
from mqtt.evidence.receipt import link_of_receipt
from mqtt.evidence.record import When
from mqtt.evidence.verdict import verify_bundle
from mqtt.messages import Event, Pod, SignedReceipt, State, encode, utc_text
from provisioning.authority import bench
from tests.system.notaries import BOOT, LOG, MADE_MS, UNIT, Desk, Pen, Sealer, World
from tests.system.stores import Place, SqlitePlace

DAY_MS = 86_400_000


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def desk(world: World, place: Place) -> Iterator[Desk]:
    made = Desk(world, place)
    yield made
    made.store.close()


@pytest.fixture
def quick(world: World, sqlite_place: SqlitePlace) -> Iterator[Desk]:
    """A desk with a store in a file, where the kind of store makes no difference."""
    made = Desk(world, sqlite_place)
    yield made
    made.store.close()


@pytest.fixture
def pen(world: World) -> Pen:
    return world.pen()


@pytest.fixture
def said(desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    return _asker(desk, capsys, monkeypatch)


def _asker(desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("COLUMNS", "400")

    def ask(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(["fleet", *words, "--config", desk.config]) == code
        told = capsys.readouterr()
        return told.out + told.err

    return ask


def born(desk: Desk, *, log: str = LOG, session: int = 2) -> tuple[SignedReceipt, ...]:
    """What a unit is told of its chain when it comes on line."""
    state = State(unit=UNIT, boot=BOOT, log=log, session=session, state="online", t=None)
    return next(holding for holding in desk.take("up/state", encode(state)).holdings if holding.log == log).proofs


def restored(pen: Pen, *, log: str = LOG) -> Callable[[int, Any], bytes]:
    """A second unit with the same key, whose chain goes on from where the first one is now."""
    twin = Pen(pen.unit, pen.home, pen.seal)
    twin.head = pen.head

    def make(seq: int, record: Any) -> bytes:
        sealed = twin.signed(record)
        return encode(Pod(unit=UNIT, boot=BOOT, log=log, seq=seq, rec=sealed.rec, jws=sealed.jws))

    return make


@pytest.mark.parametrize("log", [LOG, "0000b002"], ids=["card copied", "key copied"])
def test_a_forked_chain_is_told_in_words_and_no_branch_of_it_is_lost(log: str, desk: Desk, pen: Pen, said: Callable[..., str]) -> None:
    desk.proof(pen.pod(1, pen.record("s1")))
    twin = restored(pen, log=log)
    other = pen.record("s2")
    desk.proof(pen.pod(2, pen.record("s2")))
    (receipt,) = desk.proof(twin(2, other)).proofs
    assert '"seq":2' in receipt.rc
    assert said("pods", "van-12").count("another record of the unit has the number 2 too: its key or its card was copied") == 2
    assert "two different records have the number 2" in said("stream-check", "van-12", code=1)
    assert said("pods", "van-12", "--stop", "s1").count("another record") == 0


def test_a_number_that_was_left_out_is_told(desk: Desk, pen: Pen, said: Callable[..., str]) -> None:
    desk.proof(pen.pod(1, pen.record("s1")))
    pen.head = structs.replace(pen.head, seq=9)
    desk.proof(pen.pod(2, pen.record("s2")))
    assert "records 2 to 9 are missing" in said("stream-check", "van-12", code=1)


def test_an_older_receipt_than_the_record_before_named_is_told(quick: Desk, pen: Pen) -> None:
    from fleet import pods

    receipts: list[SignedReceipt] = []
    for number in (1, 2):
        receipts += quick.proof(pen.pod(number, pen.record())).proofs
    for number, at in ((3, 1), (4, 0), (5, 1)):
        record = pen.record()
        quick.proof(pen.pod(number, structs.replace(record, t=structs.replace(record.t, after=link_of_receipt(receipts[at])))))
    (stream,) = pods.streams(quick.store, quick.notary, UNIT)
    assert [finding.text for finding in stream.findings] == [
        "record 4 names an older receipt (of 1) than record 3 (of 2): its memory was set back"
    ]


def test_a_clock_that_was_set_between_two_records_is_told(desk: Desk, pen: Pen, said: Callable[..., str]) -> None:
    for number, (mono_ms, wall_ms) in enumerate([(1_000, 0), (61_000, 60_000), (121_000, -DAY_MS), (5_000, 5_000)], 1):
        t = When(wall=utc_text(MADE_MS + wall_ms), mono_ms=mono_ms, src="gnss", err_ms=50, after=None)
        desk.proof(pen.pod(number, pen.record(t=t)))
    told = said("stream-check", "van-12", code=1)
    assert "the unit's clock was set to another time between record 2" in told
    assert "record 4 was made before record 3, by the clock that nobody can set" in told
    assert "record 2 was" not in told


def test_a_record_from_the_future_is_told(desk: Desk, pen: Pen, said: Callable[..., str]) -> None:
    t = When(wall=utc_text(time.time_ns() // 1_000_000 + DAY_MS), mono_ms=1, src="rtc", err_ms=50, after=None)
    desk.proof(pen.pod(1, pen.record(t=t)))
    assert "yes, but it says a time after it had come here" in said("pods")


def test_who_can_write_the_store_cannot_have_a_receipt_made_for_another_day(desk: Desk, pen: Pen, said: Callable[..., str]) -> None:
    desk.proof(pen.pod(1, pen.record()))
    desk.store._db.execute("UPDATE pod SET rc = NULL, rc_jws = NULL, verified_ms = NULL")
    desk.store._db.execute("UPDATE record SET received_ms = received_ms - ?", (DAY_MS // 4,))
    began = utc_text(time.time_ns() // 1_000_000)
    said("pods", "--recheck")
    (row,) = desk.store.proofs()
    assert json.loads(row.rc or "")["received"] >= began


def test_a_receipt_altered_in_the_store_is_named_and_the_others_are_looked_at(desk: Desk, pen: Pen, said: Callable[..., str]) -> None:
    for number in (1, 2):
        desk.proof(pen.pod(number, pen.record()))
    desk.store._db.execute("UPDATE pod SET rc = replace(rc, '\"seq\":1', '\"seq\":7') WHERE chain_seq = 1")
    told = said("stream-check", "van-12", code=1)
    assert told == "a receipt in the store does not hold: its signature does not fit: it was altered, or signed with another key\n"


def test_another_unit_cannot_take_a_proofs_name(world: World, desk: Desk, pen: Pen, said: Callable[..., str], tmp_path: Path) -> None:
    thief = world.pen("van-7")
    wanted = pen.record("s1")
    desk.proof(pen.pod(1, wanted))
    desk.proof(thief.pod(1, thief.record("s9", id=wanted.id)), unit="van-7")
    target = str(tmp_path / "x.zip")
    told = said("bundle", wanted.id, "-o", target, code=2)
    assert "2 proofs begin with" in told
    assert "(van-12, number 1)" in told
    assert wanted.id in said("bundle", pen.head.link[:16], "-o", target)
    assert '"unit":"van-12"' in bundle.unpack(Path(target).read_bytes()).record.rec


def test_a_later_record_cannot_wipe_a_photo_out(desk: Desk, pen: Pen) -> None:
    photo = pen.photo()
    desk.proof(pen.pod(1, pen.record("s1", photo)))
    desk.send(photo)
    wrong = structs.replace(photo.told, enc_len=1)
    desk.proof(pen.pod(2, pen.record("s2", att=(wrong,))))
    assert desk.store.sealed_attachment(UNIT, photo.sha) == photo.sealed


def test_what_an_event_says_of_a_photo_gives_way_to_a_signed_record(desk: Desk, pen: Pen) -> None:
    photo = pen.photo()
    desk.take("up/event", _event(1, {"photo": {"sha256": photo.told.sha256, "enc_sha256": photo.sha, "enc_len": 9}}))
    desk.proof(pen.pod(2, pen.record("s1", photo)))
    assert desk.send(photo).blobs[photo.sha].whole


def test_attachments_that_nothing_names_do_not_fill_the_disk(desk: Desk, pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "UNNAMED_LIMIT_BYTES", 5 * 8_192)
    born(desk)
    held = [desk.take(f"up/blob/{number:064x}/0", b"x").refused for number in range(8)]
    assert held == [0] * 5 + [1] * 3
    assert "named by no proof" in desk.store.refused()[0].reason
    photo = pen.photo()
    desk.proof(pen.pod(1, pen.record("s1", photo)))
    assert desk.send(photo).blobs[photo.sha].whole, "one that a proof names has room"


def test_single_bytes_do_not_keep_the_store_busy(quick: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "PIECES_LIMIT", 3)
    born(quick)
    assert [quick.take(f"up/blob/{'ab' * 32}/{at}", b"x").refused for at in range(5)] == [0, 0, 0, 1, 1]


def test_a_unit_that_lost_card_and_memory_is_told_how_far_its_chain_is(desk: Desk, pen: Pen) -> None:
    assert born(desk) == ()
    given = [desk.proof(pen.pod(number, pen.record())).proofs for number in (1, 2, 3)]
    assert born(desk, log="0000b002", session=1) == given[-1]


def test_a_unit_is_told_of_receipts_that_were_made_by_hand(world: World, desk: Desk, said: Callable[..., str]) -> None:
    stranger = world.pen(known=False)
    desk.proof(stranger.pod(1, stranger.record()))
    assert born(desk) == ()
    world.introduce(UNIT)
    said("pods", "--recheck")
    (receipt,) = born(desk, session=3)
    assert json.loads(receipt.rc)["link"] == stranger.head.link


def test_a_unit_with_a_new_certificate_is_not_told_of_the_chain_of_its_old_one(world: World, desk: Desk, pen: Pen) -> None:
    for number in (1, 2, 3):
        desk.proof(pen.pod(number, pen.record()))
    (world.units / "van-12.pem").rename(world.units / "van-12.1.pem")
    fresh = world.folder / "fresh"
    bench.issue_unit(world.folder / "authority", UNIT, fresh)
    (world.units / "van-12.pem").write_bytes((fresh / "unit.pem").read_bytes())
    new = Pen(UNIT, fresh, world.seal)
    (given,) = desk.proof(new.pod(4, new.record())).proofs
    assert born(desk) == (given,)


def test_a_renewed_receiver_leaves_old_bundles_good(world: World, desk: Desk, pen: Pen, said: Callable[..., str], tmp_path: Path) -> None:
    first, second = pen.record("s1"), pen.record("s2")
    (old,) = desk.proof(pen.pod(1, first)).proofs
    bench.issue_receiver(world.folder / "authority", "desk", tmp_path / "renewed")
    for name in ("receiver.pem", "receiver.key"):
        (world.folder / "desk" / name).write_bytes((tmp_path / "renewed" / name).read_bytes())
    desk.notary = Notary(world.settings)
    desk.proof(pen.pod(2, structs.replace(second, t=structs.replace(second.t, after=link_of_receipt(old)))))
    for record in (first, second):
        target = tmp_path / "proof.zip"
        said("bundle", record.id, "-o", str(target))
        verdict = verify_bundle(bundle.unpack(target.read_bytes()), world.root.read_bytes())
        assert verdict.good, verdict.findings
    assert "all 2 proofs" in said("stream-check", "van-12")


def _event(seq: int, data: dict[str, Any], name: str = "check.done") -> bytes:
    at = utc_text(MADE_MS)
    return encode(Event(unit=UNIT, boot=BOOT, log=LOG, seq=seq, t=at, src="gnss", mono_ms=1, event=name, data=data))


def test_a_photo_of_a_defect_is_kept_whole_and_can_be_looked_at(desk: Desk, pen: Pen, said: Callable[..., str], tmp_path: Path) -> None:
    photo = Sealer(pen.seal, "defect", "image/jpeg", bytes(3 * 8192 - 48))  # its length tells nobody which piece is the last
    told = structs.asdict(photo.told)
    desk.take("up/event", _event(1, {"defects": [{"item_id": "brakes", "note": "", "photo": told}]}))
    target = tmp_path / "defect.jpg"
    assert "has not come whole yet" in said("photo", photo.sha[:12], "-o", str(target), code=2)
    assert desk.send(photo).blobs[photo.sha].whole
    for name in (photo.told.sha256, photo.sha[:12]):
        assert "defect.jpg" in said("photo", name, "-o", str(target))
        assert target.read_bytes() == photo.plain
        target.unlink()
    assert "there is no photo" in said("photo", "00" * 8, "-o", str(target), code=2)


def test_a_photo_that_is_not_what_was_told_is_not_shown(desk: Desk, pen: Pen, said: Callable[..., str], tmp_path: Path) -> None:
    photo = pen.photo()
    desk.take("up/event", _event(1, {"photo": structs.asdict(structs.replace(photo.told, sha256="ab" * 32))}))
    desk.send(photo)
    assert "is not the one" in said("photo", photo.sha, "-o", str(tmp_path / "x"), code=2)


HOSTILE = {
    "deep": "[" * 400_000,
    "deep and closed": "[" * 200_000 + "]" * 200_000,
    "not a number": '{"v":NaN}',
    "infinite": '{"v":1e999999}',
    "long number": '{"v":' + "9" * 100_000 + "}",
    "half a character": '{"id":"\\ud800","stop":"\\udfff"}',
    "a million items": '{"items":[' + ",".join(["1"] * 200_000) + "]}",
    "one key a thousand times": "{" + ",".join(['"a":1'] * 50_000) + "}",
    "attachments without end": '{"att":[' + ",".join([f'{{"enc_sha256":"{"ab" * 32}","enc_len":-1}}'] * 4_000) + "]}",
    "steers a terminal": '{"driver":"\\u001b[2J\\u202e","id":"\\u009b2J","outcome":"a\\nb","recipient":{"name":"\\u2066x\\u2028y"}}',
}


@pytest.mark.parametrize("rec", HOSTILE.values(), ids=HOSTILE)
def test_no_record_stops_the_receiver_or_speaks_for_it(rec: str, quick: Desk, pen: Pen, capsys: pytest.CaptureFixture[str]) -> None:
    signed = pen.signed(pen.record())
    holding = quick.proof(encode(Pod(unit=UNIT, boot=BOOT, log=LOG, seq=1, rec=rec, jws=signed.jws)))
    assert (holding.proofs, holding.seq.coverage.upto()) == ((), 1)
    assert main(["fleet", "pods", "--config", quick.config]) == 0
    told = capsys.readouterr().out
    assert told.replace("\n", "").isprintable()


def test_nothing_that_a_unit_says_steers_the_terminal_of_who_looks(desk: Desk, said: Callable[..., str]) -> None:
    desk.take("up/event", _event(1, {"\x1b[2J": "\u202e"}, "trip.start"))
    state = State(unit=UNIT, boot=BOOT, log=LOG, session=1, state="online", t=None, fw="\x1b]0;x\x07")
    desk.take("up/state", encode(state))
    health = {
        "typ": "health", "v": 1, "unit": UNIT, "boot": BOOT, "log": LOG, "t": utc_text(MADE_MS), "src": "gnss", "uptime_s": 1,
        "ledger": {name: {"issued": 1, "receipted": 0, "waiting": 1} for name in ("seq", "tseq")},
        "journal": {"used_bytes": 1, "quota_bytes": 2, "disk_free_bytes": 3}, "link": "\x1b[2J\u202egood",
    }  # fmt: skip
    desk.take("up/health", json.dumps(health).encode())
    for words in (("units",), ("events", UNIT), ("gaps",)):
        told = said(*words)
        assert told.replace("\n", "").isprintable(), words
    assert "?[2J?good" in said("units")
