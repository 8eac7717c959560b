"""Photos and signatures on the card: sealed to the receiver from the moment they are made, one file each, gone after the receipt.

A file's name is the SHA-256 of what is in it: the unit itself cannot open it again, but can tell whether the card still holds it whole.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

import msgspec

from mqtt.durable import sync_names, write_durably

log = logging.getLogger(__name__)

FOLDER = "attachments"  # in the journal's folder
NAME = re.compile(r"[0-9a-f]{64}")
LARGEST_BYTES = 2_000_000  # a photo is 300 kB at most; nothing that is handed in here may fill the card
LEFT_BYTES = 4_000_000  # room that pictures leave to the records: a thousand proofs without one, where the journal's reserve is used up


class AttachmentError(Exception):
    """An attachment cannot be kept; the sentence says why and what to do."""


class Stored(msgspec.Struct, frozen=True):
    """An attachment on the card."""

    sha256: str  # of what was made
    len: int
    enc_sha256: str  # of what is kept and sent
    enc_len: int


class Attachments:
    """The folder of sealed files. May be used by any thread: a file is made whole under its name, or not at all."""

    def __init__(self, folder: Path, seal: Callable[[bytes], bytes]) -> None:
        self._folder = folder
        self._seal = seal
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_names(folder.parent)  # else a power cut may take the new folder, and every synced file in it
            for torn in folder.glob("*.new"):  # of a power cut
                torn.unlink()
        except OSError as error:
            raise AttachmentError(f"cannot write in {folder}: {_reason(error)}; check the folder's owner and rights") from None

    def keep(self, plain: bytes) -> Stored:
        """Seal and keep it: durable when this returns. AttachmentError when the card does not take it; nothing is left then."""
        if len(plain) > LARGEST_BYTES:
            raise AttachmentError(f"an attachment of {len(plain)} bytes is more than the {LARGEST_BYTES} that are kept; make it smaller")
        sealed = self._seal(plain)
        stored = Stored(sha256(plain).hexdigest(), len(plain), sha256(sealed).hexdigest(), len(sealed))
        if shutil.disk_usage(self._folder).free - stored.enc_len < LEFT_BYTES:
            raise AttachmentError(
                "the card is nearly full, and what room is left is kept for the proofs themselves; go on without the picture"
            )
        path = self._folder / stored.enc_sha256
        try:
            write_durably(path, sealed)
        except OSError as error:
            path.with_suffix(".new").unlink(missing_ok=True)
            raise AttachmentError(f"the card does not take the picture: {_reason(error)}; go on without it") from None
        return stored

    def size(self, name: str) -> int | None:
        """The bytes of a sealed file, None when it is not here."""
        try:
            return self._path(name).stat().st_size
        except FileNotFoundError:
            return None

    def is_whole(self, name: str) -> bool:
        """Whether the file is here and what was written; False also where the card cannot read it."""
        try:
            return sha256(self._path(name).read_bytes()).hexdigest() == name
        except OSError:
            return False

    def chunk(self, name: str, offset: int, limit_bytes: int) -> bytes:
        """So many bytes of a sealed file at most; AttachmentError when the card cannot read them."""
        try:
            with self._path(name).open("rb") as file:
                file.seek(offset)
                return file.read(limit_bytes)
        except OSError as error:
            raise AttachmentError(f"attachment {name} cannot be read: {_reason(error)}") from None

    def remove(self, names: Iterable[str]) -> None:
        """Let files go; one that is not here is gone already."""
        for name in names:
            try:
                self._path(name).unlink(missing_ok=True)
            except OSError as error:  # a card that turned read-only: it is tried again as an orphan, at the next start
                log.warning("attachment %s cannot be removed: %s", name, _reason(error))

    def names(self) -> list[str]:
        """Every sealed file, oldest first."""
        files = [path for path in self._folder.iterdir() if NAME.fullmatch(path.name)]
        return [path.name for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name))]

    def _path(self, name: str) -> Path:
        assert NAME.fullmatch(name), name
        return self._folder / name


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
