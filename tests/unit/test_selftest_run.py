from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from firmware.clock import Clock
from firmware.diary import Diary
from firmware.journal import Journal, Series
from firmware.selftest import LEDGER, selftest
from firmware.selftest.answers import Answers, Done, Marks, Refused
from firmware.selftest.finding import KEYS, Finding, Key, Prompt, Result, Touch, ok
from firmware.selftest.place import Heard, Running
from firmware.selftest.selftest import PROBES, BusyError, Selftest
from firmware.status import Status, StatusBoard
from mqtt.evidence import EvidenceError
from mqtt.evidence.report import Paper
from tests.journals import BOOT, open_journal
from tests.selftests import WiredPanel, heard, place

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(tmp_path)
    yield opened
    opened.close()


def answers(folder: Path, journal: Journal) -> Answers:
    diary = Diary(unit="van-1", boot=BOOT, clock=Clock(), status=StatusBoard())
    diary.open(journal)
    running = Running(status=Status, journal=journal, diary=diary, boot=BOOT)
    return Answers(Selftest(place(folder, terminal=True)), running, Clock(), refuse)


def refuse(findings: Sequence[Finding]) -> Paper:
    raise EvidenceError(f"no key for {len(findings)} findings")


def findings(tested: Selftest, only: Sequence[Key]) -> list[Finding]:
    return [one for one in tested.run(only) if isinstance(one, Finding)]


def never(_: float) -> bool:
    return False


def test_every_part_has_a_probe() -> None:
    assert tuple(PROBES) == KEYS


def test_the_daemon_carries_no_probe_before_somebody_asks() -> None:
    loaded = "import sys, firmware.app; print([name for name in sys.modules if name.startswith('firmware.selftest')])"
    told = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told == "['firmware.selftest']\n"


def test_parts_are_tested_in_their_order_whatever_was_typed(tmp_path: Path) -> None:
    assert [one.key for one in findings(Selftest(place(tmp_path)), ["plug", "antenna", "gnss"])] == ["gnss", "antenna", "plug"]


def test_the_receiver_is_listened_to_once(tmp_path: Path) -> None:
    listened: list[Heard] = []

    def listen() -> Heard:
        listened.append(heard())
        return listened[-1]

    tested = Selftest(place(tmp_path, listen=listen))
    list(tested.run(["gnss", "antenna"]))
    assert len(listened) == 1
    list(tested.run(["antenna"]))
    assert len(listened) == 2


def test_two_tests_at_once_are_one_too_many(tmp_path: Path) -> None:
    tested = Selftest(place(tmp_path))
    first = tested.run(["ignition", "touch"])
    next(first)
    with pytest.raises(BusyError, match="wait for its end"):
        next(tested.run())
    first.close()
    assert len(list(tested.run(["touch"]))) == 1


def test_a_unit_that_stops_ends_the_test(tmp_path: Path) -> None:
    assert not list(Selftest(place(tmp_path)).run(None, lambda _: True))


def test_a_probe_that_fails_is_a_finding_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> Result:
        raise OSError(5, "Input/output error")

    monkeypatch.setitem(selftest.PROBES, "voltage", broken)
    found = findings(Selftest(place(tmp_path)), ["voltage", "modem"])
    assert [one.state for one in found] == ["bad", "skipped"]
    assert "This could not be tested" in found[0].sentence


def test_the_newest_finding_of_each_part_is_kept_for_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tested = Selftest(place(tmp_path, terminal=True))
    list(tested.run(["touch", "ignition"]))
    tested.touched(Touch(targets=9, hit=9, worst_px=3, breaks=0))
    monkeypatch.setitem(selftest.PROBES, "ignition", lambda _: ok("anew"))
    list(tested.run(["ignition"]))
    assert [(one.key, one.state) for one in tested.findings] == [("touch", "ok"), ("ignition", "ok")]
    assert tested.findings[1].sentence == "anew"


def test_what_the_screen_measured_holds_for_the_next_tests(tmp_path: Path) -> None:
    tested = Selftest(place(tmp_path, terminal=True))
    tested.touched(Touch(targets=9, hit=8, worst_px=3, breaks=0))
    assert [one.state for one in findings(tested, ["touch"])] == ["bad"]


# --- somebody beside the unit


