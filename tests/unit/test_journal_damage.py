"""A card that goes bad: what can be read is saved, the rest is put away whole, and nothing wrong is ever sent."""

from __future__ import annotations

import errno
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from firmware.journal import Journal, JournalError, Series, salvage, schema, wal
from firmware.journal.database import Database
from firmware.journal.look import JournalLook
from firmware.journal.opening import Opening
from mqtt.ranges import Ranges
from tests.journals import (
    BOOT,
    DAY_MS,
    Now,
    event,
    everything_waiting,
    fixes_on_card,
    open_journal,
    overlapping,
    points,
    proof,
    spans_of_rows,
    unaccounted,
)

COMMITS = 400
PAGE = 4_096
Damage = Callable[[Path, random.Random], None]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with 400 events and 4,000 fixes, closed in order."""
    folder = tmp_path_factory.mktemp("sound")
    with closing(open_journal(folder)) as journal:
        for commit in range(COMMITS):
            journal.append(BOOT, [event(log=journal.log, filling=200)], points(10, 1_790_000_000_000 + commit * 10_000))
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    for part in sound.iterdir():
        if part.is_file():
            (tmp_path / part.name).write_bytes(part.read_bytes())
    return tmp_path


@pytest.fixture
def reopened(folder: Path) -> Iterator[Callable[[], Journal]]:
    opened: list[Journal] = []

    def reopen() -> Journal:
        opened.append(open_journal(folder))
        return opened[-1]

    yield reopen
    for journal in opened:
        journal.close()


def cut_short(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.truncate(chance.randrange(path.stat().st_size))


def spoil_pages(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        for page in chance.sample(range(1, path.stat().st_size // PAGE), 3):
            file.seek(page * PAGE)
            file.write(chance.randbytes(PAGE))


def zero_header(path: Path, _chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.write(bytes(PAGE))


def spoil_everything(path: Path, chance: random.Random) -> None:
    path.write_bytes(chance.randbytes(path.stat().st_size))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("damage", [cut_short, spoil_pages, zero_header, spoil_everything])
def test_no_number_is_used_twice_and_every_number_is_accounted_for(
    folder: Path, reopened: Callable[[], Journal], damage: Damage, seed: int
) -> None:
    damage(folder / "journal.db", random.Random(seed))
    journal = reopened()
    appended = journal.append(BOOT, [event()], points(10))
    assert appended.seqs[0] > COMMITS
    assert appended.tseqs[0] > 10 * COMMITS
    for series in Series:
        assert not unaccounted(folder, journal, series)
        assert not overlapping(spans_of_rows(folder, series))
        top = journal.issued(series)
        assert everything_waiting(journal, series)[-1][1] == top


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("damage", [cut_short, spoil_pages, zero_header])
def test_the_damaged_file_is_put_away_whole(folder: Path, reopened: Callable[[], Journal], damage: Damage, seed: int) -> None:
    damage(folder / "journal.db", random.Random(seed))
    damaged = (folder / "journal.db").read_bytes()
    journal = reopened()
    assert journal.salvaged is not None
    assert (folder / "quarantine" / journal.salvaged.quarantined).read_bytes() == damaged
    assert [part.name for part in (folder / "quarantine").iterdir() if "-wal" not in part.name and "-shm" not in part.name] == [
        journal.salvaged.quarantined
    ]


def test_a_spoilt_page_costs_only_its_own_rows(folder: Path, reopened: Callable[[], Journal]) -> None:
    shares = []
    spoil_pages(folder / "journal.db", random.Random(3))
    journal = reopened()
    assert journal.salvaged is not None
    shares.append(journal.salvaged.n_ok / (2 * COMMITS))
    assert shares[0] > 0.85


def test_with_the_first_page_gone_every_row_is_saved(folder: Path, reopened: Callable[[], Journal]) -> None:
    zero_header(folder / "journal.db", random.Random(0))
    journal = reopened()
    assert journal.salvaged is not None
    assert (journal.salvaged.n_ok, journal.salvaged.n_bad) == (2 * COMMITS, 0)
    assert len(fixes_on_card(folder)) == 10 * COMMITS


@pytest.mark.parametrize("size", [PAGE * 20, PAGE * 40 + 17])
def test_of_a_file_cut_short_the_part_before_the_cut_is_saved(folder: Path, reopened: Callable[[], Journal], size: int) -> None:
    whole = (folder / "journal.db").stat().st_size
    with (folder / "journal.db").open("r+b") as file:
        file.truncate(size)
    journal = reopened()
    assert journal.salvaged is not None
    assert journal.salvaged.n_ok > 0.6 * 2 * COMMITS * size / whole


def test_the_name_is_found_in_an_event_when_the_side_file_is_lost_too(folder: Path, reopened: Callable[[], Journal]) -> None:
    with JournalLook(folder / "journal.db") as look:
        name = look.log
    (folder / "journal.db.numbers").unlink()
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'fact'").fetchone()
    with (folder / "journal.db").open("r+b") as file:
        file.write(bytes(PAGE))
        file.seek((root - 1) * PAGE)
        file.write(bytes(PAGE))
    assert reopened().log == name


def test_a_salvage_that_was_cut_off_goes_on_at_the_next_start(
    folder: Path, reopened: Callable[[], Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    zero_header(folder / "journal.db", random.Random(0))

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Opening, "_account_for_gaps", cut_off)
        with pytest.raises(KeyboardInterrupt):
            reopened()
    journal = reopened()
    assert journal.salvaged is not None
    assert (journal.salvaged.n_ok, journal.salvaged.quarantined) == (2 * COMMITS, "journal-1.db")
    assert not salvage.is_unfinished(folder / "journal.db")


def test_a_second_salvage_keeps_the_first_one_s_file(folder: Path) -> None:
    for _ in range(2):
        zero_header(folder / "journal.db", random.Random(0))
        open_journal(folder).close()
    assert sorted(part.name for part in (folder / "quarantine").iterdir()) == ["journal-1.db", "journal-2.db"]


def test_an_unreadable_place_far_from_one_does_not_take_for_ever(tmp_path: Path) -> None:
    now = Now()
    with closing(open_journal(tmp_path, now)) as journal:
        journal._numbers.next[Series.TSEQ] = 4_000_000
        for _ in range(3):
            journal.append(BOOT, [], points(10))
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.execute("UPDATE record_tseq SET payload = x'00' WHERE number = 4000000")
        db.commit()
        rows = [row for row in salvage._rows(db, Series.TSEQ, 4_010_000) if row is not None]
    assert [row.number for row in rows] == [4_000_010, 4_000_020]


def flip_bit_in(folder: Path, table: str, column: str, number: int, new: object) -> None:
    """What a flipped bit does, through SQL: the value changes, the row's hash does not."""
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(f"UPDATE {table} SET {column} = ? WHERE number = ?", (new, number))  # noqa: S608
        db.commit()


