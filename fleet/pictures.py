"""One photo or signature out of the store, opened: of a proof, or of a defect that an event tells of."""

from __future__ import annotations

import hashlib
import re

import msgspec

from fleet import strokes
from fleet.notary import Notary
from fleet.rows import AttachmentRow
from fleet.store import Store
from mqtt.evidence import EvidenceError

HASH_START = re.compile(r"[0-9a-f]{6,64}")


class PictureNotFoundError(Exception):
    """No attachment, or more than one, is meant, or it is not here yet; the sentence says which."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment as people look at it."""

    unit: str
    kind: str  # "photo", "signature" (drawn as SVG), "file"
    sha256: str  # of what was made
    data: bytes


def open_one(store: Store, notary: Notary, start: str) -> Picture:
    """The attachment whose SHA-256 begins like this; PictureNotFoundError, or EvidenceError when it is not what was told of it."""
    row = _find(store, start.lower())
    sealed = store.sealed_attachment(row.unit, row.sha)
    if sealed is None:
        raise PictureNotFoundError(f"{start} has not come whole yet: it still waits on {row.unit}; try again later")
    data = notary.open_attachment(sealed)
    sha256 = hashlib.sha256(data).hexdigest()
    if row.sha256 not in {None, sha256}:
        raise EvidenceError(f"what came from {row.unit} is not the one that it told of: its SHA-256 is {sha256}")
    if row.mime == strokes.MIME:
        try:
            return Picture(unit=row.unit, kind="signature", sha256=sha256, data=strokes.svg(strokes.read(data)).encode())
        except strokes.StrokesError as error:
            raise EvidenceError(str(error)) from None
    return Picture(unit=row.unit, kind="photo" if row.mime == "image/jpeg" else "file", sha256=sha256, data=data)


def _find(store: Store, start: str) -> AttachmentRow:
    rows = store.attachments_named(start) if HASH_START.fullmatch(start) else []
    if not rows:
        raise PictureNotFoundError(f"there is no photo {start!r}: give its SHA-256, or six or more of its first characters")
    if len(rows) > 1:
        found = ", ".join(f"{row.sha[:16]} of {row.unit}" for row in rows[:5])
        raise PictureNotFoundError(f"{len(rows)} photos begin with {start}: {found}")
    return rows[0]
