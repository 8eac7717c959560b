"""What to do when the database is damaged: put it away whole, read what can be read, go on in a fresh file."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from firmware.journal import schema
from firmware.journal.row import COLUMNS, Row, Series, checked, lenient_text, piece_digest, unsealed
from mqtt import topics
from mqtt.durable import write_durably

log = logging.getLogger(__name__)

DAMAGE = (sqlite3.DatabaseError, UnicodeDecodeError)  # SQLite quotes damaged names in its sentences, and they may be no text any more
CHECK_S = 5.0  # a healthy journal of 1 GB is checked in a second or two; a start must not wait longer
STEPS_ONE_BY_ONE = 2_000  # consecutive unreadable numbers after which the search takes longer steps
LONG_STEP = 100
PIECES_SOUGHT = 5_000  # places in the table of unfinished work that are tried: a day has some hundreds
NEAR = 1_000  # a damaged row this far ahead still names its own number rightly, as far as one can tell
ENDINGS = ("-wal", "-shm", "")  # the database itself last: once it is moved, all is
SIZE_AT, FREE_LIST_AT, VALID_FOR_AT, CHANGES_AT = 28, 32, 92, 24  # in the first page, see SQLite's file format, 1.3

# Every column, and what hangs on a row that comes or goes.
TABLES = {
    **{series.table: f"{COLUMNS}, hash" for series in Series},
    "aside": "id, series, number, span, kind, reason, payload",
    "fact": "name, value",
    "work": "name, value, hash",
    "batch": "number, span, made_for, payload, hash",
}
NEEDED = tuple(
    f"{act} {table}"
    for table, columns in TABLES.items()
    for act in (f"SELECT {columns} FROM", f"INSERT INTO {table} ({columns}) SELECT {columns} FROM", "DELETE FROM")
)


class Salvaged(msgspec.Struct, frozen=True):
    """How a salvage went."""

    quarantined: str  # the damaged file's new name
    n_ok: int
    n_bad: int


def is_damage(error: Exception) -> bool:
    """Whether SQLite failed because of what is in the file: not because it is locked, read-only, or the card full."""
    return not isinstance(error, sqlite3.OperationalError) or error.sqlite_errorcode == sqlite3.SQLITE_ERROR  # "no such column"


def is_sound(connection: sqlite3.Connection) -> bool:
    """SQLite's own check, given up as good after a few seconds: the row hashes find the rest. Columns it knows by any name."""
    end_s = time.monotonic() + CHECK_S
    connection.set_progress_handler(lambda: int(time.monotonic() > end_s), 10_000)
    try:
        for statement in NEEDED:
            connection.execute(f"EXPLAIN {statement}")
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        return "interrupt" in str(error)
    except DAMAGE:
        return False
    finally:
        connection.set_progress_handler(None, 0)
    return bool(answer) and answer[0] == "ok"


def keep_log(path: Path) -> Path:
    """A copy of the write-ahead log in quarantine/, before it is overwritten; OSError when there is no room for one."""
    folder = path.parent / "quarantine"
    folder.mkdir(exist_ok=True)
    taken = {kept.name for kept in folder.iterdir()}
    name = next(name for n in range(1, 10_000) if (name := f"{path.stem}-log-{n}{path.suffix}-wal") not in taken)
    copy = folder / name
    try:
        return Path(shutil.copyfile(path.with_name(path.name + "-wal"), copy))
    except OSError:
        copy.unlink(missing_ok=True)  # a part of it takes room and is of no use
        raise


def is_unfinished(path: Path) -> bool:
    """Whether a salvage was cut off: what stands at the path is its first part, or still the damaged database."""
    return _note(path).exists()


def finish(path: Path) -> None:
    """The salvage is complete and on the card."""
    _note(path).unlink()


def quarantine(path: Path) -> Path:
    """Move the database and its log into quarantine/; returns the database's new path. Goes on where a salvage was cut off."""
    folder, note = path.parent / "quarantine", _note(path)
    folder.mkdir(exist_ok=True)
    if not note.exists():
        taken = {kept.name for kept in folder.iterdir()}
        write_durably(note, next(name for n in range(1, 10_000) if (name := f"{path.stem}-{n}{path.suffix}") not in taken).encode())
    kept = folder / note.read_text(encoding="utf-8")
    moved_before = kept.exists()
    for ending in ENDINGS:
        part = path.with_name(path.name + ending)
        if moved_before:
            part.unlink(missing_ok=True)
        elif part.exists():
            part.replace(kept.with_name(kept.name + ending))
    return kept


