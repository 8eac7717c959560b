"""The store in one file: SQLite, durable at each commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fleet.store.database import Dialect, Row, StoreAwayError, StoreError, UnstorableError

DIALECT = Dialect(identity="INTEGER PRIMARY KEY", big="INTEGER", octets="BLOB", schema_lock=None, table_lock=None)
BUSY_MS = 5_000  # another process that writes has this long to finish
SETTINGS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # NORMAL loses committed records at a power cut
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
)


class SqliteDatabase:
    """A connection to one SQLite file; for one thread."""

    dialect = DIALECT

    def __init__(self, path: Path, *, writing: bool = True) -> None:
        self.place = str(path)
        self._path = path
        self._writing = writing
        self._connection: sqlite3.Connection | None = None

    @property
    def connected(self) -> bool:
        """Whether the file is open."""
        return self._connection is not None

    def connect(self) -> None:
        """Open the file; StoreError when it cannot be opened. Only a writer makes it."""
        self.close()
        self._check_place()
        mode = "rwc" if self._writing else "rw"
        try:
            self._connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)
            for setting in SETTINGS if self._writing else SETTINGS[2:]:
                self._connection.execute(setting)
            self._connection.execute("SELECT count(*) FROM sqlite_schema")
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"cannot open the store {self.place}: {error}; check the file and its rights") from None

    def _check_place(self) -> None:
        if not self._path.parent.is_dir():
            raise StoreError(f"there is no folder {self._path.parent} for the store; make it, or name another place in `store`")
        if not self._writing and not self._path.exists():
            raise StoreError(f"there is no store at {self.place}; name it with --store or --config, or start the receiver first")

    def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE: one writer at a time, so rows need no locks of their own."""
        with _told(self.place):
            self._open.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._open.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # SQLite rolls back by itself when the disk is full
                    self._open.execute("ROLLBACK")
                raise

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; the number of rows it changed."""
        with _told(self.place):
            return self._open.execute(sql, values).rowcount

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run one statement for each row; the number of rows changed by all."""
        with _told(self.place):
            return self._open.executemany(sql, rows).rowcount

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of an answer."""
        with _told(self.place):
            return self._open.execute(sql, values).fetchall()

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Generator[Row]:
        """The rows of a long answer, a few at a time."""
        with _told(self.place):
            yield from self._open.execute(sql, values)

    @property
    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreAwayError(f"the store {self.place} is not open")
        return self._connection


@contextmanager
def _told(place: str) -> Iterator[None]:
    """SQLite's errors as the store's."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreAwayError(f"the store {place} cannot be used now: {error}; check its disk") from error
    except (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, OverflowError) as error:
        raise UnstorableError(f"the store {place} does not take a value: {error}") from error
    except sqlite3.ProgrammingError:  # ours
        raise
    except sqlite3.DatabaseError as error:
        raise StoreError(f"the store {place} is damaged: {error}; stop the receiver and restore the newest backup") from error
