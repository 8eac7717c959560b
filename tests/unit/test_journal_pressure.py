"""A store that runs full gives way in order: old fixes first, proofs never, everything counted."""

from __future__ import annotations

from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest

from firmware.journal import Appended, Journal, JournalFullError, Series
from firmware.journal.pressure import SPARSE_AT, STOP_AT, THIN_AT
from mqtt.ranges import Ranges
from tests.journals import (
    BOOT,
    DAY_MS,
    START_MS,
    Now,
    event,
    fixes_on_card,
    open_journal,
    overlapping,
    points,
    proof,
    spans_of_rows,
    unaccounted,
)

QUOTA = 8_000_000
FIXES = 250  # in one commit, so that a test fills 8 MB in a moment


def fill_with_fixes(journal: Journal, now: Now, until: float, limit: int = 4_000) -> int:
    """Drive until so much is used; the number of fixes refused on the way."""
    refused = 0
    for _ in range(limit):
        if journal.used >= until:
            return refused
        refused += journal.append(BOOT, [], points(FIXES, now.at_ms)).refused
        now.at_ms += FIXES * 1_000
    return refused


def fill_with(journal: Journal, kind: str, until: float) -> int:
    """Append until so much is used; how many records that took."""
    count = 0
    while journal.used < until:
        journal.append(BOOT, [proof(20_000) if kind == "pod" else event(filling=2_000) for _ in range(5)])
        count += 5
    return count


def check_accounts(folder: Path, journal: Journal) -> None:
    for series in Series:
        assert not unaccounted(folder, journal, series)
        assert not overlapping(spans_of_rows(folder, series))
    assert journal.issued(Series.TSEQ) == len(fixes_on_card(folder)) + journal.dropped.tseq


def test_below_seventy_percent_nothing_is_thinned(tmp_path: Path) -> None:
    now = Now()
    with closing(open_journal(tmp_path, now, quota_bytes=QUOTA)) as journal:
        fill_with_fixes(journal, now, THIN_AT - 0.02)
        now.at_ms += 90 * DAY_MS
        journal.append(BOOT, [], points(10))
        assert (journal.dropped.tseq, journal.dropped.seq) == (0, 0)
        check_accounts(tmp_path, journal)


def test_at_seventy_percent_every_second_fix_older_than_a_day_goes(tmp_path: Path) -> None:
    now = Now()
    with closing(open_journal(tmp_path, now, quota_bytes=QUOTA)) as journal:
        fill_with_fixes(journal, now, THIN_AT)
        before = fixes_on_card(tmp_path)
        journal.append(BOOT, [], points(10, now.at_ms))
        after = fixes_on_card(tmp_path)
        thinned = {point.tseq for point in before} - {point.tseq for point in after}
        assert thinned == set(range(2, max(thinned) + 1, 2))
        assert max(point.t_ms for point in before if point.tseq in thinned) < now.at_ms - DAY_MS
        assert journal.dropped.tseq == len(thinned)
        check_accounts(tmp_path, journal)


def test_fixes_of_the_last_day_are_whole_until_eighty_five_percent(tmp_path: Path) -> None:
    now = Now()
    with closing(open_journal(tmp_path, now, quota_bytes=QUOTA)) as journal:
        while journal.used < SPARSE_AT - 0.01:
            journal.append(BOOT, [], points(FIXES, now.at_ms))
        assert journal.dropped.tseq == 0


def test_at_eighty_five_percent_about_one_fix_in_five_minutes_remains_of_the_oldest(tmp_path: Path) -> None:
    now = Now()
    with closing(open_journal(tmp_path, now, quota_bytes=QUOTA)) as journal:
        proofs = fill_with(journal, "pod", 0.75)
        drive_ms = now.at_ms
        while journal.used < SPARSE_AT:
            journal.append(BOOT, [], points(FIXES, drive_ms))
            drive_ms += FIXES * 1_000
        journal.append(BOOT, [], points(10, drive_ms))
        slots = Counter(point.t_ms // 300_000 for point in fixes_on_card(tmp_path) if point.t_ms < START_MS + DAY_MS // 8)
        assert set(slots.values()) <= {1, 2}  # two where a slot lies across two rows
        assert len(slots) >= 36
        assert len(journal.waiting(Series.SEQ, Ranges(), proofs + 1)) == proofs
        check_accounts(tmp_path, journal)


def test_a_year_of_driving_fits_and_the_newest_day_is_the_densest(tmp_path: Path) -> None:
    now = Now()
    with closing(open_journal(tmp_path, now, quota_bytes=QUOTA)) as journal:
        fill_with_fixes(journal, now, 1.0, limit=1_500)
        assert journal.used < SPARSE_AT
        assert journal.dropped.refused == 0
        kept = fixes_on_card(tmp_path)
        last_hours = [point for point in kept if point.t_ms > now.at_ms - DAY_MS // 2]
        assert len(last_hours) == DAY_MS // 2_000 - 1 or len(last_hours) >= DAY_MS // 2_000 - FIXES
        check_accounts(tmp_path, journal)


def test_at_ninety_five_percent_fixes_are_refused_and_counted_and_events_still_come_in(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path, quota_bytes=QUOTA)) as journal:
        fill_with(journal, "pod", STOP_AT)
        assert journal.append(BOOT, [event()], points(10)) == Appended([journal.issued(Series.SEQ)], [], refused=10)
        assert (journal.dropped.refused, journal.issued(Series.TSEQ)) == (10, 0)
    with closing(open_journal(tmp_path, quota_bytes=QUOTA)) as journal:
        assert journal.dropped.refused == 10


def test_fixes_are_taken_again_when_there_is_room_again(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path, quota_bytes=QUOTA)) as journal:
        fill_with(journal, "pod", STOP_AT)
        assert journal.append(BOOT, [], points(10)).refused == 10
        journal.acknowledge(Series.SEQ, Ranges([(1, journal.issued(Series.SEQ))]))
        journal.append(BOOT, [event()])
        assert journal.append(BOOT, [], points(10)).refused == 10  # nobody signed for the proofs
        journal.release(range(1, journal.issued(Series.SEQ) + 1))
        journal.append(BOOT, [event()])
        assert journal.append(BOOT, [], points(10)).tseqs == list(range(1, 11))


