"""How the journal's database is opened and made; migrations are functions with names, run in order."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from firmware.journal.row import JournalError, Series, lenient_text

APPLICATION_ID = 0x52505246  # "RPRF", so that `file` tells a journal from another database
PAGE_BYTES = 4_096
CHECKPOINT_PAGES = 1_000
LONGEST_BATCH = 300  # numbers of the track in one publish
LARGE_COMMIT_PAGES = 64  # the log is emptied after the commit that fills it: a large proof may still go beyond
WAL_BYTES = 32 + (CHECKPOINT_PAGES + LARGE_COMMIT_PAGES) * (24 + PAGE_BYTES)

# FULL: a commit is on the card before it returns; NORMAL loses committed rows in a power cut.
# The limit on the log's size is far away: a log that is cut down and grown again costs metadata writes at every commit.
PRAGMAS = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
PRAGMA journal_size_limit = -1;
PRAGMA trusted_schema = OFF;
PRAGMA busy_timeout = 5000;
PRAGMA cache_size = -512;
PRAGMA temp_store = MEMORY;
"""


def connect(path: Path, quota_bytes: int, *, before_writing: Callable[[], None] = lambda: None) -> sqlite3.Connection:
    """Open, or make, the journal for its one owner; sqlite3.DatabaseError when the file is damaged.

    `before_writing` is called when the log was read and nothing was written to it yet.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.text_factory = lenient_text
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.executescript(PRAGMAS)
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        before_writing()
        migrate(connection, path)
        connection.execute(f"PRAGMA max_page_count = {max(quota_bytes // PAGE_BYTES, 32)}")
    except BaseException:
        connection.close()
        raise
    _grow_log(path)
    return connection


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open for a look while the daemon runs; JournalError when there is nothing to look at."""
    if not path.exists():
        raise JournalError(f"there is no journal at {path}; the daemon makes it at its first start")
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.DatabaseError as error:
        raise JournalError(f"cannot read the journal at {path}: {error}") from None
    connection.text_factory = lenient_text
    try:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    except sqlite3.DatabaseError as error:
        connection.close()
        raise JournalError(f"cannot read the journal at {path}: {error}") from None
    if not tables.issuperset(series.table for series in Series):
        connection.close()
        raise JournalError(f"{path} is no journal, or its first start was cut off")
    return connection


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables to the newest version; JournalError when a newer firmware made them."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise JournalError(f"{path} was made by a newer firmware (journal version {version}); update this one")
    for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        step(connection)
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")


def make_tables(connection: sqlite3.Connection) -> None:
    """Version 1: a table a series, a shelf for what was set aside, and a few facts about the journal itself."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for series in Series:
        connection.execute(
            f"""CREATE TABLE {series.table} (
                number INTEGER PRIMARY KEY, span INTEGER NOT NULL, kind TEXT NOT NULL, boot TEXT NOT NULL, made_ms INTEGER NOT NULL,
                level INTEGER NOT NULL, payload BLOB NOT NULL, hash BLOB NOT NULL) STRICT"""
        )
    connection.execute(
        """CREATE TABLE aside (
            id INTEGER PRIMARY KEY, series TEXT NOT NULL, number INTEGER NOT NULL, span INTEGER NOT NULL, kind TEXT NOT NULL,
            reason TEXT NOT NULL, payload BLOB NOT NULL) STRICT"""
    )
    connection.execute("CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")


def add_work(connection: sqlite3.Connection) -> None:
    """Version 2: a table for work in progress, one piece a row. Its rows keep the order in which their names first came."""
    connection.execute("CREATE TABLE work (name TEXT PRIMARY KEY, value BLOB NOT NULL, hash BLOB NOT NULL) STRICT")


def add_batches(connection: sqlite3.Connection) -> None:
    """Version 3: a table for batches of the track packed ahead. One goes with the first of its rows that goes or is replaced.

    Those of a batch begin less than LONGEST_BATCH numbers behind it.
    """
    table = Series.TSEQ.table
    connection.execute(
        """CREATE TABLE batch (
            number INTEGER PRIMARY KEY, span INTEGER NOT NULL, made_for TEXT NOT NULL, payload BLOB NOT NULL, hash BLOB NOT NULL) STRICT"""
    )
    connection.execute(
        f"""CREATE TRIGGER stale_batch AFTER DELETE ON {table} BEGIN
            DELETE FROM batch WHERE number BETWEEN old.number - {LONGEST_BATCH} + 1 AND old.number AND number + span > old.number; END"""  # noqa: S608
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (make_tables, add_work, add_batches)


def _grow_log(path: Path) -> None:
    """Give the write-ahead log its full length now: a commit that also grows the file writes half as much again.

    SQLite reads a log only as far as its checksums hold, so the zeros behind are as good as no bytes.
    """
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size < WAL_BYTES:
        descriptor = os.open(wal, os.O_RDWR)
        try:
            os.posix_fallocate(descriptor, 0, WAL_BYTES)
            os.fsync(descriptor)
        except OSError:
            return  # a nearly full card: the log grows as it must
        finally:
            os.close(descriptor)