@pytest.mark.parametrize(
    ("column", "new"),
    [
        ("payload", b"{}"),
        ("kind", "evenu"),
        ("boot", "!a1b2c3d4e5f"),
        ("span", 2**40),
        ("span", 0),
        ("made_ms", 5),
        ("level", 3),
        ("hash", b""),
    ],
)
def test_a_damaged_row_is_never_sent_and_the_rest_goes_on(folder: Path, reopened: Callable[[], Journal], column: str, new: object) -> None:
    for series, number in ((Series.SEQ, 7), (Series.TSEQ, 61)):
        flip_bit_in(folder, series.table, column, number, new)
    journal = reopened()
    for series, number, per_commit in ((Series.SEQ, 7, 1), (Series.TSEQ, 61, 10)):
        sent, skip = [], Ranges()
        while rows := journal.waiting(series, skip, 50):
            sent += rows
            for row in rows:
                skip.add(row.number, row.last)
        stand_in = next(row for row in sent if row.number == number)
        assert (stand_in.span, stand_in.boot) == (per_commit, "000000")
        assert list(skip) == [(1, COMMITS * per_commit)]
        assert not unaccounted(folder, journal, series)
    with JournalLook(folder / "journal.db") as look:
        assert look.aside == 2


def test_text_that_is_no_text_any_more_stops_nobody(folder: Path, reopened: Callable[[], Journal]) -> None:
    image = (folder / "journal.db").read_bytes()
    at = image.index(b"event" + BOOT.encode())
    (folder / "journal.db").write_bytes(image[:at] + b"\xe5" + image[at + 1 :])
    journal = reopened()
    assert everything_waiting(journal, Series.SEQ) == [(1, COMMITS)]
    with JournalLook(folder / "journal.db") as look:
        assert len(list(look.rows())) == 2 * COMMITS