def _note(path: Path) -> Path:
    """The file that names the quarantined database for as long as its records are not all saved."""
    return path.with_name(path.name + ".salvage")


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A damaged database, opened for reading; None when it cannot be.

    Where its first page is gone, or it was cut short, a copy is read whose first page is that of a new journal: the tables are at the
    same places in both. The database itself stays as it is.
    """
    copy = path.with_name(path.name + ".readable")
    connection = None
    try:
        if connection := _opened(path):
            yield connection
        elif shutil.disk_usage(path.parent).free < 2 * path.stat().st_size:
            log.error("there is no room to copy %s, whose first page is damaged; free some and read it by hand", path)
            yield None
        else:
            _copy_readable(path, copy)
            connection = _opened(copy)
            yield connection
    finally:
        if connection:
            connection.close()
        for ending in ENDINGS:
            copy.with_name(copy.name + ending).unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection | None:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    connection.text_factory = lenient_text
    try:
        for series in Series:
            connection.execute(f"SELECT {COLUMNS}, hash FROM {series.table} LIMIT 0")  # noqa: S608  names of ours
    except DAMAGE as error:
        log.warning("%s: %s", path, error)
        connection.close()
        return None
    return connection


def _copy_readable(path: Path, copy: Path) -> None:
    schema.connect(copy, 0).close()
    first = bytearray(copy.read_bytes()[: schema.PAGE_BYTES])
    shutil.copyfile(path, copy)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        shutil.copyfile(wal, copy.with_name(copy.name + "-wal"))
    pages = -(-path.stat().st_size // schema.PAGE_BYTES)
    first[SIZE_AT:FREE_LIST_AT] = pages.to_bytes(4, "big")
    first[VALID_FOR_AT : VALID_FOR_AT + 4] = first[CHANGES_AT : CHANGES_AT + 4]
    with copy.open("r+b") as file:
        file.write(first)


def readable_rows(connection: sqlite3.Connection, tops: dict[Series, int]) -> Iterator[tuple[Series, Row | None]]:
    """Every row of a damaged database that can still be read, key by key; None stands for a place where some cannot.

    `tops` says up to which number there is anything to look for.
    """
    for series in Series:
        for row in _rows(connection, series, tops[series]):
            yield series, row


def _rows(connection: sqlite3.Connection, series: Series, top: int) -> Iterator[Row | None]:
    query = f"SELECT {COLUMNS}, hash FROM {series.table} WHERE number >= ? ORDER BY number LIMIT 1"  # noqa: S608  names of ours
    number, unreadable = 1, 0
    while number <= top:
        try:
            found = connection.execute(query, (number,)).fetchone()
        except DAMAGE:
            row, good = None, False
        else:
            if found is None:
                return
            row, good = checked(found)
        if row is not None and good and row.number >= number:
            unreadable = 0
            yield row
            number = row.last + 1
            continue
        if not unreadable:
            yield None
        if row is not None and number <= row.number < number + NEAR:
            number, unreadable = row.number + 1, 0
        else:
            unreadable += 1
            number += 1 if unreadable < STEPS_ONE_BY_ONE else LONG_STEP


def known_name(connection: sqlite3.Connection) -> str | None:
    """The journal's name, when a damaged database still tells it: as a fact, or in an event."""
    if name := known_fact(connection, "log"):
        return name
    for row in _rows(connection, Series.SEQ, NEAR):
        if row is not None and row.kind == topics.EVENT.kind:
            return msgspec.json.decode(row.payload, type=_Named).log
    return None


def known_fact(connection: sqlite3.Connection, name: str) -> str | None:
    """A fact of a damaged database, None where it cannot be read."""
    try:
        found = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
    except DAMAGE:
        return None
    return unsealed(name, found[0]) if found else None


def readable_work(connection: sqlite3.Connection) -> Iterator[tuple[str, bytes] | None]:
    """Every piece of unfinished work that can still be read, place by place; None stands for one that is damaged.

    A journal of version 1 has none. Where the first page is gone and the table was added to a version 1, it is not found.
    """
    query = "SELECT rowid, name, value, hash FROM work WHERE rowid >= ? ORDER BY rowid LIMIT 1"
    place, unreadable = 1, False
    while place <= PIECES_SOUGHT:
        try:
            found = connection.execute(query, (place,)).fetchone()
        except sqlite3.OperationalError:
            return  # there is no such table
        except DAMAGE:
            if not unreadable:
                yield None
            place, unreadable = place + 1, True
            continue
        if found is None:
            return
        row, name, value, stored = found
        good = isinstance(name, str) and isinstance(value, bytes) and piece_digest(name, value) == stored
        yield (name, value) if good else None
        place, unreadable = max(row, place) + 1, False


class _Named(msgspec.Struct):
    """Of an event's payload the part that names the journal."""

    log: str
