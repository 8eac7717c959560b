"""Events from before the time was known: the pure correction, the journal's rewriting, and the recorder that starts it once."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.clock import AGREEING_FIXES, Moment
from firmware.journal import Draft, Journal, Series
from firmware.redating import redated
from mqtt import messages
from mqtt.messages import Event
from mqtt.ranges import Ranges
from tests.journals import BOOT, START_MS, Now, open_journal, proof
from tests.unit.test_recorder import AT, Hands

NOW = Moment(at_ms=1_795_248_000_000, src="gnss", mono_ms=500_000)


def event(src: str = "floor", mono_ms: int = 20_000, seq: int = 7, boot: str = BOOT) -> Event:
    return Event(
        unit="van-1", boot=boot, log="01234567", seq=seq, t="2026-11-01T00:00:00.000Z", src=src, mono_ms=mono_ms, event="ignition.on",  # type: ignore[arg-type]
        data={"x": [1, "é", None]}, latitude=51.05, longitude=3.72,
    )  # fmt: skip


def draft(src: str = "floor", boot: str = BOOT) -> Draft:
    return Draft("event", lambda number: messages.encode(event(src, seq=number, boot=boot)))


# The correction


@pytest.mark.parametrize("src", ["floor", "rtc"])
@pytest.mark.parametrize("good", ["gnss", "ntp"])
def test_an_event_gets_the_time_that_its_monotonic_moment_had(src: str, good: str) -> None:
    corrected = redated(messages.encode(event(src)), BOOT, msgspec.structs.replace(NOW, src=good))
    assert corrected is not None
    expected = msgspec.structs.replace(event(src), t=messages.utc_text(NOW.at_ms - 480_000), src=good)
    assert messages.decode(corrected, Event) == expected


@pytest.mark.parametrize("src", ["gnss", "ntp"])
def test_a_good_time_stays(src: str) -> None:
    assert redated(messages.encode(event(src)), BOOT, NOW) is None


def test_an_event_of_another_start_stays() -> None:
    assert redated(messages.encode(event(boot="ffffffffffff")), BOOT, NOW) is None


@pytest.mark.parametrize("payload", [b"", b"{}", b"pod 3 ppp", b'{"typ":"event","v":1}'])
def test_what_is_no_event_stays(payload: bytes) -> None:
    assert redated(payload, BOOT, NOW) is None


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_the_order_and_the_distance_of_events_stay(first_ms: int, second_ms: int) -> None:
    times = []
    for mono_ms in (first_ms, second_ms):
        corrected = redated(messages.encode(event(mono_ms=mono_ms)), BOOT, NOW)
        assert corrected is not None
        times.append(messages.utc_ms(messages.decode(corrected, Event).t))
    assert times[1] - times[0] == second_ms - first_ms


def test_a_second_correction_finds_nothing_to_do() -> None:
    corrected = redated(messages.encode(event()), BOOT, NOW)
    assert corrected is not None
    assert redated(corrected, BOOT, NOW) is None


# The journal


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def journal(tmp_path: Path, now: Now) -> Journal:
    return open_journal(tmp_path, now)


def redate(journal: Journal) -> int:
    return journal.redate(BOOT, lambda payload: redated(payload, BOOT, NOW))


def sources(journal: Journal) -> list[str]:
    rows = journal.waiting(Series.SEQ, Ranges(), 10**6)
    return [messages.decode(row.payload, Event).src if row.kind == "event" else row.kind for row in rows]


def test_waiting_events_are_rewritten_and_keep_their_numbers(journal: Journal, now: Now) -> None:
    journal.append(BOOT, [draft(), draft("gnss"), proof(), draft("rtc")])
    now.at_ms += 5_000
    assert redate(journal) == 2
    assert sources(journal) == ["gnss", "gnss", "pod", "gnss"]
    rows = journal.waiting(Series.SEQ, Ranges(), 10**6)
    assert [row.number for row in rows] == [1, 2, 3, 4]
    assert [row.made_ms - START_MS for row in rows] == [5_000, 0, 0, 5_000]
    assert redate(journal) == 0
    journal.close()


def test_what_the_receiver_holds_already_stays_as_it_was_sent(journal: Journal, tmp_path: Path) -> None:
    journal.append(BOOT, [draft(), draft(), draft()])
    journal.acknowledge(Series.SEQ, Ranges([(1, 2)]))
    assert redate(journal) == 1
    assert journal.send_again(Series.SEQ, [(1, 2)]) == []
    assert sources(journal) == ["floor", "floor", "gnss"]
    journal.close()


def test_events_of_another_start_stay(journal: Journal) -> None:
    journal.append("ffffffffffff", [draft(boot="ffffffffffff")])
    journal.append(BOOT, [draft()])
    assert redate(journal) == 1
    assert sources(journal) == ["floor", "gnss"]
    journal.close()


def test_a_rewriting_that_fails_half_way_changes_nothing(journal: Journal, tmp_path: Path) -> None:
    journal.append(BOOT, [draft(), draft(), draft()])
    asked = []

    def breaks(payload: bytes) -> bytes | None:
        asked.append(payload)
        if len(asked) == 3:
            raise RuntimeError("the power was cut here")
        return redated(payload, BOOT, NOW)

    with pytest.raises(RuntimeError):
        journal.redate(BOOT, breaks)
    assert sources(journal) == ["floor"] * 3
    journal.close()


def test_corrected_events_survive_a_restart_whole(journal: Journal, tmp_path: Path) -> None:
    journal.append(BOOT, [draft() for _ in range(40)])
    redate(journal)
    journal.close()
    again = open_journal(tmp_path)
    assert sources(again) == ["gnss"] * 40
    again.close()


def test_a_damaged_event_is_left_to_the_one_who_sets_it_aside(journal: Journal, tmp_path: Path) -> None:
    journal.append(BOOT, [draft(), draft()])
    with sqlite3.connect(tmp_path / "journal.db") as db:
        db.execute("UPDATE record_seq SET payload = x'00' WHERE number = 1")
    db.close()
    assert redate(journal) == 1
    journal.close()


def test_on_a_full_card_the_events_keep_the_time_they_have(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    journal.append(BOOT, [draft()])

    def no_room(_: bytes) -> bytes | None:
        raise sqlite3.OperationalError("database or disk is full")

    assert journal.redate(BOOT, no_room) == 0
    assert "keep the time they have" in caplog.text
    assert sources(journal) == ["floor"]
    journal.close()


# The recorder


class Cold(Hands):
    """A unit without a clock battery: its system's clock says 1970 until satellites tell."""

    def __init__(self, folder: Path) -> None:
        self.utc_s = 0.0
        super().__init__(folder)
        self.clock._utc_s = lambda: self.utc_s