@pytest.mark.parametrize("fact", ["receipted_seq", "receipted_tseq", "log", "session", "dropped"])
def test_a_flipped_bit_in_a_fact_loses_no_record_and_stops_no_start(folder: Path, fact: str) -> None:
    with closing(open_journal(folder, keep_ms=DAY_MS)) as journal:
        log = journal.log
        journal.next_session(5)
        journal.acknowledge(Series.TSEQ, Ranges([(1, 1_000)]))
        journal.append(BOOT, [event()])
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        for (stored,) in db.execute("SELECT value FROM fact WHERE name = ?", (fact,)).fetchall():
            damaged = stored[:-2].replace("0", "9") + chr(ord(stored[-2]) ^ 4) + stored[-1]
            db.execute("UPDATE fact SET value = ? WHERE name = ?", (damaged, fact))
        db.commit()
    with closing(open_journal(folder)) as journal:
        assert journal.log == log
        assert journal.waiting_count(Series.TSEQ) >= 3_000
        assert journal.next_session(9) >= 1
        assert journal.append(BOOT, [event()]).seqs[0] > COMMITS


def test_what_was_receipted_and_thinned_is_not_dug_up_again(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)) as journal:
        for _ in range(200):
            journal.append(BOOT, [proof()], points(10))
        journal.acknowledge(Series.TSEQ, Ranges([(1, 1_500)]))
        journal.append(BOOT, [], points(10))
    zero_header(tmp_path / "journal.db", random.Random(0))
    with closing(open_journal(tmp_path)) as journal:
        assert everything_waiting(journal, Series.TSEQ)[0][0] == 1_501
        assert len(journal.waiting(Series.SEQ, Ranges(), 200)) == 200


@pytest.fixture
def after_a_power_cut(tmp_path: Path) -> Path:
    """A journal whose last 40 commits are still in the write-ahead log alone, as a power cut leaves it."""
    living, dead = tmp_path / "living", tmp_path / "dead"
    living.mkdir()
    dead.mkdir()
    with closing(open_journal(living)) as journal:
        for _ in range(40):
            journal.append(BOOT, [event(log=journal.log)], points(10))
        for part in living.glob("journal.db*"):
            (dead / part.name).write_bytes(part.read_bytes())
    return dead


def test_a_sound_log_costs_no_number(after_a_power_cut: Path) -> None:
    with closing(open_journal(after_a_power_cut)) as journal:
        assert journal.salvaged is None
        assert journal.append(BOOT, [event()], points(1)).tseqs == [401]


@pytest.mark.parametrize("seed", range(8))
def test_a_flipped_bit_in_the_log_of_a_power_cut_makes_no_number_come_twice(after_a_power_cut: Path, seed: int) -> None:
    log = after_a_power_cut / "journal.db-wal"
    image = bytearray(log.read_bytes())
    frames = wal.commits_in_log(after_a_power_cut / "journal.db")[-1]
    image[random.Random(seed).randrange(32, 32 + frames * 4_120)] ^= 16
    log.write_bytes(image)
    with closing(open_journal(after_a_power_cut)) as journal:
        assert journal.salvaged is not None
        assert journal.salvaged.n_bad >= 1
        assert (after_a_power_cut / "quarantine" / journal.salvaged.quarantined).read_bytes() == image
        appended = journal.append(BOOT, [event()], points(1))
        assert appended.seqs[0] > 40
        assert appended.tseqs[0] > 400
        for series in Series:
            assert not unaccounted(after_a_power_cut, journal, series)
    with closing(open_journal(after_a_power_cut)) as journal:
        assert journal.salvaged is None


@pytest.mark.parametrize("place", [0, 10, 20, 28, -4_120, -4_112, -4_100, -4_096, -1])
def test_one_flipped_bit_in_the_log_s_header_or_in_its_last_commit_is_damage(after_a_power_cut: Path, place: int) -> None:
    log = after_a_power_cut / "journal.db-wal"
    image = bytearray(log.read_bytes())
    end = 32 + wal.commits_in_log(after_a_power_cut / "journal.db")[-1] * 4_120
    image[place if place >= 0 else end + place] ^= 16
    log.write_bytes(image)
    with closing(open_journal(after_a_power_cut)) as journal:
        assert journal.salvaged is not None
        assert journal.append(BOOT, [event()]).seqs[0] > 40


@pytest.mark.parametrize("torn", [range(24, 4_120), range(24, 536), range(3_608, 4_120)], ids=["the page", "a sector", "another"])
def test_a_last_commit_that_a_cut_left_in_part_is_no_damage(after_a_power_cut: Path, torn: range) -> None:
    """Nobody was told that it is saved: its numbers are given again, nothing is put away, and no gap is made."""
    log = after_a_power_cut / "journal.db-wal"
    image = bytearray(log.read_bytes())
    start = 32 + (wal.commits_in_log(after_a_power_cut / "journal.db")[-1] - 1) * 4_120
    for at in torn:
        image[start + at] = 0
    log.write_bytes(image)
    with closing(open_journal(after_a_power_cut)) as journal:
        assert journal.salvaged is None
        assert journal.append(BOOT, [event()]).seqs == [40]
    assert not (after_a_power_cut / "quarantine").exists()


