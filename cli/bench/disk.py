"""What this disk asks for a commit, to compare ours with."""

from __future__ import annotations

import os
import time
from pathlib import Path

from firmware.journal import schema
from firmware.journal.database import Database

COMMITS = 200
QUOTA_BYTES = 100_000_000


def bare_commits_ms(path: Path, size: int) -> list[float]:
    """How long each of many commits of one row of so many bytes takes, in a new database set up as the journal is."""
    connection = schema.connect(path, QUOTA_BYTES)
    try:
        database = Database(connection)
        return [_commit_ms(database, f"row {number % 10}", os.urandom(size)) for number in range(COMMITS)]
    finally:
        connection.close()


def pieces_of(journal: Path) -> dict[str, bytes]:
    """The work in progress in a journal, read from outside."""
    connection = schema.connect_read_only(journal)
    try:
        return {name: value for name, value, _ in Database(connection).pieces()}
    finally:
        connection.close()


def _commit_ms(database: Database, name: str, value: bytes) -> float:
    began_s = time.perf_counter()
    with database.transaction():
        database.put_piece(name, value)
    return (time.perf_counter() - began_s) * 1000
