"""What a dead unit left on its card, as the messages that it would still have sent. The card is only read.

They are worth as much as if they had come by the broker: the signature of a proof is in the record, not in the channel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import msgspec

from firmware.evidence.attachments import FOLDER, LARGEST_BYTES, NAME
from firmware.evidence.book import BLOB, UNSEALED
from firmware.journal.plain_file import is_plain, read_plain
from firmware.journal.remains import Remain, Remains, remains
from firmware.journal.row import JournalError, Row, Series
from firmware.uplink.packing import batches, pack
from mqtt import topics
from mqtt.messages import UnitId

JOURNAL = "journal.db"
PLACES = ("", "var/lib/roadproof", "journal")  # below what was named: the journal's folder itself, a card's root, a folder of the bench
IDENTITY, IDENTITY_BYTES = "identity/identity.json", 100_000
NAMES = re.compile(rb"[0-9a-f]{64}")  # attachments are named by their hashes, wherever a record does it


class Letter(msgspec.Struct, frozen=True):
    """A message for the fleet."""

    topic: str
    payload: bytes
    series: Series
    first: int
    last: int


class Piece(msgspec.Struct, frozen=True):
    """A piece of an attachment."""

    topic: str
    payload: bytes


class Spoilt(msgspec.Struct):
    """What could not be read, counted while it is read."""

    rows: int = 0
    pictures: int = 0


class LeftBehind:
    """One unit's records and pictures: first read `letters` to the end, then ask for the `pictures` that they name."""

    def __init__(self, folder: Path, found: Remains, unit: str | None) -> None:
        self._folder = folder
        self._found = found
        self.spoilt = Spoilt(rows=found.unread_commits)
        self.rows = found.rows
        self.set_aside = found.set_aside
        pieces = [name for name, _ in found.pieces()]
        self.unsigned = sum(name.startswith(UNSEALED) for name in pieces)  # proofs that never became records
        self._named = {name.removeprefix(BLOB) for name in pieces if name.startswith(BLOB)}
        self.unit = unit or self._told_unit()
        self.log = self._told_log()

    def letters(self, *, everything: bool = False, read: Callable[[], None] = lambda: None) -> Iterator[Letter]:
        """The records that the fleet may not have, or every one, oldest first; `read` is called for each row of the journal."""
        for series, wanted in groupby(self._wanted(everything, read), key=lambda one: one.series):
            if series is Series.SEQ:
                yield from (self._letter(one.row) for one in wanted)
            else:
                for batch in batches(one.row for one in wanted):
                    yield from self._packed(batch)

    def pictures(self) -> list[str]:
        """The attachments that a record or a piece of work names, oldest first; where records are lost, every one."""
        with suppress(FileNotFoundError):
            files = [file for file in (self._folder / FOLDER).iterdir() if NAME.fullmatch(file.name) and is_plain(file)]
            names = [file.name for file in sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name))]
            return [name for name in names if name in self._named or self.spoilt.rows]
        return []

    def pieces(self, name: str) -> list[Piece]:
        """An attachment as it is sent; none of it, and counted, where the card does not hold it whole."""
        try:
            file = self._folder / FOLDER / name
            sealed = read_plain(file, 2 * LARGEST_BYTES)
        except OSError:
            sealed = b""
        if sha256(sealed).hexdigest() != name:
            self.spoilt.pictures += 1
            return []
        size = topics.BLOB_CHUNK_BYTES
        topic = topics.BLOB.topic(self.unit).format
        return [Piece(topic(sha=name, offset=at), sealed[at : at + size]) for at in range(0, len(sealed), size)]

    def _wanted(self, everything: bool, read: Callable[[], None]) -> Iterator[Remain]:
        for one in self._found.read():
            read()
            if one is None:
                self.spoilt.rows += 1
                continue
            if one.series is Series.SEQ:
                self._named.update(name.decode() for name in NAMES.findall(one.row.payload))
            if everything or one.waits:
                yield one

    def _letter(self, row: Row) -> Letter:
        channel = topics.BY_NAME.get(f"up/{row.kind}", topics.EVENT)
        return Letter(topic=channel.topic(self.unit), payload=row.payload, series=Series.SEQ, first=row.number, last=row.last)

    def _packed(self, rows: list[Row]) -> Iterator[Letter]:
        try:
            payload = pack(rows, self.unit, self.log)
        except msgspec.MsgspecError:
            self.spoilt.rows += len(rows)
            return
        yield Letter(topic=topics.TRACK.topic(self.unit), payload=payload, series=Series.TSEQ, first=rows[0].number, last=rows[-1].last)

    def _told_unit(self) -> str:
        """By its identity beside the journal, or by its first event."""
        with suppress(OSError):
            if unit := _unit_in(read_plain(self._folder / IDENTITY, IDENTITY_BYTES)):
                return unit
        for one in self._found.read():
            if one is not None and one.series is Series.SEQ and (unit := _unit_in(one.row.payload)):
                return unit
        raise JournalError(f"nothing in {self._folder} says which unit it was: name it with --unit")

    def _told_log(self) -> str:
        if self._found.log is None:
            raise JournalError(f"nothing of the journal in {self._folder} says its own name: its records cannot be numbered at the fleet")
        return self._found.log


@contextmanager
def left_behind(card: Path, unit: str | None = None) -> Iterator[LeftBehind]:
    """What is on a card: its root, the journal's folder, or a journal's file; JournalError when there is no journal, or it says nothing."""
    if unit is not None and not topics.UNIT.fullmatch(unit):
        raise JournalError(f"{unit!r} is no unit name: small letters, digits and hyphens, 32 at most")
    path = _journal(card)
    with remains(path) as found:
        yield LeftBehind(path.parent, found, unit)


def _journal(card: Path) -> Path:
    if is_plain(card):
        return card
    for place in PLACES:
        file = card / place / JOURNAL
        if is_plain(file) and file.resolve().is_relative_to(card.resolve()):  # not this machine's own, by a link on the card
            return file
    raise JournalError(f"there is no {JOURNAL} on {card}: name the root of the mounted card, or the folder that holds it")


class _Named(msgspec.Struct):
    """Of an event or an identity the part that names the unit."""

    unit: UnitId


def _unit_in(payload: bytes) -> str | None:
    try:
        return msgspec.json.decode(payload, type=_Named).unit
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
