"""Pieces of attachments: each held once, told without holes, and whole only when the hash of all of them fits."""

from __future__ import annotations

import hashlib

from fleet.intake import Blob, Refused
from fleet.proofs import Announced
from fleet.rows import AttachmentRow
from fleet.store.database import Database
from mqtt.messages import BlobHeld
from mqtt.topics import BLOB_CHUNK_BYTES

INSERT_PIECE = "INSERT INTO blob (unit, sha, at_byte, received_ms, payload) VALUES (?, ?, ?, ?, ?)"
PIECES = "SELECT at_byte, length(payload) FROM blob WHERE unit = ? AND sha = ? ORDER BY at_byte"
AROUND = """SELECT at_byte, payload FROM blob WHERE unit = ? AND sha = ? AND at_byte < ? AND at_byte + length(payload) > ?
    ORDER BY at_byte"""
PAYLOADS = "SELECT payload FROM blob WHERE unit = ? AND sha = ? AND at_byte < ? ORDER BY at_byte"
ANNOUNCE = """INSERT INTO attachment (unit, sha, sealed_bytes, sha256, mime) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (unit, sha) DO UPDATE SET sealed_bytes = excluded.sealed_bytes, sha256 = excluded.sha256, mime = excluded.mime,
        unnamed_bytes = NULL
    WHERE attachment.sealed_bytes IS NULL OR (? AND attachment.whole_ms IS NULL)"""
NAMED = """SELECT unit, sha, sha256, mime, whole_ms FROM attachment WHERE sha LIKE ? OR sha256 LIKE ? ORDER BY unit, sha"""
UNNAMED = "SELECT coalesce(sum(unnamed_bytes), 0) FROM attachment WHERE unit = ? AND unnamed_bytes IS NOT NULL"
COUNT_UNNAMED = """INSERT INTO attachment (unit, sha, unnamed_bytes) VALUES (?, ?, ?)
    ON CONFLICT (unit, sha) DO UPDATE SET unnamed_bytes = coalesce(attachment.unnamed_bytes, 0) + excluded.unnamed_bytes"""
UNNAMED_LIMIT_BYTES = 256 * 1024 * 1024  # of a unit's attachments that no proof and no event has named yet: a thousand photos
PIECES_LIMIT = 8_192  # of the largest attachment, 512 bytes each: a unit that sends single bytes must not keep the store busy
UNFINISHED = """SELECT sha FROM attachment WHERE unit = ? AND sealed_bytes IS NOT NULL AND whole_ms IS NULL
    ORDER BY sha < ?, sha LIMIT ?"""
ASKED_LIMIT = 20  # in one receipt, 2 kB: a unit that lost photos for good must not pay for each of them every quarter of an hour
WHOLE = """INSERT INTO attachment (unit, sha, whole_ms) VALUES (?, ?, ?)
    ON CONFLICT (unit, sha) DO UPDATE SET whole_ms = excluded.whole_ms"""
OTHER_BYTES = "other bytes are held at this place of the attachment"
TOO_MANY = "the attachment comes in too many small pieces"
TOO_MUCH = "too many attachments of the unit are named by no proof and no event: is its certificate known?"
TOO_LONG = "the piece goes beyond the length that the record tells"
WRONG_HASH = "all pieces of the attachment are there and their SHA-256 is another: dropped, and asked for again"


def take(db: Database, piece: Blob, at_ms: int) -> tuple[int, str | None]:
    """Write what is new of a piece, and see that the rest is held: the number of rows, and the reason when it is refused."""
    begin, end = piece.at_byte, piece.at_byte + len(piece.payload)
    _, sealed_bytes = _known(db, piece.unit, piece.sha)
    if sealed_bytes is not None and end > sealed_bytes:
        return 0, TOO_LONG
    if (fault := _no_room(db, piece, named=sealed_bytes is not None)) is not None:
        return 0, fault
    free: list[tuple[int, int]] = []
    for at_byte, held in db.query(AROUND, (piece.unit, piece.sha, end, begin)):
        low, high = max(at_byte, begin), min(at_byte + len(held), end)
        if held[low - at_byte : high - at_byte] != piece.payload[low - piece.at_byte : high - piece.at_byte]:
            return 0, OTHER_BYTES
        free += [(begin, low)] if begin < low else []
        begin = high
    free += [(begin, end)] if begin < end else []
    for low, high in free:
        part = piece.payload[low - piece.at_byte : high - piece.at_byte]
        db.execute(INSERT_PIECE, (piece.unit, piece.sha, low, at_ms, part))
    if free and sealed_bytes is None:
        db.execute(COUNT_UNNAMED, (piece.unit, piece.sha, BLOB_CHUNK_BYTES * len(free)))
    return len(free), None