def test_a_damaged_log_that_a_full_card_cannot_keep_a_copy_of_makes_no_number_come_twice(
    after_a_power_cut: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, copy: Path) -> None:
        copy.write_bytes(b"the first part")
        raise OSError(errno.ENOSPC, "No space left on device")

    log = after_a_power_cut / "journal.db-wal"
    image = bytearray(log.read_bytes())
    image[100] ^= 16
    log.write_bytes(image)
    monkeypatch.setattr("shutil.copyfile", full)
    with closing(open_journal(after_a_power_cut)) as journal:
        assert journal.salvaged is not None
        assert journal.salvaged.quarantined == "nowhere (no space left on device)"
        assert journal.append(BOOT, [event()], points(1)).tseqs[0] > 400
    assert list((after_a_power_cut / "quarantine").iterdir()) == []


def test_a_log_that_grew_while_somebody_looked_on_is_read_to_its_end(tmp_path: Path) -> None:
    dead = tmp_path / "dead"
    dead.mkdir()
    with closing(open_journal(tmp_path / "living")) as journal, JournalLook(tmp_path / "living" / "journal.db") as look:
        journal.append(BOOT, [event(), event()])
        rows = look.rows()
        next(rows)  # and goes on holding what it reads
        for _ in range(300):
            journal.append(BOOT, [event(filling=20_000)])
        for part in (tmp_path / "living").glob("journal.db*"):
            (dead / part.name).write_bytes(part.read_bytes())
        assert len(list(rows)) == 1
    assert (dead / "journal.db-wal").stat().st_size > schema.WAL_BYTES
    with closing(open_journal(dead)) as journal:
        assert journal.salvaged is None
        assert journal.append(BOOT, [event()]).seqs == [303]


def test_a_log_that_is_none_is_passed_over_as_sqlite_does(folder: Path, reopened: Callable[[], Journal]) -> None:
    (folder / "journal.db-wal").write_bytes(random.Random(1).randbytes(50_000))
    journal = reopened()
    assert everything_waiting(journal, Series.SEQ)[0][1] >= COMMITS
    assert journal.append(BOOT, [event()]).seqs[0] > COMMITS


def test_a_journal_that_cannot_be_opened_may_be_tried_again_in_the_same_process(tmp_path: Path) -> None:
    (tmp_path / "journal.db-wal").mkdir()
    with pytest.raises(JournalError, match="cannot open the journal"):
        open_journal(tmp_path)
    (tmp_path / "journal.db-wal").rmdir()
    open_journal(tmp_path).close()


def test_a_damaged_record_on_a_full_card_stops_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with closing(sqlite3.connect(folder / "journal.db")) as db, db:
        db.execute("UPDATE record_seq SET boot = 'x' WHERE number = 7")
    with closing(open_journal(folder)) as journal, monkeypatch.context() as card:
        card.setattr(Database, "shelve", full)
        assert everything_waiting(journal, Series.SEQ) == [(1, 6), (8, COMMITS)]
        card.undo()
        assert everything_waiting(journal, Series.SEQ) == [(1, COMMITS)]  # room again: a marker stands in its place


def test_numbers_that_are_no_text_any_more_stop_nobody(folder: Path, reopened: Callable[[], Journal]) -> None:
    side = folder / "journal.db.numbers"
    content = side.read_bytes()
    side.write_bytes(content[:10] + b"\xb5" + content[11:])
    assert reopened().append(BOOT, [event()]).seqs == [COMMITS + 1]


@pytest.mark.parametrize(
    ("told", "damaged"),
    [
        (b"number INTEGER", b"nulber INTEGER"),
        (b"number INTEGER", b"n\xedmber INTEGER"),
        (b"STRICT", b"STR\xc9CT"),
        (b"level INTEGER", b"ldvel INTEGER"),
        (b"made_for TEXT", b"made_fov TEXT"),
    ],
)
def test_a_flipped_bit_in_the_tables_own_description_costs_no_row(
    folder: Path, reopened: Callable[[], Journal], told: bytes, damaged: bytes
) -> None:
    image = (folder / "journal.db").read_bytes()
    (folder / "journal.db").write_bytes(image.replace(told, damaged))
    journal = reopened()
    assert journal.salvaged is not None
    assert (journal.salvaged.n_ok, journal.salvaged.n_bad) == (2 * COMMITS, 0)