def test_events_from_before_the_third_fix_get_their_true_time_once(tmp_path: Path) -> None:
    hands = Cold(tmp_path)
    hands.panel.turn_key(on=True)
    hands.be_silent(2)  # the key is seen at once, at the moment that the drive begins
    hands.drive(AGREEING_FIXES - 1)
    assert [event.src for event in hands.events()] == ["floor"] * len(hands.events())
    hands.drive(1)
    told = hands.events()
    assert {"trip.start", "ignition.on"} <= {event.event for event in told}
    assert {event.src for event in told} == {"gnss"}
    began = datetime.fromisoformat(told[1].t)
    assert abs(began - AT) < timedelta(seconds=2)
    assert began.tzinfo == UTC
    hands.journal.append(BOOT, [draft()])
    hands.drive(20)
    assert hands.events()[-1].src == "floor"
    hands.journal.close()


def test_the_network_s_time_re_dates_as_well(tmp_path: Path) -> None:
    hands = Cold(tmp_path)
    hands.panel.turn_key(on=True)
    hands.be_silent(2)
    assert {event.src for event in hands.events()} == {"floor"}
    hands.utc_s = AT.timestamp() + 600
    (tmp_path / "none").touch()
    hands.be_silent(1)
    assert {event.src for event in hands.events()} == {"ntp"}
    hands.journal.close()


def test_a_unit_that_never_learns_the_time_leaves_its_events_alone(tmp_path: Path) -> None:
    hands = Cold(tmp_path)
    hands.panel.turn_key(on=True)
    hands.be_silent(60)
    assert {event.src for event in hands.events()} == {"floor"}
    hands.journal.close()
