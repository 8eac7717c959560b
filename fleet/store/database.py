"""What the store asks of a database, and how a database says that it cannot."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec

Row = tuple[Any, ...]


class StoreError(Exception):
    """The store cannot be used; the sentence says what to do."""


class StoreAwayError(StoreError):
    """The database cannot be reached or cannot write now; later it may. Nothing of the transaction was kept."""


class TryAgainError(StoreAwayError):
    """The transaction lost a race against another receiver; it can be repeated at once."""


class UnstorableError(StoreError):
    """The database refuses a value; nothing of the transaction was kept."""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """The words in which databases differ."""

    identity: str  # type of a key that counts by itself
    big: str  # type of a 64-bit integer
    octets: str  # type of raw bytes
    schema_lock: str | None  # keeps a second receiver out while the schema is made
    table_lock: str | None  # keeps others out of {table} to the end of a transaction; None where a transaction has the database for itself


class Database(Protocol):
    """One connection. SQL has `?` for values and is written once for every database."""

    place: str  # for people; holds no password
    dialect: Dialect

    def connect(self) -> None:
        """Open, or open again."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection to use."""

    def close(self) -> None:
        """Let go; an open transaction is lost."""

    def transaction(self) -> AbstractContextManager[None]:
        """BEGIN for writing; COMMIT at the end, ROLLBACK on an error. After it returns the data is durable."""

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; the number of rows it changed."""

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run one statement for each row; the number of rows changed by all."""

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of an answer."""

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Generator[Row]:
        """The rows of a long answer, a few at a time."""
