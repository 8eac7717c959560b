"""The day under strace: every write, sync, rename and line that it said, in the order in which they happened."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from cli.child import mortal
from cli.errors import UsageError

# Whatever changes a file or a name; what the model does not know is traced too, so that it is refused and not missed.
CALLS = (
    "openat,open,creat,close,lseek,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,sync,"
    "syncfs,msync,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,mkdir,mkdirat,dup,dup2,dup3,sendfile,"
    "copy_file_range,splice"
)
LONGEST_BYTES = 1 << 24  # of one write, in the trace
STDOUT = 1
LINE = re.compile(r"^\d+\s+(\w+)\((.*)\)\s+= (-?\d+)")
QUOTED = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


class TraceError(UsageError):
    """The day did something that the model cannot replay; the sentence says what."""


class Write(msgspec.Struct, frozen=True, tag=True):
    """Bytes of a file."""

    path: str  # below the folder, "" for the folder itself
    offset: int
    content: bytes


class Resize(msgspec.Struct, frozen=True, tag=True):
    """A file's new length in bytes; a hole is zeros."""

    path: str
    length: int


class Make(msgspec.Struct, frozen=True, tag=True):
    """A new name: an empty file or folder."""

    path: str
    is_folder: bool = False


class Rename(msgspec.Struct, frozen=True, tag=True):
    """A name becomes another, and replaces what had it."""

    old: str
    path: str


class Remove(msgspec.Struct, frozen=True, tag=True):
    """A name goes."""

    path: str


class Sync(msgspec.Struct, frozen=True, tag=True):
    """What this file holds, or which names this folder has, is on the card now."""

    path: str


class Line(msgspec.Struct, frozen=True, tag=True):
    """What the day said."""

    text: str


Operation = Write | Resize | Make | Rename | Remove | Sync | Line