class KeyTurned(WiredPanel):
    """A key that is turned off after some looks."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def ignition_on(self) -> bool:
        self.looks -= 1
        return self.looks > 0


def test_who_stands_beside_it_is_asked_to_turn_the_key_and_both_states_are_seen(tmp_path: Path) -> None:
    prompt, found = Selftest(place(tmp_path, panel=KeyTurned(50))).run(["ignition"], hands=True)
    assert prompt == Prompt("ignition", "Turn the key off and on, or on and off, within 20 s.", 20)
    assert isinstance(found, Finding)
    assert (found.state, found.facts["followed"]) == ("ok", True)


@pytest.mark.parametrize(("on", "words"), [(True, "reads on: if you did turn it, measure between pin 11 (GPIO 17)"), (False, "reads off")])
def test_a_key_that_nobody_turns_is_no_fault_and_says_where_to_measure(tmp_path: Path, on: bool, words: str) -> None:
    _, found = Selftest(place(tmp_path, panel=WiredPanel(ignition=on))).run(["ignition"], hands=True)
    assert isinstance(found, Finding)
    assert (found.state, words in found.sentence) == ("skipped", True)
    assert found.sentence.startswith("No turn of the key was seen in 20 s, the line reads ")


def test_without_hands_nobody_is_asked(tmp_path: Path) -> None:
    assert [type(one) for one in Selftest(place(tmp_path)).run(["ignition"])] == [Finding]


def test_in_a_moving_vehicle_nobody_turns_the_key(tmp_path: Path, journal: Journal) -> None:
    diary = Diary(unit="van-1", boot=BOOT, clock=Clock(), status=StatusBoard())
    running = Running(status=lambda: Status(moving=True), journal=journal, diary=diary, boot=BOOT)
    tested = Selftest(place(tmp_path, panel=WiredPanel(ignition=False), daemon=running))
    (found,) = tested.run(["ignition"], hands=True)
    assert isinstance(found, Finding)
    assert found.state == "bad"


# --- what the control socket understands


def test_an_ask_is_answered_line_by_line_and_then_done(tmp_path: Path, journal: Journal) -> None:
    told = list(answers(tmp_path, journal).to(b'{"ask":"selftest","only":["touch","ignition"]}', never))
    assert [type(one) for one in told] == [Finding, Finding, Done]
    assert msgspec.json.encode(told[-1]) == b'{"done":true}'


def test_touch_is_told_by_the_screen(tmp_path: Path, journal: Journal) -> None:
    told = list(answers(tmp_path, journal).to(b'{"ask":"touch","targets":9,"hit":9,"worst_px":4,"breaks":0}', never))
    assert isinstance(told[0], Finding)
    assert told[0].state == "ok"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"rubbish",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"ask":"poweroff"}',
        b'{"ask":"selftest","only":["gps"]}',
        b'{"ask":"selftest","only":"gnss"}',
        b'{"ask":"selftest","more":1}',
        b'{"ask":"touch","targets":0,"hit":0,"worst_px":0,"breaks":0}',
        b'{"ask":"touch","targets":9,"hit":9,"worst_px":-1,"breaks":0}',
        b'{"ask":"selftest","only":[' + b'"gnss",' * 20 + b'"gnss"]}',
    ],
)
def test_what_is_no_ask_is_refused_in_a_sentence(tmp_path: Path, journal: Journal, line: bytes) -> None:
    (told,) = answers(tmp_path, journal).to(line, never)
    assert isinstance(told, Refused)
    assert told.error.startswith("This is no ask that the unit knows")


def test_a_report_that_cannot_be_signed_says_why(tmp_path: Path, journal: Journal) -> None:
    (told,) = answers(tmp_path, journal).to(b'{"ask":"report"}', never)
    assert told == Refused("no key for 0 findings")


def test_the_drill_counts_its_promises_until_the_unit_stops(tmp_path: Path, journal: Journal) -> None:
    waits = iter([False, False, True])
    told = list(answers(tmp_path, journal).to(b'{"ask":"plug"}', lambda _: next(waits)))
    assert told == [Marks(1), Marks(2), Marks(3), Done()]
    assert journal.issued(Series.SEQ) == 3
    assert not (tmp_path / LEDGER).exists()
