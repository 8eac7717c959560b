"""How a row and a fact are read and written, and what one commit is."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import msgspec

from firmware.journal import schema
from firmware.journal.row import COLUMNS, PLACES, Row, Series, checked, piece_digest, sealed, unsealed, values
from mqtt import topics
from mqtt.ranges import Span

SIGNED_LEVEL = 1  # of a proof's row, when the receiver signed for it: proofs are never thinned, their level is free to say so
UNSIGNED = f"kind = '{topics.POD.kind}' AND level = 0"


def held_fact(series: Series) -> str:
    """Under which name the receipted numbers are saved."""
    return f"receipted_{series.value}"


def is_full(error: Exception) -> bool:
    """Whether a write failed because there is no room: SQLite's quota, or the card itself."""
    return "full" in str(error) or getattr(error, "errno", None) == errno.ENOSPC


class Database:
    """The one connection that writes; whoever uses it holds the journal's lock. A row's key is the first number it accounts for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._after_commit: list[Callable[[], None]] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One commit: when this ends well, what was written within is on the card; else none of it is."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            self._after_commit.clear()
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        done, self._after_commit = self._after_commit, []
        for act in done:
            act()

    def after_commit(self, act: Callable[[], None]) -> None:
        """Within a transaction: do this when it is on the card, and not at all when it is rolled back."""
        self._after_commit.append(act)

    @property
    def used_bytes(self) -> int:
        """Bytes in use, free pages not counted."""
        return (self._pragma("page_count") - self._pragma("freelist_count")) * schema.PAGE_BYTES

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """Let go of the file when what is done within fails."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    # --- facts

    def fact(self, name: str) -> str | None:
        """What is noted under a name; None when nothing is, or it is damaged."""
        found = self.connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return unsealed(name, found[0]) if found else None

    def put_fact(self, name: str, value: str) -> None:
        """Note it, in place of what was there."""
        self.connection.execute(
            "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, sealed(name, value))
        )

    def held(self, series: Series) -> list[Span]:
        """The receipted numbers as they were last saved."""
        stored = self.fact(held_fact(series))
        return msgspec.json.decode(stored, type=list[tuple[int, int]]) if stored else []

    def put_held(self, series: Series, held: Iterable[Span]) -> None:
        """Save them."""
        self.put_fact(held_fact(series), msgspec.json.encode(list(held)).decode())

    # --- work in progress

    def pieces(self) -> list[tuple[str, bytes, bool]]:
        """Name and value of every piece, and whether it is undamaged; in the order in which the names first came."""
        found = self.connection.execute("SELECT name, value, hash FROM work ORDER BY rowid").fetchall()
        return [(name, value, piece_digest(name, value) == stored) for name, value, stored in found]

    def put_piece(self, name: str, value: bytes | None) -> None:
        """Keep a piece in place of what was there under its name; None: keep nothing."""
        if value is None:
            self.connection.execute("DELETE FROM work WHERE name = ?", (name,))
            return
        self.connection.execute(
            "INSERT INTO work VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value, hash = excluded.hash",
            (name, value, piece_digest(name, value)),
        )

    def shelve_piece(self, name: str, value: bytes, reason: str) -> None:
        """Move a damaged piece to the shelf."""
        self.connection.execute(
            "INSERT INTO aside (series, number, span, kind, reason, payload) VALUES ('work', 0, 0, ?, ?, ?)", (name, reason, value)
        )
        self.put_piece(name, None)

    # --- one row

    def put(self, series: Series, row: Row) -> None:
        """Add a row."""
        self.connection.execute(f"INSERT INTO {series.table} VALUES ({PLACES})", values(row))  # noqa: S608

    def row(self, series: Series, key: int) -> tuple[Row, bool] | None:
        """The row and whether it is undamaged; None when there is none."""
        found = self.connection.execute(f"SELECT {COLUMNS}, hash FROM {series.table} WHERE number = ?", (key,)).fetchone()  # noqa: S608
        return checked(found) if found else None

    def delete(self, series: Series, key: int) -> None:
        """Delete a row."""
        self.connection.execute(f"DELETE FROM {series.table} WHERE number = ?", (key,))  # noqa: S608

    def shelve(self, series: Series, row: Row, span: int, reason: str) -> None:
        """Move a row to the shelf; `span` because a damaged row's own says nothing."""
        self.connection.execute(
            "INSERT INTO aside (series, number, span, kind, reason, payload) VALUES (?, ?, ?, ?, ?, ?)",
            (series.value, row.number, span, row.kind, reason, row.payload),
        )
        self.delete(series, row.number)

    # --- rows in order

    def rows_from(self, series: Series, key: int, limit: int) -> Iterator[tuple[Row, bool]]:
        """The rows from a key on, fetched at once: they may be deleted meanwhile."""
        query = f"SELECT {COLUMNS}, hash FROM {series.table} WHERE number >= ? ORDER BY number LIMIT ?"  # noqa: S608
        return map(checked, self.connection.execute(query, (key, limit)).fetchall())

    def oldest(self, series: Series, key: int, limit: int) -> list[tuple[int, int, int]]:
        """Key, span and `made_ms` of the oldest rows from a key on that a plain receipt lets go."""
        query = f"SELECT number, span, made_ms FROM {series.table} WHERE number >= ? AND NOT ({UNSIGNED}) ORDER BY number LIMIT ?"  # noqa: S608
        return self.connection.execute(query, (key, limit)).fetchall()

    def delete_between(self, series: Series, first: int, last: int) -> None:
        """Delete the rows that a plain receipt lets go, both these keys included."""
        query = f"DELETE FROM {series.table} WHERE number BETWEEN ? AND ? AND NOT ({UNSIGNED})"  # noqa: S608
        self.connection.execute(query, (first, last))

    def unsigned(self, key: int, limit: int) -> list[tuple[Row, bool]]:
        """The proofs from a key on that no signed receipt let go."""
        query = f"SELECT {COLUMNS}, hash FROM {Series.SEQ.table} WHERE number >= ? AND {UNSIGNED} ORDER BY number LIMIT ?"  # noqa: S608
        return [checked(found) for found in self.connection.execute(query, (key, limit)).fetchall()]

    # --- keys and numbers

    def keys(self, series: Series, kind: str, boot: str) -> list[int]:
        """The keys of one kind's rows of one start."""
        query = f"SELECT number FROM {series.table} WHERE kind = ? AND boot = ? ORDER BY number"  # noqa: S608
        return [key for (key,) in self.connection.execute(query, (kind, boot)).fetchall()]

    def key_with(self, series: Series, number: int) -> int:
        """The key of the row that accounts for a number, or the number itself where none lies at or before it."""
        query = f"SELECT number FROM {series.table} WHERE number <= ? ORDER BY number DESC LIMIT 1"  # noqa: S608
        found = self.connection.execute(query, (number,)).fetchone()
        return int(found[0]) if found else number

    def key_from(self, series: Series, number: int) -> int | None:
        """The first key from a number on, None when there is none."""
        query = f"SELECT min(number) FROM {series.table} WHERE number >= ?"  # noqa: S608
        found: int | None = self.connection.execute(query, (number,)).fetchone()[0]
        return found

    def spans(self, series: Series, first: int, last: int) -> list[Span]:
        """The first and the last number of every row whose key lies between, both included."""
        query = f"SELECT number, number + span - 1 FROM {series.table} WHERE number BETWEEN ? AND ? ORDER BY number"  # noqa: S608
        return self.connection.execute(query, (first, last)).fetchall()

    def top(self, series: Series) -> int:
        """The highest number that a row accounts for, 0 without any."""
        query = f"SELECT number + span - 1 FROM {series.table} ORDER BY number DESC LIMIT 1"  # noqa: S608
        found = self.connection.execute(query).fetchone()
        return int(found[0]) if found else 0

    def _pragma(self, name: str) -> int:
        return int(self.connection.execute(f"PRAGMA {name}").fetchone()[0])
