"""What makes a box this unit, told and then removed: keys written over, journal, pictures and settings of the last good start gone.

Honest about its limit: a card's controller may keep old blocks that no program reaches. What ends a lost key is the fleet's revocation.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from firmware.evidence.book import BLOB
from firmware.journal import JournalError, JournalInUseError
from firmware.journal.look import JournalLook
from firmware.journal.opening import own
from firmware.uplink.post import HELD
from mqtt import topics
from mqtt.durable import sync_names
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from provisioning.identity import DRAFT, FOLDER, IdentityError, destroy_key, read

JOURNAL = "journal.db"
OF_THE_JOURNAL = (f"{JOURNAL}*", "attachments", "quarantine", "reserve", "plug.*")
OF_THE_STATE = ("reports", DRAFT, FOLDER)  # the identity last: until then a wipe that was cut off can be begun again
SECRETS = ("tls.pem", "evidence.key")
OWN_TOPICS = tuple(channel for channel in topics.CHANNELS if channel.retained and channel.by is topics.By.UNIT)
PEM_KEY, SQLITE = b"PRIVATE KEY-----", b"SQLite format 3\0"
SCAN_BYTES = 1_000_000  # keys and headers stand at a file's beginning
FLUSH_S = 10.0


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What a wipe would remove, and what of it the fleet does not have."""

    unit: str | None  # None: never enrolled, or damaged
    paths: tuple[Path, ...]
    files: int
    size_bytes: int
    proofs: int | None  # not receipted; None: the journal cannot be read
    events: int = 0
    fixes: int = 0
    pictures: int = 0
    key: str | None = None  # where the evidence key lies, when it is no file


class Wipe:
    """One box: its state folder, its journal's folder, which is mostly the same, and the copy of its last good settings."""

    def __init__(self, state: Path, journal: Path, good_copy: Path) -> None:
        self._state = state
        self._journal = journal
        self._good_copy = good_copy

    def look(self) -> Holdings:
        """Count; nothing is changed. IdentityError when this user may not look."""
        unit, key = self._identity()
        try:
            paths = tuple(self._paths())
            sizes = [path.lstat().st_size for path in _files(paths)]
            is_journal = (self._journal / JOURNAL).exists()
        except PermissionError as error:
            raise IdentityError(f"{error.filename} is not for this user's eyes: run the command with sudo") from None
        found = Holdings(unit=unit, paths=paths, files=len(sizes), size_bytes=sum(sizes), key=key, proofs=0)
        return self._counted(found) if is_journal else found

    def clear_topics(self, broker: BrokerSettings, unit: str) -> None:
        """Take what the broker shows of this unit away; LinkError when it cannot be reached."""
        link = BrokerLink(broker, unit, [])
        link.connect()
        try:
            for channel in OWN_TOPICS:
                link.publish(channel.topic(unit), b"", channel.qos, retain=True)
            link.flush(FLUSH_S)
        finally:
            link.close(orderly=True)

    def run(self, holdings: Holdings) -> list[Path]:
        """Inside `alone`: remove it all, and say what is left of it after a scan: nothing, when all went well.

        IdentityError says what is in the way.
        """
        try:
            if holdings.key is not None:
                destroy_key(holdings.key)
            for path in list(self._paths()):
                _remove(path)
            for folder in filter(Path.is_dir, {self._state, self._journal}):
                sync_names(folder)
        except OSError as error:
            raise IdentityError(f"{error.filename} cannot be removed: {(error.strerror or str(error)).lower()}; run it with sudo") from None
        return list(self.left(holdings.unit))

    def left(self, unit: str | None) -> Iterator[Path]:
        """Files that still hold a key, a journal or the unit's name."""
        yield from self._paths()
        for path in _files({self._state, self._journal}):
            if _tells(path, unit):
                yield path

    def _identity(self) -> tuple[str | None, str | None]:
        try:
            found = read(self._state / FOLDER)
        except IdentityError:
            return None, None
        return (None, None) if found is None else (found.unit, found.key if found.key != "file" else None)

    def _paths(self) -> Iterator[Path]:
        of_the_copy = (f"{self._good_copy.name}*",)
        for folder, patterns in ((self._journal, OF_THE_JOURNAL), (self._good_copy.parent, of_the_copy), (self._state, OF_THE_STATE)):
            for pattern in patterns:
                yield from sorted(folder.glob(pattern))

    def _counted(self, found: Holdings) -> Holdings:
        try:
            with JournalLook(self._journal / JOURNAL) as look:
                kinds = look.waiting()
                pictures = sum(not piece.startswith(HELD) for piece in look.work(BLOB).values())
        except (JournalError, OSError):
            return msgspec.structs.replace(found, proofs=None)
        proofs, events, fixes = (kinds.get(channel.kind, 0) for channel in (topics.POD, topics.EVENT, topics.TRACK))
        return msgspec.structs.replace(found, proofs=proofs, events=events, fixes=fixes, pictures=pictures)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Inside the `with` no daemon runs on the journal; IdentityError when one does."""
        if not self._journal.is_dir():
            yield
            return
        try:
            held = own(self._journal / JOURNAL)
        except JournalInUseError:
            raise IdentityError("the daemon runs: stop it first, with sudo systemctl stop roadproof") from None
        except JournalError as error:
            raise IdentityError(str(error)) from None
        try:
            yield
        finally:
            os.close(held)


def _remove(path: Path) -> None:
    for file in _files([path]):
        if file.name.startswith(SECRETS):
            _write_over(file)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_over(file: Path) -> None:
    with file.open("r+b", buffering=0) as opened:
        opened.write(bytes(file.stat().st_size))
        os.fsync(opened.fileno())


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            yield from (inner for inner in sorted(path.rglob("*")) if not inner.is_dir())
        elif path.is_symlink() or path.exists():
            yield path


def _tells(path: Path, unit: str | None) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        content = file.read(SCAN_BYTES)
    return content.startswith(SQLITE) or PEM_KEY in content or (unit is not None and unit.encode() in content)
