"""A number is used once in the life of a journal, whatever file is lost."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from firmware.journal import Series
from mqtt.ranges import Ranges
from tests.journals import BOOT, event, open_journal, points, spans_of_rows, unaccounted

SIDE_FILE = "journal.db.numbers"


def used(folder: Path, appends: int = 3) -> tuple[str, set[int], set[int]]:
    """Open, append, close; the journal's name and the numbers that it gave."""
    seqs, tseqs = set[int](), set[int]()
    with closing(open_journal(folder)) as journal:
        for _ in range(appends):
            appended = journal.append(BOOT, [event()], points(10))
            seqs.update(appended.seqs)
            tseqs.update(appended.tseqs)
        return journal.log, seqs, tseqs


def lose_database(folder: Path) -> None:
    for part in folder.glob("journal.db*"):
        if part.name.removeprefix("journal.db") in {"", "-wal", "-shm"}:
            part.unlink()


def test_numbers_go_on_when_the_side_file_is_lost(tmp_path: Path) -> None:
    log, seqs, tseqs = used(tmp_path)
    (tmp_path / SIDE_FILE).unlink()
    log_after, seqs_after, tseqs_after = used(tmp_path)
    assert log_after == log
    assert min(seqs_after) == max(seqs) + 1
    assert min(tseqs_after) == max(tseqs) + 1


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b'{"log": 5}', b"[]", b'{"log":"00000000","seq":-3}'])
def test_a_damaged_side_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    log, seqs, _ = used(tmp_path)
    (tmp_path / SIDE_FILE).write_bytes(content)
    log_after, seqs_after, _ = used(tmp_path)
    assert (log_after, min(seqs_after)) == (log, max(seqs) + 1)


def test_a_side_file_of_another_journal_changes_nothing(tmp_path: Path) -> None:
    log, seqs, _ = used(tmp_path)
    (tmp_path / SIDE_FILE).write_bytes(b'{"log":"deadbeef","seq":500000,"tseq":500000}')
    log_after, seqs_after, _ = used(tmp_path)
    assert (log_after, min(seqs_after)) == (log, max(seqs) + 1)


def test_no_number_comes_twice_when_the_database_is_lost(tmp_path: Path) -> None:
    log, seqs, tseqs = used(tmp_path)
    lose_database(tmp_path)
    log_after, seqs_after, tseqs_after = used(tmp_path)
    assert log_after == log
    assert not seqs & seqs_after
    assert not tseqs & tseqs_after


def test_no_number_comes_twice_when_the_database_is_lost_and_the_next_start_records_nothing(tmp_path: Path) -> None:
    _, seqs, tseqs = used(tmp_path)
    lose_database(tmp_path)
    open_journal(tmp_path).close()
    _, seqs_after, tseqs_after = used(tmp_path)
    assert min(seqs_after) > max(seqs)
    assert min(tseqs_after) > max(tseqs)


def test_the_lost_numbers_are_not_waited_for(tmp_path: Path) -> None:
    used(tmp_path)
    lose_database(tmp_path)
    with closing(open_journal(tmp_path)) as journal:
        journal.append(BOOT, [event()], points(10))
        assert (journal.waiting_count(Series.SEQ), journal.waiting_count(Series.TSEQ)) == (1, 10)
        assert not unaccounted(tmp_path, journal, Series.TSEQ)
        assert journal.send_again(Series.SEQ, [(1, 3)]) == [(1, 3)]


def test_both_files_lost_make_a_new_journal_with_a_new_name(tmp_path: Path) -> None:
    log, _, _ = used(tmp_path)
    for part in tmp_path.iterdir():
        part.unlink()
    log_after, seqs_after, _ = used(tmp_path)
    assert log_after != log
    assert min(seqs_after) == 1


def test_a_commit_that_failed_gives_its_numbers_to_the_next(tmp_path: Path) -> None:
    def broken(_number: int) -> bytes:
        raise RuntimeError("no payload")

    with closing(open_journal(tmp_path)) as journal:
        draft = event()
        with pytest.raises(RuntimeError):
            journal.append(BOOT, [draft, type(draft)("event", broken)], points(10))
        assert journal.append(BOOT, [event()], points(10)).seqs == [1]
    assert spans_of_rows(tmp_path, Series.TSEQ) == [(1, 10)]


def test_the_newest_row_stays_when_all_is_receipted(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)) as journal:
        journal.append(BOOT, [event()], points(10))
        for series in Series:
            journal.acknowledge(series, Ranges([(1, journal.issued(series))]))
    with closing(open_journal(tmp_path)) as journal:
        assert journal.append(BOOT, [event()], points(1)).tseqs == [11]