def record(folder: Path, keys: Path, *, seed: int, steps: int, command: Sequence[str]) -> list[Operation]:
    """Live a day on an empty folder and return what it did; UsageError without strace, TraceError when it cannot be told."""
    strace = shutil.which("strace")
    if strace is None:
        raise UsageError("strace is needed to see what the day writes; install it (apt install strace)")
    trace = folder.with_name(folder.name + ".trace")
    day = [*command, str(folder), str(keys), "--seed", str(seed), "--steps", str(steps)]
    watched = [strace, "-f", "-xx", "-s", str(LONGEST_BYTES), "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(trace), *day]
    done = subprocess.run(mortal(watched), capture_output=True, text=True, check=False)
    if done.returncode:
        raise TraceError(f"the day ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    with trace.open() as lines:
        operations = list(Reading(folder.resolve()).operations(lines))
    trace.unlink()
    return operations


class Reading:
    """Reads a trace of one folder; knows which descriptor is which file, and where in it the next write goes."""

    def __init__(self, folder: Path) -> None:
        self._root = str(folder)
        self._open: dict[int, tuple[str, int]] = {}  # descriptor -> path, position
        self._there = set[str]()  # paths of files and folders that exist
        self._sizes: dict[str, int] = {}
        self._said = ""

    def operations(self, lines: Iterator[str]) -> Iterator[Operation]:
        """In their order; what SQLite keeps in its shared memory is no part of them."""
        for line in lines:
            if "<unfinished" in line or "resumed>" in line:
                raise TraceError("the day has two threads: what they did first cannot be told")
            found = LINE.match(line)
            if found is None or int(found[3]) < 0:
                continue
            for operation in self._read(found[1], found[2], int(found[3])):
                if isinstance(operation, Line) or not operation.path.endswith("-shm"):
                    yield operation

    def _read(self, call: str, arguments: str, result: int) -> Iterator[Operation]:
        act: dict[str, Callable[[str, int], Iterator[Operation]]] = {
            "openat": self._opened, "close": self._closed, "lseek": self._sought, "write": self._written, "pwrite64": self._written_at,
            "ftruncate": self._cut, "fallocate": self._allocated, "fsync": self._synced, "fdatasync": self._synced, "rename": self._renamed,
            "unlink": self._removed, "rmdir": self._removed, "mkdir": self._folder_made,
        }  # fmt: skip
        if call in act:
            yield from act[call](arguments, result)
        elif self._root.encode().hex() in arguments.replace("\\x", "") or _number(arguments) in self._open:
            raise TraceError(f"the day called {call}, which is not modelled")

    def _opened(self, arguments: str, result: int) -> Iterator[Operation]:
        path = self._below(_texts(arguments)[0])
        self._open.pop(result, None)
        if path is None:
            return
        self._open[result] = path, self._sizes.get(path, 0) if "O_APPEND" in arguments else 0
        if "O_CREAT" in arguments and path not in self._there:
            self._there.add(path)
            yield Make(path)
        elif "O_TRUNC" in arguments and self._sizes.get(path):
            yield self._resized(path, 0)

    def _closed(self, arguments: str, _: int) -> Iterator[Operation]:
        self._open.pop(_number(arguments), None)
        yield from ()

    def _sought(self, arguments: str, result: int) -> Iterator[Operation]:
        descriptor = _number(arguments)
        if descriptor in self._open:
            self._open[descriptor] = self._open[descriptor][0], result
        yield from ()

    def _written(self, arguments: str, result: int) -> Iterator[Operation]:
        descriptor = _number(arguments)
        if descriptor == STDOUT:
            *whole, self._said = (self._said + _bytes(arguments).decode()).split("\n")
            yield from map(Line, whole)
        elif descriptor in self._open:
            path, offset = self._open[descriptor]
            self._open[descriptor] = path, offset + result
            yield self._wrote(path, offset, _bytes(arguments)[:result])

    def _written_at(self, arguments: str, result: int) -> Iterator[Operation]:
        if place := self._open.get(_number(arguments)):
            yield self._wrote(place[0], int(arguments.rpartition(", ")[2]), _bytes(arguments)[:result])

    def _cut(self, arguments: str, _: int) -> Iterator[Operation]:
        if place := self._open.get(_number(arguments)):
            yield self._resized(place[0], int(arguments.rpartition(", ")[2]))

    def _allocated(self, arguments: str, _: int) -> Iterator[Operation]:
        if place := self._open.get(_number(arguments)):
            mode, offset, length = arguments.split(", ")[1:]
            if mode != "0":
                raise TraceError(f"the day called fallocate with mode {mode}, which is not modelled")
            if int(offset) + int(length) > self._sizes.get(place[0], 0):
                yield self._resized(place[0], int(offset) + int(length))

    def _synced(self, arguments: str, _: int) -> Iterator[Operation]:
        if place := self._open.get(_number(arguments)):
            yield Sync(place[0])

    def _renamed(self, arguments: str, _: int) -> Iterator[Operation]:
        old, new = (self._below(name) for name in _texts(arguments))
        if old is None and new is None:
            return
        if old is None or new is None:
            raise TraceError("the day moved a file into its folder or out of it, which is not modelled")
        self._there = self._there - {old} | {new}
        self._sizes[new] = self._sizes.pop(old, 0)
        self._open = {number: (new if path == old else path, at) for number, (path, at) in self._open.items()}
        yield Rename(old, new)

    def _removed(self, arguments: str, _: int) -> Iterator[Operation]:
        path = self._below(_texts(arguments)[0])
        if path is not None:
            self._there.discard(path)
            self._sizes.pop(path, None)
            yield Remove(path)

    def _folder_made(self, arguments: str, _: int) -> Iterator[Operation]:
        path = self._below(_texts(arguments)[0])
        if path is not None:
            self._there.add(path)
            yield Make(path, is_folder=True)

    def _wrote(self, path: str, offset: int, content: bytes) -> Write:
        self._sizes[path] = max(self._sizes.get(path, 0), offset + len(content))
        return Write(path, offset, content)

    def _resized(self, path: str, length: int) -> Resize:
        self._sizes[path] = length
        return Resize(path, length)

    def _below(self, path: str) -> str | None:
        """The path below the folder, None for one elsewhere."""
        if path == self._root:
            return ""
        return path.removeprefix(self._root + "/") if path.startswith(self._root + "/") else None


def _number(arguments: str) -> int:
    """The first argument as a descriptor, -1 when it is none."""
    first = arguments.partition(",")[0]
    return int(first) if first.isdigit() else -1


def _texts(arguments: str) -> list[str]:
    return [_unquoted(found).decode() for found in QUOTED.finditer(arguments)]


def _bytes(arguments: str) -> bytes:
    found = QUOTED.search(arguments)
    return _unquoted(found) if found else b""


def _unquoted(found: re.Match[str]) -> bytes:
    if found[2]:
        raise TraceError(f"the day wrote more than {LONGEST_BYTES} bytes at once, which the trace does not show")
    return bytes.fromhex(found[1].replace("\\x", ""))