def test_receipted_rows_go_before_anything_is_thinned(tmp_path: Path) -> None:
    now = Now()
    with closing(open_journal(tmp_path, now, quota_bytes=QUOTA, keep_ms=30 * DAY_MS)) as journal:
        fill_with_fixes(journal, now, THIN_AT - 0.01)
        journal.acknowledge(Series.TSEQ, Ranges([(1, journal.issued(Series.TSEQ) // 2)]))
        fill_with_fixes(journal, now, 1.0, limit=40)
        assert journal.dropped.tseq == 0
        assert journal.used < THIN_AT
        assert not unaccounted(tmp_path, journal, Series.TSEQ)


def test_proofs_are_never_dropped_and_the_last_one_that_finds_no_room_says_so(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path, quota_bytes=QUOTA)) as journal:
        journal.append(BOOT, [], points(10))
        taken = fill_with(journal, "pod", STOP_AT)
        with suppress(JournalFullError):
            while journal.append(BOOT, [proof(20_000)]):
                taken += 1
        with pytest.raises(JournalFullError, match="nothing more can be saved; free space on it or replace it"):
            journal.append(BOOT, [proof(20_000)])
        assert taken > 300
        assert [row.kind for row in journal.waiting(Series.SEQ, Ranges(), taken + 10)] == ["pod"] * taken
        assert journal.dropped.seq == 0
        assert journal.append(BOOT, [event()]).seqs == [taken + 1]  # small things still fit
        check_accounts(tmp_path, journal)


def test_events_give_way_to_proofs_and_one_event_tells_how_many(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path, quota_bytes=QUOTA)) as journal:
        events = fill_with(journal, "event", STOP_AT - 0.01)
        for _ in range(200):
            journal.append(BOOT, [proof(20_000)])
        rows = journal.waiting(Series.SEQ, Ranges(), 10_000_000)
        assert len([row for row in rows if row.kind == "pod"]) == 200
        markers = [row for row in rows if row.span > 1]
        assert sum(row.span for row in markers) == journal.dropped.seq
        assert 0 < journal.dropped.seq < events
        check_accounts(tmp_path, journal)


def test_events_between_many_proofs_are_found(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path, quota_bytes=QUOTA)) as journal:
        for _ in range(100):
            journal.append(BOOT, [proof(20_000), event(filling=2_000), proof(20_000)])
        while journal.used < STOP_AT:
            journal.append(BOOT, [event(filling=2_000) for _ in range(5)])
        for _ in range(20):
            journal.append(BOOT, [proof(20_000)])
        assert journal.dropped.seq > 0
        assert len([row for row in journal.waiting(Series.SEQ, Ranges(), 10_000) if row.kind == "pod"]) == 220
        check_accounts(tmp_path, journal)


def test_a_clock_that_ran_ahead_does_not_keep_old_fixes_for_ever(tmp_path: Path) -> None:
    now = Now(START_MS + 3_650 * DAY_MS)
    with closing(open_journal(tmp_path, now, quota_bytes=QUOTA)) as journal:
        fill_with_fixes(journal, now, THIN_AT - 0.01)
        now.at_ms = START_MS
        refused = fill_with_fixes(journal, now, 2.0, limit=150)
        assert refused == 0
        journal.acknowledge(Series.TSEQ, Ranges([(1, journal.issued(Series.TSEQ))]))
        journal.append(BOOT, [], points(10))
        check = spans_of_rows(tmp_path, Series.TSEQ)
        assert journal.used < SPARSE_AT
        assert not overlapping(check)


def test_a_thinned_journal_opens_again_as_it_was(tmp_path: Path) -> None:
    now = Now()
    with closing(open_journal(tmp_path, now, quota_bytes=QUOTA)) as journal:
        fill_with_fixes(journal, now, 1.0, limit=600)
        dropped, issued = journal.dropped, journal.issued(Series.TSEQ)
    with closing(open_journal(tmp_path, now, quota_bytes=QUOTA)) as journal:
        assert (journal.dropped, journal.issued(Series.TSEQ)) == (dropped, issued)
        check_accounts(tmp_path, journal)
