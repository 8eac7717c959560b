"""Work in progress in the journal: written with the records of the same step, read back after a restart, survived by the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from firmware.journal import Journal, JournalFullError, Series, schema
from firmware.journal.look import JournalLook
from mqtt.ranges import Ranges
from tests.journals import BOOT, event, open_journal, points, proof

PAGE = 4_096


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(open_journal(tmp_path)) as opened:
        yield opened


def test_a_piece_of_work_is_there_after_a_restart(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)) as journal:
        journal.append(BOOT, [event()], work={"run": b"stops", "stop:7": b"\x00\xff"})
    with closing(open_journal(tmp_path)) as journal:
        assert journal.work() == {"run": b"stops", "stop:7": b"\x00\xff"}
        assert journal.issued(Series.SEQ) == 1


def test_work_alone_uses_no_number(journal: Journal) -> None:
    assert journal.append(BOOT, work={"day": b"x"}).seqs == []
    assert journal.issued(Series.SEQ) == 0


def test_a_piece_is_replaced_and_taken_away(journal: Journal) -> None:
    journal.append(BOOT, work={"day": b"1", "stop:1": b"a"})
    journal.append(BOOT, work={"day": b"2", "stop:1": None, "never": None})
    assert journal.work() == {"day": b"2"}


def test_pieces_keep_the_order_in_which_they_came(journal: Journal) -> None:
    journal.append(BOOT, work={"blob:b": b"1", "blob:a": b"1", "day": b""})
    journal.append(BOOT, work={"blob:b": b"2", "blob:c": b"1"})
    assert list(journal.work("blob:")) == ["blob:b", "blob:a", "blob:c"]


def fill(journal: Journal) -> None:
    """Append proofs until there is no room."""
    with suppress(JournalFullError):
        for _ in range(1_000):
            journal.append(BOOT, [proof(60_000)], work={"day": b"during"})


def test_a_step_that_does_not_fit_leaves_work_and_records_as_they_were(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path, quota_bytes=1_000_000)) as journal:
        journal.append(BOOT, work={"day": b"before"})
        fill(journal)
        issued = journal.issued(Series.SEQ)
        with pytest.raises(JournalFullError):
            journal.append(BOOT, [proof(60_000)], work={"day": b"after", "stop:1": b"x"})
        assert journal.work() == {"day": b"during"}
        assert journal.issued(Series.SEQ) == issued
    with closing(open_journal(tmp_path, quota_bytes=1_000_000)) as journal:
        assert journal.work() == {"day": b"during"}


def test_work_goes_on_while_fixes_give_way(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path, quota_bytes=400_000)) as journal:
        for commit in range(1_500):
            journal.append(BOOT, [], points(10, 1_797_000_000_000 + commit * 10_000))
        journal.append(BOOT, [proof()], work={"stop:1": b"p" * 4_000})
        assert journal.work() == {"stop:1": b"p" * 4_000}


def test_a_damaged_piece_is_put_on_the_shelf_and_the_others_stay(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(open_journal(tmp_path)) as journal:
        journal.append(BOOT, work={"run": b"stops", "stop:7": b"signed"})
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.execute("UPDATE work SET value = ? WHERE name = 'stop:7'", (b"singed",))
        db.commit()
    with closing(open_journal(tmp_path)) as journal:
        assert journal.work() == {"run": b"stops"}
        assert journal.work() == {"run": b"stops"}
        with JournalLook(tmp_path / "journal.db") as look:
            assert look.aside == 1
    assert [record.message for record in caplog.records if "stop:7" in record.message] == [
        "the piece stop:7 of the work in progress was set aside: its hash does not fit, the card damaged it"
    ]


def test_a_journal_of_version_1_goes_on_with_all_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(schema, "MIGRATIONS", (schema.make_tables,))
        with closing(open_journal(tmp_path)) as journal:
            name = journal.log
            journal.append(BOOT, [event(), proof()], points(30))
    with closing(open_journal(tmp_path)) as journal:
        assert (journal.log, journal.salvaged) == (name, None)
        assert journal.work() == {}
        assert journal.append(BOOT, [event()], points(1), work={"day": b"x"}).seqs == [3]
        assert [row.kind for row in journal.waiting(Series.SEQ, Ranges(), 10)] == ["event", "pod", "event"]
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)


def test_work_survives_the_loss_of_the_first_page(tmp_path: Path) -> None:
    pieces = {f"stop:{n}": b"x" * 300 for n in range(200)}
    with closing(open_journal(tmp_path)) as journal:
        journal.append(BOOT, [event()], points(10), work=pieces)
        journal.append(BOOT, work={"stop:4": None})
    with (tmp_path / "journal.db").open("r+b") as file:
        file.write(bytes(PAGE))
    with closing(open_journal(tmp_path)) as journal:
        assert journal.salvaged is not None
        assert journal.work() == {name: value for name, value in pieces.items() if name != "stop:4"}


def test_a_spoiled_page_costs_the_pieces_on_it_alone(tmp_path: Path) -> None:
    pieces = {f"stop:{n:03}": b"x" * 1_000 for n in range(100)}
    with closing(open_journal(tmp_path)) as journal:
        journal.append(BOOT, [event()], points(10), work=pieces)
    path = tmp_path / "journal.db"
    image = path.read_bytes()
    spoiled = next(page for page in range(image.find(b"stop:050") // PAGE, len(image) // PAGE))
    with path.open("r+b") as file:
        file.seek(spoiled * PAGE)
        file.write(bytes([0xA5]) * PAGE)
    with closing(open_journal(tmp_path)) as journal:
        assert journal.salvaged is not None
        kept = journal.work()
        assert journal.issued(Series.SEQ) >= 1
    assert len(kept) >= 90
    assert all(pieces[name] == value for name, value in kept.items())


def test_a_damaged_journal_of_version_1_loses_nothing_to_the_new_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(schema, "MIGRATIONS", (schema.make_tables,))
        with closing(open_journal(tmp_path)) as journal:
            for _ in range(300):
                journal.append(BOOT, [proof()], points(10))
    with (tmp_path / "journal.db").open("r+b") as file:
        file.write(bytes(PAGE))
    with closing(open_journal(tmp_path)) as journal:
        assert journal.salvaged is not None
        assert len(journal.waiting(Series.SEQ, Ranges(), 300)) == 300
        assert journal.work() == {}


def test_a_new_version_s_tables_find_room_on_a_full_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:2])
        with closing(open_journal(tmp_path)) as journal:
            journal.append(BOOT, [event()], points(30))
    reserve = tmp_path / "reserve"
    assert reserve.exists()

    def add_batches(connection: sqlite3.Connection) -> None:
        if reserve.exists():
            connection.execute("PRAGMA max_page_count = 1")
        schema.add_batches(connection)

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS[:2], add_batches))
    with closing(open_journal(tmp_path)) as journal:
        assert journal.append(BOOT, [event()], points(1)).seqs == [2]
        assert journal.packed_to() == 0