def _no_room(db: Database, piece: Blob, *, named: bool) -> str | None:
    """Why a piece is one too many."""
    ((pieces,),) = db.query("SELECT count(*) FROM blob WHERE unit = ? AND sha = ?", (piece.unit, piece.sha))
    if pieces >= PIECES_LIMIT:
        return TOO_MANY
    if not named and db.query(UNNAMED, (piece.unit,))[0][0] >= UNNAMED_LIMIT_BYTES:
        return TOO_MUCH
    return None


def announce(db: Database, unit: str, told: Announced) -> None:
    """Remember how long an attachment is; what goes beyond it cannot belong to it. What is whole stays as it is, whatever is said later."""
    db.execute(ANNOUNCE, (unit, told.sha, told.sealed_bytes, told.sha256, told.mime, told.good))
    whole, sealed_bytes = _known(db, unit, told.sha)
    if not whole:
        db.execute("DELETE FROM blob WHERE unit = ? AND sha = ? AND at_byte + length(payload) > ?", (unit, told.sha, sealed_bytes))


def named(db: Database, start: str) -> list[AttachmentRow]:
    """Attachments whose hash, sealed or opened, begins like this: hexadecimal digits only."""
    found = db.query(NAMED, (start + "%", start + "%"))
    return [AttachmentRow(**dict(zip(AttachmentRow.__struct_fields__, row, strict=True))) for row in found]


def assess(db: Database, unit: str, sha: str, at_ms: int) -> tuple[BlobHeld, Refused | None]:
    """What is held of an attachment after this commit's pieces; it becomes whole here."""
    whole, sealed_bytes = _known(db, unit, sha)
    upto, last = _without_hole(db, unit, sha)
    ends = upto == sealed_bytes if sealed_bytes is not None else 0 < last < BLOB_CHUNK_BYTES
    if whole or not ends:
        return BlobHeld(upto=upto, whole=whole), None
    if _hash(db, unit, sha, upto) == sha:
        db.execute(WHOLE, (unit, sha, at_ms))
        return BlobHeld(upto=upto, whole=True), None
    if sealed_bytes is None:  # a short piece that may not be the last: the record will tell
        return BlobHeld(upto=upto), None
    db.execute("DELETE FROM blob WHERE unit = ? AND sha = ?", (unit, sha))
    return BlobHeld(upto=0), Refused(topic=f"rp/v1/{unit}/up/blob/{sha}", payload=b"", reason=WRONG_HASH)


def unfinished(db: Database, unit: str, at_ms: int) -> list[str]:
    """Attachments that records of a unit name and that are not whole here, a few: others at another time.

    The unit may believe that they arrived, and let them go soon: a restored backup holds the record and not the photo that came after it.
    """
    begins = hashlib.sha256(str(at_ms).encode()).hexdigest()  # anywhere: what will never come must not stand before the rest for ever
    return [sha for (sha,) in db.query(UNFINISHED, (unit, begins, ASKED_LIMIT))]


def sealed(db: Database, unit: str, sha: str) -> bytes | None:
    """All of an attachment as it was sent; None while it is not whole."""
    whole, _ = _known(db, unit, sha)
    upto, _ = _without_hole(db, unit, sha)
    return b"".join(bytes(payload) for (payload,) in db.query(PAYLOADS, (unit, sha, upto))) if whole else None


def _known(db: Database, unit: str, sha: str) -> tuple[bool, int | None]:
    """Whether it is whole, and its length where a record told it."""
    rows = db.query("SELECT whole_ms, sealed_bytes FROM attachment WHERE unit = ? AND sha = ?", (unit, sha))
    return (rows[0][0] is not None, rows[0][1]) if rows else (False, None)


def _without_hole(db: Database, unit: str, sha: str) -> tuple[int, int]:
    """The bytes held from the start on, and the length of the last piece among them."""
    upto, last = 0, 0
    for at_byte, length in db.query(PIECES, (unit, sha)):
        if at_byte != upto:
            break
        upto, last = at_byte + length, length
    return upto, last


def _hash(db: Database, unit: str, sha: str, upto: int) -> str:
    found = hashlib.sha256()
    for (payload,) in db.query(PAYLOADS, (unit, sha, upto)):
        found.update(payload)
    return found.hexdigest()
