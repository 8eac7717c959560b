from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from firmware.clock import Clock
from firmware.diary import Diary
from firmware.journal import Journal, Series
from firmware.selftest import LEDGER
from firmware.selftest.drill import OUTCOME, DrillError, Head, Ledger, Outcome, Promise, drill, plug, promises, settle
from firmware.status import StatusBoard
from mqtt.ranges import Ranges
from tests.journals import BOOT, open_journal
from tests.selftests import place

NEXT_BOOT = "ffffffffffff"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(tmp_path)
    yield opened
    opened.close()


def diary(journal: Journal) -> Diary:
    made = Diary(unit="van-1", boot=BOOT, clock=Clock(), status=StatusBoard())
    made.open(journal)
    return made


def begun(journal: Journal, marks: int) -> Generator[int, None, None]:
    """A drill that has promised so many records and goes on."""
    running = drill(journal=journal, diary=diary(journal), boot=BOOT, clock=Clock(), wait=lambda _: False)
    for _ in range(marks):
        next(running)
    return running


def settled(journal: Journal, boot: str = NEXT_BOOT) -> Outcome | None:
    return settle(journal=journal, diary=diary(journal), boot=boot, clock=Clock(mono_s=lambda: 21.4))


def without_row(folder: Path, number: int) -> Journal:
    """The journal after a cut that took one row with it."""
    with closing(sqlite3.connect(folder / "journal.db")) as db, db:
        db.execute("DELETE FROM record_seq WHERE number = ?", (number,))
    return open_journal(folder)


def cut(folder: Path, marks: int) -> None:
    """A drill, and the power goes: nothing is ended in order."""
    journal = open_journal(folder)
    running = begun(journal, marks)
    kept = (folder / LEDGER).read_bytes()
    running.close()
    journal.close()
    (folder / LEDGER).write_bytes(kept)


def test_what_was_promised_is_in_the_journal_before_the_ledger_says_so(journal: Journal, tmp_path: Path) -> None:
    running = begun(journal, 3)
    found = promises(tmp_path / LEDGER)
    assert found is not None
    assert [promise.number for promise in found[1]] == [1, 2, 3] == list(range(1, journal.issued(Series.SEQ) + 1))
    del running


def test_a_drill_that_is_ended_in_order_leaves_nothing_behind(journal: Journal, tmp_path: Path) -> None:
    waits = iter([False, False, True])
    assert list(drill(journal=journal, diary=diary(journal), boot=BOOT, clock=Clock(), wait=lambda _: next(waits))) == [1, 2, 3]
    assert not (tmp_path / LEDGER).exists()
    assert settled(journal) is None


def test_a_cut_that_took_nothing_counts_zero(tmp_path: Path) -> None:
    cut(tmp_path, 5)
    with closing(open_journal(tmp_path)) as journal:
        outcome = settled(journal)
    assert outcome is not None
    assert (outcome.cut, outcome.promised, outcome.lost, outcome.restart_ms) == ("power", 5, 0, 21_400)
    assert not (tmp_path / LEDGER).exists()
    assert plug(place(tmp_path)).sentence == "The plug was pulled: 0 of 5 records lost, first record 21 s after the start."


def test_a_row_that_is_missing_is_counted(tmp_path: Path) -> None:
    cut(tmp_path, 5)
    with closing(without_row(tmp_path, 3)) as journal:
        outcome = settled(journal)
    assert outcome is not None
    assert outcome.lost == 1
    found = plug(place(tmp_path))
    assert (found.state, found.sentence.startswith("1 of 5 records that were safe are gone")) == ("bad", True)


def test_a_tombstone_is_not_the_record_that_it_stands_for(tmp_path: Path) -> None:
    cut(tmp_path, 5)
    with closing(open_journal(tmp_path)) as journal:
        journal.set_aside(Series.SEQ, 4, "its hash does not fit: the card damaged it")
        outcome = settled(journal)
    assert outcome is not None
    assert outcome.lost == 1


def test_a_receipted_record_is_not_lost(tmp_path: Path) -> None:
    cut(tmp_path, 5)
    with closing(without_row(tmp_path, 2)) as journal:
        journal.acknowledge(Series.SEQ, Ranges([(1, 3)]))
        outcome = settled(journal)
    assert outcome is not None
    assert outcome.lost == 0


def test_another_journal_has_lost_everything_that_was_promised_in_the_first(tmp_path: Path) -> None:
    cut(tmp_path, 4)
    for path in tmp_path.glob("journal.db*"):
        path.unlink()
    with closing(open_journal(tmp_path)) as journal:
        outcome = settled(journal)
    assert outcome is not None
    assert outcome.lost == 4


def test_a_killed_program_is_no_cut(tmp_path: Path) -> None:
    cut(tmp_path, 3)
    with closing(open_journal(tmp_path)) as journal:
        outcome = settled(journal, boot=BOOT)
    assert outcome is not None
    assert outcome.cut == "process"
    assert (plug(place(tmp_path)).state, "pull the plug itself" in plug(place(tmp_path)).sentence) == ("warn", True)


def test_the_outcome_is_an_event_for_the_fleet(tmp_path: Path) -> None:
    cut(tmp_path, 3)
    with closing(open_journal(tmp_path)) as journal:
        settled(journal)
        newest = journal.waiting(Series.SEQ, Ranges(), 100)[-1]
    told = msgspec.json.decode(newest.payload)
    assert (told["event"], told["data"]["lost"], told["data"]["promised"]) == ("selftest.plug", 0, 3)


@pytest.mark.parametrize("torn", [b"6 123", b"6 123 00000000\n", b"\xff\xfe\x00", b"\n"])
def test_a_line_that_the_cut_tore_is_no_promise(tmp_path: Path, torn: bytes) -> None:
    ledger = Ledger(tmp_path / LEDGER, Head(log="0a0b0c0d", boot=BOOT))
    ledger.add(Promise(5, 1_000))
    with (tmp_path / LEDGER).open("ab") as file:
        file.write(torn)
    found = promises(tmp_path / LEDGER)
    assert found is not None
    assert found[1] == [Promise(5, 1_000)]
    ledger.close()


@pytest.mark.parametrize("content", [b"", b"rubbish", b'{"log":"x"}\n', b'{"log":"x","boot":"y"}\n'])
def test_a_ledger_that_cannot_be_read_promises_nothing_and_goes(journal: Journal, tmp_path: Path, content: bytes) -> None:
    (tmp_path / LEDGER).write_bytes(content)
    assert settled(journal) is None
    assert not (tmp_path / LEDGER).exists()


def test_promises_that_cannot_be_written_are_a_sentence(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / f"{LEDGER}.new").mkdir()
    with pytest.raises(DrillError, match="test storage first"):
        begun(journal, 1)


def test_a_unit_that_never_tried_says_how(tmp_path: Path) -> None:
    assert "sudo roadproof selftest --plug" in plug(place(tmp_path)).sentence
    (tmp_path / OUTCOME).write_bytes(b"rubbish")
    assert plug(place(tmp_path)).state == "skipped"
