"""The journal in ordinary life: what goes in, what waits, what a receipt lets go."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from firmware.journal import Journal, JournalError, JournalInUseError, Series
from firmware.journal.look import JournalLook
from firmware.journal.pressure import decode_points
from firmware.journal.schema import WAL_BYTES
from mqtt.ranges import Ranges
from tests.journals import (
    BOOT,
    DAY_MS,
    START_MS,
    Now,
    event,
    everything_waiting,
    fixes_on_card,
    open_journal,
    points,
    proof,
    spans_of_rows,
    unaccounted,
)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def journal(tmp_path: Path, now: Now) -> Iterator[Journal]:
    opened = open_journal(tmp_path, now)
    yield opened
    opened.close()


def test_each_series_counts_from_one_without_gaps(journal: Journal) -> None:
    first = journal.append(BOOT, [event()], points(10))
    second = journal.append(BOOT, [event(), proof()], points(3))
    assert (first.seqs, first.tseqs) == ([1], list(range(1, 11)))
    assert (second.seqs, second.tseqs) == ([2, 3], [11, 12, 13])
    assert (journal.issued(Series.SEQ), journal.issued(Series.TSEQ)) == (3, 13)


def test_a_fix_carries_the_number_it_was_given(journal: Journal, tmp_path: Path) -> None:
    journal.append(BOOT, [], points(4))
    journal.append(BOOT, [], points(4, START_MS + 4_000))
    assert [(point.tseq, point.t_ms) for point in fixes_on_card(tmp_path)] == [(n + 1, START_MS + n * 1_000) for n in range(8)]


def test_a_payload_is_stored_byte_for_byte(journal: Journal) -> None:
    journal.append(BOOT, [proof(10)])
    assert [row.payload for row in journal.waiting(Series.SEQ, Ranges(), 1)] == [b"pod 1 pppppppppp"]


def test_the_oldest_wait_first_and_what_is_under_way_is_left_out(journal: Journal) -> None:
    for _ in range(6):
        journal.append(BOOT, [event()], points(10))
    assert [row.number for row in journal.waiting(Series.TSEQ, Ranges([(1, 20)]), 20)] == [21, 31]
    assert [row.number for row in journal.waiting(Series.SEQ, Ranges([(1, 1), (3, 3)]), 2)] == [2, 4]


def test_everything_is_found_whatever_holes_the_receipts_leave(journal: Journal) -> None:
    for _ in range(100):
        journal.append(BOOT, [], points(10))
    journal.acknowledge(Series.TSEQ, Ranges([(11, 20), (31, 35), (400, 990)]))
    assert everything_waiting(journal, Series.TSEQ) == [(1, 10), (21, 400), (991, 1000)]


def test_a_receipt_ends_the_waiting_and_a_later_commit_lets_the_rows_go(journal: Journal, tmp_path: Path) -> None:
    for _ in range(4):
        journal.append(BOOT, [event()], points(10))
    assert journal.acknowledge(Series.TSEQ, Ranges([(1, 30)])) == 30
    assert journal.waiting_count(Series.TSEQ) == 10
    journal.append(BOOT, [event()])
    assert spans_of_rows(tmp_path, Series.TSEQ) == [(31, 40)]


def test_the_same_receipt_twice_is_no_news(journal: Journal) -> None:
    journal.append(BOOT, [], points(10))
    assert journal.acknowledge(Series.TSEQ, Ranges([(1, 10)])) == 10
    assert journal.acknowledge(Series.TSEQ, Ranges([(1, 10)])) == 0


def test_a_receipt_for_numbers_never_issued_covers_none_that_come_later(journal: Journal) -> None:
    journal.append(BOOT, [event()], points(5))
    journal.acknowledge(Series.SEQ, Ranges([(1, 2**53 - 1)]))
    journal.acknowledge(Series.TSEQ, Ranges([(100, 200)]))
    journal.append(BOOT, [event()], points(200))
    assert [row.number for row in journal.waiting(Series.SEQ, Ranges(), 10)] == [2]
    assert journal.waiting_count(Series.TSEQ) == 205


def test_half_a_receipted_row_waits_whole(journal: Journal) -> None:
    journal.append(BOOT, [], points(10))
    journal.acknowledge(Series.TSEQ, Ranges([(1, 9)]))
    assert [(row.number, row.last) for row in journal.waiting(Series.TSEQ, Ranges(), 300)] == [(1, 10)]


def test_receipted_rows_stay_for_keep_ms_and_go_then(tmp_path: Path, now: Now) -> None:
    with closing(open_journal(tmp_path, now, keep_ms=2 * DAY_MS)) as journal:
        journal.append(BOOT, [], points(10))
        journal.acknowledge(Series.TSEQ, Ranges([(1, 10)]))
        now.at_ms += 2 * DAY_MS - 1
        journal.append(BOOT, [], points(10))
        assert spans_of_rows(tmp_path, Series.TSEQ) == [(1, 10), (11, 20)]
        now.at_ms += 1
        journal.append(BOOT, [], points(10))
        assert spans_of_rows(tmp_path, Series.TSEQ) == [(11, 20), (21, 30)]


def test_the_receiver_may_ask_again_for_what_is_still_here_and_hears_what_is_gone(tmp_path: Path, now: Now) -> None:
    with closing(open_journal(tmp_path, now, keep_ms=DAY_MS)) as journal:
        journal.append(BOOT, [], points(10))
        now.at_ms += 2 * DAY_MS
        journal.append(BOOT, [], points(10))
        journal.append(BOOT, [], points(10))
        journal.acknowledge(Series.TSEQ, Ranges([(1, 30)]))
        journal.append(BOOT, [], points(10))
        assert journal.send_again(Series.TSEQ, [(5, 25)]) == [(5, 10)]
        assert everything_waiting(journal, Series.TSEQ) == [(11, 40)]


def test_receipts_and_numbers_survive_an_orderly_end(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)) as journal:
        journal.append(BOOT, [event()], points(20))
        journal.append(BOOT, [event()], points(20))
        journal.acknowledge(Series.TSEQ, Ranges([(1, 20), (31, 35)]))
        log = journal.log
    with closing(open_journal(tmp_path)) as journal:
        assert journal.log == log
        assert list(journal.receipted(Series.TSEQ)) == [(1, 20), (31, 35)]
        assert journal.append(BOOT, [event()], points(1)).tseqs == [41]


def test_a_session_is_higher_than_every_one_before_also_when_the_clock_goes_back(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)) as journal:
        sessions = [journal.next_session(1_790_000_000), journal.next_session(1_790_000_000), journal.next_session(5)]
    with closing(open_journal(tmp_path)) as journal:
        sessions.append(journal.next_session(5))
    assert sessions == [1_790_000_000, 1_790_000_001, 1_790_000_002, 1_790_000_003]


def test_a_second_owner_is_refused_with_a_sentence(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(JournalInUseError, match="in use by another process; only one daemon may run on it"):
        open_journal(tmp_path)


def test_after_close_the_next_owner_may_have_it(tmp_path: Path) -> None:
    open_journal(tmp_path).close()
    open_journal(tmp_path).close()


def test_a_folder_that_cannot_be_made_is_one_sentence() -> None:
    with pytest.raises(JournalError, match=r"cannot write in /proc/journal: .*; check the folder's owner and rights"):
        open_journal(Path("/proc/journal"))


def test_a_journal_of_a_newer_firmware_is_refused_and_stays_untouched(tmp_path: Path) -> None:
    open_journal(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.execute("PRAGMA user_version = 99")
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(JournalError, match=r"made by a newer firmware \(journal version 99\); update this one"):
        open_journal(tmp_path)
    assert (tmp_path / "journal.db").read_bytes() == before


def test_a_record_set_aside_blocks_nothing_and_its_number_stays_accounted_for(journal: Journal, tmp_path: Path) -> None:
    for _ in range(3):
        journal.append(BOOT, [proof()], points(10))
    journal.set_aside(Series.SEQ, 2, "too large")
    journal.set_aside_range(Series.TSEQ, 11, 20, "too large")
    assert [(row.number, row.kind) for row in journal.waiting(Series.SEQ, Ranges(), 9)] == [(1, "pod"), (2, "event"), (3, "pod")]
    assert [(row.number, row.last, len(decode_points(row))) for row in journal.waiting(Series.TSEQ, Ranges(), 99)] == [
        (1, 10, 10), (11, 20, 0), (21, 30, 10),
    ]  # fmt: skip
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        assert db.execute("SELECT series, number, span, kind FROM aside").fetchall() == [("seq", 2, 1, "pod"), ("tseq", 11, 10, "track")]
    assert not unaccounted(tmp_path, journal, Series.SEQ)


def test_a_thousand_commits_do_not_grow_the_log(journal: Journal, tmp_path: Path) -> None:
    wal = tmp_path / "journal.db-wal"
    assert wal.stat().st_size == WAL_BYTES
    for number in range(1_000):
        journal.append(BOOT, [event()] if number % 10 == 0 else [], points(10))
    assert wal.stat().st_size == WAL_BYTES


def test_one_gigabyte_holds_a_month_of_fixes(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)) as journal:
        for commit in range(200):
            journal.append(BOOT, [], points(10, START_MS + commit * 10_000))
        before = journal.used_bytes
        for commit in range(200, 2_200):
            journal.append(BOOT, [], points(10, START_MS + commit * 10_000))
        bytes_a_fix = (journal.used_bytes - before) / 20_000
    days = 0.70 * 1e9 / bytes_a_fix / 86_400  # at 70 % thinning begins
    print(f"{bytes_a_fix:.1f} bytes a fix, {days:.0f} days of 1 Hz in 1 GB before the first is thinned")
    assert days > 30


def test_a_look_from_outside_works_while_the_journal_is_open(journal: Journal, tmp_path: Path) -> None:
    journal.append(BOOT, [event()], points(20))
    with JournalLook(tmp_path / "journal.db") as look:
        assert look.log == journal.log
        assert [(one.series, one.rows, one.last, one.waiting) for one in look.series()] == [("seq", 1, 1, 1), ("tseq", 1, 20, 20)]
        assert look.aside == 0


def test_there_is_no_look_at_a_journal_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal at"):
        JournalLook(tmp_path / "journal.db")
