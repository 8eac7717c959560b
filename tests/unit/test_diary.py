"""Events: durable when noted, kept in memory while the card is full, valid by the contract whatever happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from firmware.clock import Clock, Moment
from firmware.diary import HELD_LIMIT, PLACE_AGE_S, Diary
from firmware.journal import Appended, Draft, Journal, JournalFullError, Series
from firmware.status import PositionStatus, StatusBoard
from mqtt import messages, schema, topics
from mqtt.ranges import Ranges
from tests.journals import BOOT, START_MS, open_journal


class Desk:
    """A diary with its journal."""

    def __init__(self, folder: Path) -> None:
        self.mono_s = 500.0
        clock = Clock(utc_s=lambda: START_MS / 1_000, mono_s=lambda: self.mono_s, ntp_mark=folder / "none")
        self.status = StatusBoard()
        self.diary = Diary(unit="van-1", boot=BOOT, clock=clock, status=self.status)
        self.journal: Journal = open_journal(folder)
        self.diary.open(self.journal)

    def events(self) -> list[messages.Event]:
        rows = self.journal.waiting(Series.SEQ, Ranges(), 10**9)
        for row in rows:
            assert schema.check(topics.EVENT.topic("van-1"), row.payload) == []
        decoded = [messages.decode(row.payload, messages.Event) for row in rows]
        return [event for event in decoded if isinstance(event, messages.Event)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.journal.close()


def position(mono_s: float) -> PositionStatus:
    return PositionStatus(at_ms=START_MS, mono_s=mono_s, lat_deg=51.123456789, lon_deg=-3.5)


def test_an_event_is_in_the_journal_when_note_returns(desk: Desk) -> None:
    desk.diary.note("power.on", {"firmware": "0.1.0"})
    (told,) = desk.events()
    assert (told.event, told.data, told.seq, told.span, told.log) == ("power.on", {"firmware": "0.1.0"}, 1, 1, desk.journal.log)
    assert (told.t, told.src, told.mono_ms) == (messages.utc_text(START_MS), "rtc", 500_000)


def test_an_event_carries_the_place_while_it_is_fresh(desk: Desk) -> None:
    desk.diary.note("link.down")
    desk.status.change(position=position(500.0))
    desk.diary.note("link.down")
    desk.mono_s += PLACE_AGE_S + 1
    desk.diary.note("link.down")
    assert [(told.latitude, told.longitude) for told in desk.events()] == [(None, None), (51.1234568, -3.5), (None, None)]


def test_a_draft_keeps_the_moment_it_was_made_at(desk: Desk) -> None:
    draft = desk.diary.draft("trip.end", moment=Moment(START_MS - 60_000, "gnss", 440_000))
    desk.mono_s += 100
    desk.journal.append(BOOT, [draft])
    (told,) = desk.events()
    assert (messages.utc_ms(told.t), told.src, told.mono_ms) == (START_MS - 60_000, "gnss", 440_000)


def test_a_tombstone_accounts_for_a_run_of_numbers(desk: Desk) -> None:
    told = messages.decode(desk.diary.tombstone("0a0a0a0a", 7, 12, "the journal is full"), messages.Event)
    assert isinstance(told, messages.Event)
    assert (told.log, told.seq, told.span, told.event, told.data) == (
        "0a0a0a0a", 7, 12, "storage.dropped", {"count": 12, "reason": "the journal is full"},
    )  # fmt: skip


class FullCard:
    """A journal that takes nothing until the test says so."""

    def __init__(self, journal: Journal) -> None:
        self.full = True
        self._journal = journal
        self.log = journal.log

    def append(self, boot: str, drafts: Sequence[Draft] = ()) -> Appended:
        if self.full:
            raise JournalFullError("the card is full: nothing more can be saved; free space on it or replace it")
        return self._journal.append(boot, drafts)


def test_events_of_a_full_card_wait_for_the_next_one_that_fits_in_their_order(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    card = FullCard(desk.journal)
    desk.diary.open(card)  # type: ignore[arg-type]
    for name in ("link.down", "link.up"):
        desk.diary.note(name)
        desk.mono_s += 10
    assert "link.down waits in memory" in caplog.text
    card.full = False
    desk.diary.note("gnss.lost")
    assert [(told.event, told.mono_ms) for told in desk.events()] == [("link.down", 500_000), ("link.up", 510_000), ("gnss.lost", 520_000)]
    desk.diary.note("gnss.back")
    assert len(desk.events()) == 4


def test_what_waits_in_memory_is_bounded_and_the_newest_stay(desk: Desk) -> None:
    card = FullCard(desk.journal)
    desk.diary.open(card)  # type: ignore[arg-type]
    for n in range(HELD_LIMIT + 20):
        desk.diary.note("link.down", {"n": n})
    card.full = False
    desk.diary.note("link.up")
    told = desk.events()
    assert len(told) == HELD_LIMIT + 1
    assert told[0].data == {"n": 20}
