"""Batches of the track that were packed ahead, while there was no link: what they hold stands in the rows of the track too.

So they may go at any time, and do when a row under them does (see schema.add_batches): what is sent is packed from the rows then.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from firmware.journal.database import Database
from firmware.journal.row import HASH_BYTES

BATCHES_A_STEP = 20  # what one commit lets go: a pause that nobody notices


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A finished publish."""

    number: int  # the first number it accounts for
    span: int
    made_for: str  # what it depends on besides its rows
    payload: bytes

    @property
    def last(self) -> int:
        """The last number it accounts for."""
        return self.number + self.span - 1

    def digest(self) -> bytes:
        """The hash that is stored beside it."""
        return blake2b(f"{self.number}|{self.span}|{self.made_for}|".encode() + self.payload, digest_size=HASH_BYTES).digest()


class Batches:
    """The table of them; whoever uses it holds the journal's lock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._top: int | None = None  # no batch begins beyond it; None until somebody asks

    def packed_to(self) -> int:
        """The last number that the newest of them accounts for; 0 without any, or where that one is damaged."""
        found = self._database.connection.execute("SELECT number, made_for FROM batch ORDER BY number DESC LIMIT 1").fetchone()
        newest = self._read(*found) if found else None
        return newest.last if newest else 0

    def put(self, batch: Batch) -> None:
        """Keep one, within a commit, in place of what was there."""
        self._database.connection.execute(
            "INSERT OR REPLACE INTO batch VALUES (?, ?, ?, ?, ?)", (*msgspec.structs.astuple(batch), batch.digest())
        )
        self._database.after_commit(lambda: setattr(self, "_top", None))

    def get(self, number: int, made_for: str) -> Batch | None:
        """The one that begins with a number; None where there is none, a damaged one, or one made for something else."""
        if self._top is None:
            self._top = int(self._database.connection.execute("SELECT coalesce(max(number), 0) FROM batch").fetchone()[0])
        return self._read(number, made_for) if number <= self._top else None  # nearly always None, while there is no backlog

    def drop_newest(self) -> bool:
        """Within a commit: let go of some, those that would leave last; False when there are none."""
        few = "SELECT number FROM batch ORDER BY number DESC LIMIT ?"
        return self._database.connection.execute(f"DELETE FROM batch WHERE number IN ({few})", (BATCHES_A_STEP,)).rowcount > 0  # noqa: S608

    def _read(self, number: int, made_for: str) -> Batch | None:
        found = self._database.connection.execute("SELECT span, payload, hash FROM batch WHERE number = ?", (number,)).fetchone()
        if found is None or not (isinstance(found[0], int) and isinstance(found[1], bytes)):
            return None
        batch = Batch(number=number, span=found[0], made_for=made_for, payload=found[1])
        return batch if batch.digest() == found[2] else None
