"""A record as the journal keeps it, with a hash that finds what SQLite cannot see: a flipped bit inside a row."""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b

import msgspec

HASH_BYTES = 8


class JournalError(Exception):
    """The journal cannot be used; the sentence says why and what to do."""


class JournalInUseError(JournalError):
    """Another process owns the journal."""


class JournalFullError(JournalError):
    """There is no room left, not even with the reserve."""


class Series(StrEnum):
    """The two series of numbers; the value is the field's name on the wire."""

    SEQ = "seq"  # events, proofs, replies: never thinned
    TSEQ = "tseq"  # fixes

    @property
    def table(self) -> str:
        """The table that holds it."""
        return f"record_{self.value}"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row: an event with its finished payload, or the fixes of one commit as columns."""

    number: int  # the first number it accounts for
    span: int  # how many numbers it accounts for
    kind: str  # "event", "track"
    boot: str
    made_ms: int  # UTC as far as it was known
    level: int = 0  # how often it was thinned
    payload: bytes

    @property
    def last(self) -> int:
        """The last number it accounts for."""
        return self.number + self.span - 1

    def digest(self) -> bytes:
        """The hash that is stored beside the row."""
        told = f"{self.number}|{self.span}|{self.kind}|{self.boot}|{self.made_ms}|{self.level}|".encode()
        return blake2b(told + self.payload, digest_size=HASH_BYTES).digest()


def sealed(name: str, value: str) -> str:
    """A fact as it is stored: its hash before it, because a flipped bit would make another number of it."""
    return f"{_seal(name, value)} {value}"


def unsealed(name: str, stored: str) -> str | None:
    """The fact, None when it is damaged."""
    seal, _, value = stored.partition(" ")
    return value if seal == _seal(name, value) else None


def _seal(name: str, value: str) -> str:
    return blake2b(f"{name}|{value}".encode(), digest_size=HASH_BYTES).hexdigest()


def piece_digest(name: str, value: bytes) -> bytes:
    """The hash that is stored beside a piece of work in progress."""
    return blake2b(f"{name}|".encode() + value, digest_size=HASH_BYTES).digest()


def lenient_text(stored: bytes) -> str:
    """Text of a damaged row must not stop the reader: its hash says that it is damaged."""
    return stored.decode(errors="replace")


FIELDS = Row.__struct_fields__
COLUMNS = ", ".join(FIELDS)
PLACES = ", ".join("?" for _ in (*FIELDS, "hash"))


def values(row: Row) -> tuple[object, ...]:
    """The row as an INSERT wants it, hash last."""
    return (*msgspec.structs.astuple(row), row.digest())


def checked(columns: tuple[object, ...]) -> tuple[Row, bool]:
    """A fetched row (hash last) and whether it is what was written; a value of a wrong type is damage too."""
    *fields, stored = columns
    try:
        row = msgspec.convert(dict(zip(FIELDS, fields, strict=True)), Row)
    except msgspec.ValidationError:
        number = fields[0] if isinstance(fields[0], int) else 0
        return Row(number=number, span=1, kind="", boot="", made_ms=0, payload=repr(fields).encode()), False
    return row, row.digest() == stored
