"""The card as POSIX promises it: what was synced is there; of the rest any part may be, down to single sectors and names.

A file's content is certain after fsync of the file, a name after fsync of its folder. ext4 gives more (names reach the card in their order,
and with any fsync on it): what holds here holds there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from cli.faults.power.trace import Line, Make, Operation, Remove, Rename, Resize, Sync, TraceError, Write

SECTOR_BYTES = 512  # what a card writes whole or not at all
Model = Literal["ordered", "unsynced_lost", "torn"]


class Content:
    """The bytes of a file; behind those that were written, zeros."""

    def __init__(self, written: bytearray | None = None, length: int = 0) -> None:
        self._written = bytearray() if written is None else written
        self._length = length

    def copy(self) -> Content:
        """An independent copy."""
        return Content(bytearray(self._written), self._length)

    def write(self, offset: int, content: bytes) -> None:
        """Put bytes in their place."""
        if offset > len(self._written):
            self._written.extend(bytes(offset - len(self._written)))
        self._written[offset : offset + len(content)] = content
        self._length = max(self._length, len(self._written))

    def resize(self, length: int) -> None:
        """Cut off, or add a hole."""
        del self._written[length:]
        self._length = length

    def save(self, path: Path) -> None:
        """Make the file; a hole takes no place."""
        with path.open("wb") as file:
            file.write(self._written)
            file.truncate(self._length)


class File:
    """What the running system reads, what is certainly on the card, and what lies between."""

    def __init__(self) -> None:
        self._now = Content()
        self._synced = Content()
        self._unsynced: list[Write | Resize] = []

    @property
    def is_settled(self) -> bool:
        """Whether all of it is certainly on the card."""
        return not self._unsynced

    def change(self, change: Write | Resize) -> None:
        """Not on the card yet."""
        _apply(self._now, change)
        self._unsynced.append(change)

    def sync(self) -> None:
        """On the card."""
        for change in self._unsynced:
            _apply(self._synced, change)
        self._unsynced.clear()

    def after_cut(self, model: Model, survives: Callable[[], bool]) -> Content:
        """What is read when the power is back."""
        if model == "ordered":
            return self._now
        if model == "unsynced_lost" or not self._unsynced:
            return self._synced
        left = self._synced.copy()
        for change in self._unsynced:
            for part in _sectors(change):
                if survives():
                    _apply(left, part)
        return left


class Folder:
    """The same of names. A rename is whole or not at all."""

    def __init__(self) -> None:
        self.now: dict[str, File | Folder] = {}
        self._synced: dict[str, File | Folder] = {}
        self._unsynced: list[dict[str, File | Folder | None]] = []

    @property
    def is_settled(self) -> bool:
        """Whether all names, and all below them, are certainly on the card."""
        return not self._unsynced and all(inner.is_settled for inner in self.now.values())

    def change(self, names: dict[str, File | Folder | None]) -> None:
        """Not on the card yet; None: the name goes."""
        _rename(self.now, names)
        self._unsynced.append(names)

    def sync(self) -> None:
        """On the card."""
        self._synced = dict(self.now)
        self._unsynced.clear()

    def after_cut(self, model: Model, survives: Callable[[], bool]) -> dict[str, File | Folder]:
        """Which names are there when the power is back."""
        if model == "ordered":
            return self.now
        left = dict(self._synced)
        for names in self._unsynced if model == "torn" else ():
            if survives():
                _rename(left, names)
        return left


class Card:
    """One folder on it, replayed operation by operation."""

    def __init__(self) -> None:
        self._root = Folder()

    @property
    def is_settled(self) -> bool:
        """Whether a cut now can only leave one thing."""
        return self._root.is_settled

    def do(self, operation: Operation) -> None:
        """Replay it; TraceError when nothing was there to do it to."""
        match operation:
            case Write(path=path) | Resize(path=path):
                self._file(path).change(operation)
            case Make(path=path):
                folder, name = self._place(path)
                folder.change({name: Folder() if operation.is_folder else File()})
            case Remove(path=path):
                folder, name = self._place(path)
                folder.change({name: None})
            case Rename(old=old, path=path):
                (folder, name), (other, fresh) = self._place(old), self._place(path)
                if folder is not other:
                    raise TraceError(f"{old} was moved to another folder, which is not modelled")
                folder.change({name: None, fresh: folder.now[name]})
            case Sync(path=path):
                self._at(path).sync()
            case Line():
                pass

    def save(self, target: Path, model: Model, chance: random.Random) -> None:
        """Make the folder as it is found when the power is back; `chance` decides what survives."""
        share = chance.random()
        _save(self._root, target, model, lambda: chance.random() < share)

    def _at(self, path: str) -> File | Folder:
        here: File | Folder = self._root
        for name in path.split("/") if path else ():
            if not isinstance(here, Folder) or name not in here.now:
                raise TraceError(f"{path} was used, and was never made")
            here = here.now[name]
        return here

    def _file(self, path: str) -> File:
        found = self._at(path)
        if not isinstance(found, File):
            raise TraceError(f"{path} was written to, and is a folder")
        return found

    def _place(self, path: str) -> tuple[Folder, str]:
        above, _, name = path.rpartition("/")
        folder = self._at(above)
        if not isinstance(folder, Folder):
            raise TraceError(f"{above} is no folder")
        return folder, name


def _save(folder: Folder, target: Path, model: Model, survives: Callable[[], bool]) -> None:
    target.mkdir()
    for name, inner in folder.after_cut(model, survives).items():
        if isinstance(inner, Folder):
            _save(inner, target / name, model, survives)
        else:
            inner.after_cut(model, survives).save(target / name)


def _apply(content: Content, change: Write | Resize) -> None:
    if isinstance(change, Write):
        content.write(change.offset, change.content)
    else:
        content.resize(change.length)


def _sectors(change: Write | Resize) -> list[Write | Resize]:
    """The parts of a change that reach the card whole or not at all."""
    if isinstance(change, Resize):
        return [change]
    end = change.offset + len(change.content)
    first = change.offset - change.offset % SECTOR_BYTES
    starts = [max(change.offset, start) for start in range(first, end, SECTOR_BYTES)]
    return [
        Write(change.path, start, change.content[start - change.offset : stop - change.offset])
        for start, stop in zip(starts, [*starts[1:], end], strict=True)
    ]


def _rename(names: dict[str, File | Folder], changes: dict[str, File | Folder | None]) -> None:
    for name, inner in changes.items():
        if inner is None:
            names.pop(name, None)
        else:
            names[name] = inner
