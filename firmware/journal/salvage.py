"""What to do when the database is damaged: put it away whole, read what can be read, go on in a fresh file."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from firmware.journal.row import COLUMNS, Row, Series, checked

log = logging.getLogger(__name__)

CHECK_S = 5.0  # a healthy journal of 1 GB is checked in a second or two; a start must not wait longer
STEPS_ONE_BY_ONE = 2_000  # consecutive unreadable numbers after which the search takes longer steps
LONG_STEP = 100


class Salvaged(msgspec.Struct, frozen=True):
    """How a salvage went."""

    quarantined: str  # the damaged file's new name
    n_ok: int
    n_bad: int


def is_sound(connection: sqlite3.Connection) -> bool:
    """SQLite's own check, given up as good after a few seconds: the row hashes find the rest."""
    end_s = time.monotonic() + CHECK_S
    connection.set_progress_handler(lambda: int(time.monotonic() > end_s), 10_000)
    try:
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        return "interrupt" in str(error)
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.set_progress_handler(None, 0)
    return bool(answer) and answer[0] == "ok"


def quarantine(path: Path) -> Path:
    """Move the database and its log into quarantine/; returns the database's new path. Nothing is deleted."""
    folder = path.parent / "quarantine"
    folder.mkdir(exist_ok=True)
    taken = {kept.name for kept in folder.iterdir()}
    name = next(name for n in range(1, 10_000) if (name := f"{path.stem}-{n}{path.suffix}") not in taken)
    for ending in ("-wal", "-shm", ""):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.replace(folder / (name + ending))
    return folder / name


def readable_rows(path: Path, tops: dict[Series, int]) -> Iterator[tuple[Series, Row | None]]:
    """Every row of a damaged database that can still be read, key by key; None stands for one that cannot.

    `tops` says up to which number there is anything to look for.
    """
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.DatabaseError:
        return
    try:
        for series in Series:
            for row in _rows(connection, series, tops[series]):
                yield series, row
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection, series: Series, top: int) -> Iterator[Row | None]:
    query = f"SELECT {COLUMNS}, hash FROM {series.table} WHERE number >= ? ORDER BY number LIMIT 1"  # noqa: S608  names of ours
    number, unreadable = 1, 0
    while number <= top:
        try:
            found = connection.execute(query, (number,)).fetchone()
        except sqlite3.DatabaseError:
            unreadable += 1
            if unreadable == 1:
                yield None
            number += 1 if unreadable < STEPS_ONE_BY_ONE else LONG_STEP
            continue
        if found is None:
            return
        row, good = checked(found)
        unreadable = 0
        yield row if good else None
        number = max(number, row.last) + 1 if good else number + 1


def known_name(path: Path) -> str | None:
    """The journal's name, when a damaged database still tells it."""
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        found = connection.execute("SELECT value FROM fact WHERE name = 'log'").fetchone()
        connection.close()
    except sqlite3.DatabaseError:
        return None
    return found[0] if found else None
