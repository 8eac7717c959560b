"""The journal of a unit that will not start again: copied whole, and read as far as it can be. The card itself is never written."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec

from firmware.journal import salvage, wal
from firmware.journal.database import SIGNED_LEVEL, held_fact
from firmware.journal.numbers import Numbers
from firmware.journal.opening import TOP_UNKNOWN
from firmware.journal.plain_file import is_plain, read_plain
from firmware.journal.row import COLUMNS, JournalError, JournalInUseError, Row, Series, checked
from mqtt import topics
from mqtt.ranges import Ranges

NOTE_BYTES = 1_000  # a file's name


class Remain(msgspec.Struct, frozen=True):
    """A row that can be read, and whether the fleet may not have it."""

    series: Series
    row: Row
    waits: bool


class Remains:
    """What can be read of a copied journal."""

    def __init__(self, connection: sqlite3.Connection, tops: dict[Series, int], unread_commits: int) -> None:
        self._connection = connection
        self._tops = tops
        self._sound = salvage.is_sound(connection)
        self._held = {series: _held(connection, series) for series in Series}
        self.unread_commits = unread_commits  # at its end, in a damaged part of the log
        self.log = salvage.known_name(connection)  # None where nothing tells it

    @property
    def rows(self) -> int | None:
        """How many rows there are; None where that cannot be told."""
        if not self._sound:
            return None
        return sum(int(self._connection.execute(f"SELECT count(*) FROM {series.table}").fetchone()[0]) for series in Series)  # noqa: S608

    @property
    def set_aside(self) -> int:
        """How many records the unit could not send, and put on its shelf."""
        with suppress(*salvage.DAMAGE):
            return int(self._connection.execute("SELECT count(*) FROM aside").fetchone()[0])
        return 0

    def read(self) -> Iterator[Remain | None]:
        """Every row, oldest first, proofs and events before the track; None stands for a place that cannot be read."""
        for series, row in self._in_order() if self._sound else salvage.readable_rows(self._connection, self._tops):
            yield None if row is None else Remain(series, row, self._waits(series, row))

    def pieces(self) -> Iterator[tuple[str, bytes]]:
        """Every readable piece of unfinished work."""
        return (piece for piece in salvage.readable_work(self._connection) if piece is not None)

    def _in_order(self) -> Iterator[tuple[Series, Row | None]]:
        for series in Series:
            last = 0
            try:
                for columns in self._connection.execute(f"SELECT {COLUMNS}, hash FROM {series.table} ORDER BY number"):  # noqa: S608
                    row, good = checked(columns)
                    last = row.last if good else last
                    yield series, row if good else None
            except salvage.DAMAGE:  # what the check had no time for: go on key by key behind what was read
                yield from self._by_key(series, behind=last)

    def _by_key(self, series: Series, behind: int) -> Iterator[tuple[Series, Row | None]]:
        for found, row in salvage.readable_rows(self._connection, self._tops):
            if found is series and (row is None or row.number > behind):
                yield series, row

    def _waits(self, series: Series, row: Row) -> bool:
        unsigned = row.kind == topics.POD.kind and row.level != SIGNED_LEVEL
        return unsigned or not self._held[series].covers(row.number, row.last)


@contextmanager
def remains(path: Path) -> Iterator[Remains]:
    """The journal at a path, by way of a copy that is gone at the end. JournalError when there is none, or nothing of it can be read."""
    _check_dead(path)
    with tempfile.TemporaryDirectory(prefix="roadproof-salvage-") as folder:
        copy = _copied(path, _real(path), Path(folder))
        unread = wal.unread_commits(copy)
        _settle(copy)
        with salvage.opened(copy) as connection:
            if connection is None:
                raise JournalError(f"nothing of {path} can be read; keep the card, its files may still be worth a look by hand")
            _check_ours(connection, path)
            yield Remains(connection, _tops(copy), unread)


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """JournalError for what a unit never makes: a view answers for ever when its author wants it to."""
    with suppress(*salvage.DAMAGE):
        connection.execute("PRAGMA trusted_schema=OFF")
        made = "SELECT count(*) FROM sqlite_master WHERE type = 'view' OR sql LIKE 'CREATE VIRTUAL%'"
        if connection.execute(made).fetchone()[0]:
            raise JournalError(f"{path} was not made by a unit, it holds views: nothing of it is taken")


def _real(path: Path) -> Path:
    """The journal itself, or the one in quarantine/ where the unit died while it saved its records."""
    note = path.with_name(path.name + ".salvage")
    with suppress(OSError, UnicodeDecodeError):
        kept = path.parent / "quarantine" / Path(read_plain(note, NOTE_BYTES).decode()).name
        return kept if is_plain(kept) else path
    return path


def _check_dead(path: Path) -> None:
    """JournalInUseError while a daemon runs on it."""
    lock = path.with_name(path.name + ".lock")
    if not is_plain(lock):
        return
    with suppress(OSError), lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalInUseError(f"a unit runs on the journal at {path}: it sends its records itself; stop it first") from None


def _copied(path: Path, real: Path, folder: Path) -> Path:
    """Database, log and side file in a folder of their own."""
    copy = folder / path.name
    parts = {real: copy, **{one.with_name(one.name + end): folder / (path.name + end) for one, end in ((real, "-wal"), (path, ".numbers"))}}
    try:
        needed = sum(part.stat().st_size for part in parts if is_plain(part))
        if shutil.disk_usage(folder).free < 2 * needed:
            raise JournalError(
                f"reading {path} takes {2 * needed // 1_000_000} MB of room in {folder.parent}: name another folder in TMPDIR"
            )
        for part, target in parts.items():
            if is_plain(part) or part == real:
                shutil.copyfile(part, target)
    except OSError as error:
        raise JournalError(f"{error.filename} cannot be read: {(error.strerror or str(error)).lower()}; try another card reader") from None
    return copy


def _settle(copy: Path) -> None:
    """Take the log into the database, so that what reads it needs no log; a damaged one is read as it is."""
    with suppress(*salvage.DAMAGE), closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _tops(copy: Path) -> dict[Series, int]:
    """Up to which numbers there is anything to look for, in a damaged one."""
    numbers = Numbers(copy.with_name(copy.name + ".numbers"))
    for series in Series:
        numbers.start(series, 0, damaged=True)
    return {series: max(numbers.next[series], TOP_UNKNOWN) for series in Series}


def _held(connection: sqlite3.Connection, series: Series) -> Ranges:
    """The receipted numbers; none where that is damaged: what the fleet has already is found there again."""
    stored = salvage.known_fact(connection, held_fact(series))
    return Ranges(msgspec.json.decode(stored, type=list[tuple[int, int]]) if stored else ())
