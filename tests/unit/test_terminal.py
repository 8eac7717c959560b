"""The driver's job: durable before it is shown, and done once however often it is asked."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from drivers.gs1 import identity
from firmware.day.work import Face, Scanned
from firmware.evidence.attachments import AttachmentError
from firmware.journal import JournalFullError
from mqtt.evidence.sealing import unseal
from mqtt.evidence.verify import verify_record
from mqtt.messages import utc_text
from tests.journals import BOOT
from tests.proofs import Keys, keys_of_the_session, pods_of
from tests.terminals import PIN, STROKES, Cabin, Card, at_step, begun_card, code, hand_out, run_of, steps_at


@pytest.fixture
def keys() -> Keys:
    return keys_of_the_session()


@pytest.fixture
def card(tmp_path: Path, keys: Keys) -> Iterator[Card]:
    card = begun_card(tmp_path, keys)
    yield card
    card.eject()


@pytest.fixture
def cabin(card: Card) -> Cabin:
    return card.start()


NOW = utc_text(time.time_ns() // 1_000_000)


def refuse_writing(cabin: Cabin, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise JournalFullError("the card is full: nothing more can be saved; free space on it or replace it")

    monkeypatch.setattr(cabin.journal, "append", full)


def change_moment(cabin: Cabin, monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """The same surroundings, some of them otherwise."""
    moment = cabin.surroundings.moment
    monkeypatch.setattr(cabin.surroundings, "moment", lambda: msgspec.structs.replace(moment(), **changes))


# --- a proof from the run to the chain


def test_a_whole_hand_over_becomes_one_signed_record_with_its_pictures(cabin: Cabin, keys: Keys) -> None:
    cabin.deliver(1)
    assert pods_of(cabin.journal) == []
    hand_out(cabin)
    (pod,) = pods_of(cabin.journal)
    by = keys.authorities
    certificates = {"unit": (keys.folder / "unit/unit.pem").read_bytes(), "issuing": by.issuing, "root": by.root}
    record = verify_record(pod.rec, pod.jws, at=NOW, **certificates)
    assert (record.stop, record.outcome, record.seq) == ("s-1", "delivered_to_recipient", 1)
    assert [one.kind for one in record.att] == ["photo", "signature"]
    for one in record.att:
        assert cabin.attachments.size(one.enc_sha256) == one.enc_len
        assert cabin.attachments.is_whole(one.enc_sha256)
    assert list(cabin.journal.work("blob:")) == [f"blob:{one.enc_sha256}" for one in record.att]


def test_the_receiver_alone_can_open_the_photo(cabin: Cabin, keys: Keys) -> None:
    at_step(cabin, "pod.photo")
    (name,) = cabin.attachments.names()
    sealed = cabin.attachments.chunk(name, 0, 10**6)
    plain = unseal((keys.folder / "receiver/seal.key").read_bytes(), sealed)
    with Image.open(io.BytesIO(plain)) as photo:
        assert photo.format == "JPEG"
        assert photo.getexif().get_ifd(0x8825)  # the place
    assert len(plain) <= 300_000


def test_a_signature_is_kept_without_how_the_pen_moved(cabin: Cabin, keys: Keys) -> None:
    at_step(cabin, "pod.sign")
    plain = unseal((keys.folder / "receiver/seal.key").read_bytes(), cabin.attachments.chunk(cabin.attachments.names()[-1], 0, 10**6))
    assert msgspec.json.decode(plain)["fields"] == ["x", "y"]


def test_the_page_gets_its_photo_back_while_the_proof_is_made(cabin: Cabin, card: Card) -> None:
    at_step(cabin, "pod.photo")
    (sha256,) = cabin.terminal._pictures
    assert (cabin.terminal.picture(sha256) or b"").startswith(b"\xff\xd8")
    assert cabin.terminal.picture("0" * 64) is None
    assert card.start().terminal.picture(sha256) is None  # sealed: the unit itself cannot open it


# --- durable before it is shown


def test_every_step_is_there_after_a_restart(card: Card) -> None:
    cabin = card.start()
    for name, data in steps_at(1):
        assert cabin.do(name, data).ok, name
        screen, before = cabin.screen, cabin.terminal._work
        cabin = card.start()
        assert (cabin.screen, cabin.terminal._work) == (screen, before), name


def test_a_confirmed_proof_is_signed_once_over_restarts(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    cabin = card.start()
    cabin.deliver(1)
    for _ in range(3):
        cabin = card.start()
        change_moment(cabin, monkeypatch, boot="ffffffffffff")
        cabin.tick()
        cabin.tick()
    assert len(pods_of(cabin.journal)) == 1


def test_what_does_not_fit_on_the_card_is_not_shown_as_saved(cabin: Cabin, monkeypatch: pytest.MonkeyPatch) -> None:
    at_step(cabin, "pod.name")
    work, sounds = cabin.terminal._work, len(cabin.panel.sounds)
    with monkeypatch.context() as patch:
        refuse_writing(cabin, patch)
        answer = cabin.tap("pod.confirm")
        assert (answer.ok, answer.key, answer.status) == (False, "disk.full", 409)
        assert "nothing more can be saved" in answer.args["sentence"]
        cabin.read("SOMETHING")
        assert cabin.terminal.view()["toast"]["key"] == "disk.full"
    assert cabin.terminal._work is work
    assert cabin.panel.sounds[sounds:] == ["wrong"]
    cabin.done("pod.confirm")
    assert cabin.terminal.view()["toast"]["key"] == "pod.saved"


def test_a_full_journal_is_told_once_not_four_times_a_second(
    cabin: Cabin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cabin.deliver(1)
    with monkeypatch.context() as patch:
        refuse_writing(cabin, patch)
        for _ in range(5):
            cabin.tap("route.stop", stop_id="s-2")
    assert sum(record.levelname == "CRITICAL" for record in caplog.records) == 1


def test_a_proof_goes_through_without_its_photo_when_the_card_is_full(cabin: Cabin, monkeypatch: pytest.MonkeyPatch) -> None:
    at_step(cabin, "scan")

    def full(_: bytes) -> None:
        raise AttachmentError("the card does not take the picture: no space left on device; go on without it")

    monkeypatch.setattr(cabin.attachments, "keep", full)
    change_moment(cabin, monkeypatch, disk_full=True)
    assert cabin.tap("pod.photo").key == "photo.no_room"
    cabin.done("pod.photo_skip", reason="camera")
    assert cabin.tap("pod.sign", **STROKES).key == "sign.no_room"
    cabin.done("pod.unsigned", state="unable")
    cabin.done("pod.name", relation="recipient", name="M. Kowalska")
    cabin.done("pod.confirm")
    hand_out(cabin)
    told = msgspec.json.decode(pods_of(cabin.journal)[0].rec)
    assert (told["outcome"], told["att"]) == ("delivered_to_recipient", [])
    assert "no_photo" in told["flags"]


# --- once, however often it is asked


def test_a_command_that_comes_again_is_answered_and_not_done_again(cabin: Cabin) -> None:
    at_step(cabin, "scan")
    first = cabin.tap("pod.photo", "id-1")
    assert cabin.tap("pod.photo", "id-1") == first
    assert cabin.camera.taken == 1
    assert len(cabin.attachments.names()) == 1


def test_a_command_repeated_after_a_power_cut_is_known_again(card: Card) -> None:
    cabin = card.start()
    for name, data in steps_at(1):
        assert cabin.do(name, data, f"id-{name}").ok
        cabin = card.start()
        if name != "scan":
            assert cabin.do(name, data, f"id-{name}").ok, name
    hand_out(cabin)
    assert len(pods_of(cabin.journal)) == 1
    assert cabin.camera.taken == 0  # by this terminal: the photo was taken before


def test_a_refused_command_is_refused_with_its_status(cabin: Cabin) -> None:
    assert (cabin.tap("pod.bake").key, cabin.tap("pod.bake").status) == ("command.unknown", 422)
    assert (cabin.tap("route.stop", stop_id=[]).key, cabin.tap("route.stop", stop_id=[]).status) == ("command.ill_formed", 422)
    assert cabin.tap("pod.sign", **STROKES).status == 409


def test_nothing_is_photographed_while_the_vehicle_moves(cabin: Cabin, monkeypatch: pytest.MonkeyPatch) -> None:
    at_step(cabin, "scan")
    change_moment(cabin, monkeypatch, moving=True)
    assert (cabin.tap("pod.photo").key, cabin.tap("pod.photo").status) == ("moving", 423)
    assert cabin.terminal.photo(b"").status == 423
    assert cabin.camera.taken == 0
    assert cabin.attachments.names() == []


# --- the page


def test_listeners_hear_of_each_change_and_may_ask_for_the_view(cabin: Cabin) -> None:
    seen = list[tuple[int, str]]()
    cabin.terminal.listen(lambda: seen.append((cabin.terminal.seq, cabin.terminal.view()["screen"])))
    cabin.done("route.stop", stop_id="s-1")
    cabin.done("pod.start")
    assert [screen for _, screen in seen][-2:] == ["stop", "scan"]
    assert [seq for seq, _ in seen] == sorted({seq for seq, _ in seen})


def test_no_change_is_no_news(cabin: Cabin) -> None:
    cabin.tick()
    seq = cabin.terminal.seq
    cabin.tap("pod.bake")
    assert cabin.terminal.seq == seq


def test_scans_sound_as_they_are_judged(cabin: Cabin) -> None:
    at_step(cabin, "pod.start")
    cabin.panel.sounds.clear()
    cabin.read(code(2))
    cabin.read(code(1))
    assert cabin.panel.sounds == ["wrong", "accept"]


def test_the_settings_choose_the_page_s_first_looks_and_the_driver_the_later_ones(card: Card) -> None:
    card.eject()
    for file in card.folder.iterdir():
        file.unlink()
    cabin = card.start(face=Face(lang="pl", theme="night", hand="left"))
    assert {key: cabin.terminal.view()[key] for key in ("lang", "theme", "hand")} == {"lang": "pl", "theme": "night", "hand": "left"}
    cabin.tick()
    cabin.done("ui.lang", lang="ar")
    assert card.start(face=Face(lang="pl")).terminal.view()["lang"] == "ar"


def test_scans_from_many_threads_are_taken_one_by_one(card: Card) -> None:
    cabin = card.start()
    cabin.done("session.end")
    cabin.receive(run_of(2, stops=12, day="2026-12-12"))
    cabin.done("session.pin", driver="d-1", pin=PIN)
    threads = [threading.Thread(target=cabin.read, args=(code(number),)) for number in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cabin.terminal._work.load.loaded) == 12
    cabin.done("load.done")


def test_the_day_of_another_start_is_told_by_its_boot(cabin: Cabin) -> None:
    cabin.deliver(1)
    hand_out(cabin)
    assert msgspec.json.decode(pods_of(cabin.journal)[0].rec)["boot"] == BOOT


def read_together(cabin: Cabin, *texts: str) -> bool:
    return cabin.terminal.scanned(*(Scanned(text, "CODE128", identity(text)) for text in texts))


def test_whoever_scans_hears_whether_the_driver_is_to_choose(tmp_path: Path, keys: Keys) -> None:
    card = Card(tmp_path, keys)
    cabin = card.start()
    cabin.receive(run_of())
    cabin.tick()
    cabin.done("session.pin", driver="d-1", pin=PIN)
    assert not read_together(cabin, code(1), code(2))
    assert cabin.terminal.view()["overlay"] == {"kind": "choice", "codes": [code(1), code(2)]}
    cabin.done("scan.choose", n=0)
    assert read_together(cabin, code(1), code(2)), "only one of them is still missing"
    card.eject()


def test_a_scan_that_is_refused_is_heard(cabin: Cabin) -> None:
    cabin.read("ON THE ROUTE NOTHING IS SCANNED")
    assert cabin.panel.sounds[-1] == "wrong"
