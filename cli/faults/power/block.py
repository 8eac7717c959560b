"""A disk whose writes and flushes are logged in their order, and what is left of it after a power cut at any of them.

qemu-storage-daemon offers an image as a file through its `blklogwrites` filter (the format of dm-log-writes); the kernel mounts that file
as ext4 and a program works on it as on any disk. Afterwards every instant can be made again: what was written before the last flush is on
the medium, of what was written since anything may be, whole, in part or not at all. What this cannot show is a card that lies about flush.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO, Literal, Self, get_args

import msgspec

from cli import child
from cli.errors import UsageError

SECTOR_BYTES = 512  # what a medium writes whole or not at all
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8  # flags of an entry, linux/drivers/md/dm-log-writes.c
MAGIC = 0x6A736677736872
CLONE_NEWNS = 0x20000
CAP_SYS_ADMIN = 21  # linux/capability.h: to mount is one of its rights
SOON_S = 60.0  # for what takes a second on a machine that has nothing else to do
MOUNT_OPTIONS = "loop,noatime"
# Initialised at once: else the kernel goes on writing tables of its own in the background, and the log is full of them.
MKFS = ("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0")
PROGRAMS = {
    "qemu-storage-daemon": "qemu-system-common",
    "mkfs.ext4": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "mount": "mount",
    "setpriv": "util-linux",
}

Spared = Literal["none", "all", "some", "torn"]  # of what was written since the last flush: some whole writes, or any sectors (torn)
SPARED: tuple[Spared, ...] = get_args(Spared)


class DiskError(Exception):
    """The disk or what was left of it cannot be used; the sentence says why."""


def need(programs: dict[str, str]) -> None:
    """UsageError, one sentence, when this machine cannot do it; `programs` with the Debian package of each."""
    if os.geteuid() != 0:
        raise UsageError("disks can only be made and mounted by root; run this with sudo")
    if not _may_mount():
        raise UsageError("root may mount nothing here; run this on a machine, or in a container with more rights (docker run --privileged)")
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(device):  # noqa: PTH110  a device's name, not a file of ours
            raise UsageError(f"this machine offers no {device}; run this on a machine, or in a container, that does")
    missing = sorted({package for program, package in programs.items() if shutil.which(program) is None})
    if missing:
        raise UsageError(f"programs are missing for this; run: apt-get install {' '.join(missing)}")


def _may_mount() -> bool:
    told = Path("/proc/self/status").read_text(encoding="ascii")
    rights = next(line.split()[1] for line in told.splitlines() if line.startswith("CapEff:"))
    return bool(int(rights, 16) >> CAP_SYS_ADMIN & 1)


@contextmanager
def own_mounts() -> Iterator[None]:
    """What is mounted inside the `with` is seen by this thread and its children alone, and ends with them, also when they are killed."""
    libc, working = ctypes.CDLL(None, use_errno=True), Path.cwd()
    before = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY)
    try:
        _call(libc.unshare(CLONE_NEWNS))
        try:
            _typed("mount", "--make-rprivate", "/")
            yield
        finally:
            _call(libc.setns(before, CLONE_NEWNS))
            os.chdir(working)
    finally:
        os.close(before)


@contextmanager
def hidden_folder() -> Iterator[Path]:
    """A folder in memory, where images are synced at no cost; it and what is mounted inside the `with` end as `own_mounts` says."""
    with TemporaryDirectory(prefix="roadproof-power-") as place, own_mounts():
        _typed("mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", place)
        yield Path(place)


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[bool]:
    """The image's file system at `folder`, as after a start: ext4 plays its journal. Whether it had to be repaired before.

    Repaired as Raspberry Pi OS does it at its start (fsck.repair=yes): ext4's own first block spans two sectors and may be torn.
    DiskError when it cannot be mounted even then.
    """
    folder.mkdir(exist_ok=True)
    mount = ("mount", "-t", "ext4", "-o", MOUNT_OPTIONS, str(image), str(folder))
    repaired = False
    try:
        _typed(*mount)
    except DiskError:
        subprocess.run(["e2fsck", "-y", str(image)], check=False, capture_output=True)
        _typed(*mount)
        repaired = True
    try:
        yield repaired
    finally:
        _typed("umount", str(folder))


def until(true: Callable[[], bool], what: str, within_s: float = SOON_S) -> None:
    """Wait for something that comes soon; DiskError names what did not."""
    end_s = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end_s:
            raise DiskError(f"waited {within_s:.0f} s for {what}")
        time.sleep(0.01)


def mortal(*command: str, **how: int | IO[str] | str | Path | None) -> subprocess.Popen[str]:
    """Start a program that the kernel ends as soon as this thread ends, however it does."""
    return subprocess.Popen(child.mortal(command), text=True, **how)  # type: ignore[call-overload, no-any-return]  # of Popen's keywords


class Entry(msgspec.Struct, frozen=True):
    """One write or flush of the log."""

    end_bytes: int  # of the log, when it was the last entry
    sector: int
    sectors: int
    flags: int
    data_bytes: int  # where its data begins in the log


class LoggedDisk:
    """A small ext4 disk, mounted at `root` inside the `with`, and its log, to be read after it."""

    def __init__(self, folder: Path, size_mb: int = 64) -> None:
        folder.mkdir(exist_ok=True)
        self.root = folder / "disk"
        self.log = folder / "disk.log"
        self._base, self._image, self._node = folder / "base.img", folder / "disk.img", folder / "node.img"
        self._size_mb = size_mb
        self._served: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        for path in (self.log, self._node, self._base):
            path.write_bytes(b"")
        os.truncate(self._base, self._size_mb << 20)
        _typed(*MKFS, str(self._base))
        _copy(self._base, self._image)
        self.root.mkdir(exist_ok=True)
        with ExitStack() as undo:
            undo.callback(self._end_serving)
            self._serve()
            # Not among the mounts that its server sees: a killed server would wait at its end for an answer of its own.
            undo.enter_context(own_mounts())
            # Never with direct I/O: QEMU 7.2 mixes up requests that overlap, and the buffered loop device sends one after the other.
            _typed("mount", "-t", "ext4", "-o", MOUNT_OPTIONS, str(self._node), str(self.root))
            undo.callback(_typed, "umount", str(self.root))
            self._undo = undo.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._undo.close()

    @property
    def end_bytes(self) -> int:
        """How long the log is: all that was written and flushed until now."""
        return self.log.stat().st_size

    def entries(self) -> list[Entry]:
        """The log in its order; DiskError when it is none."""
        found = list[Entry]()
        size = self.end_bytes
        with self.log.open("rb") as log:
            magic, _, _, sector_bytes = struct.unpack("<QQQI", log.read(28))
            if magic != MAGIC or sector_bytes != SECTOR_BYTES:
                raise DiskError("the log of the disk's writes cannot be read; another qemu-storage-daemon may write it otherwise")
            at = SECTOR_BYTES
            while at < size:
                log.seek(at)
                sector, sectors, flags, _ = struct.unpack("<QQQQ", log.read(32))
                data = at + SECTOR_BYTES
                at = data if flags & DISCARD else data + sectors * SECTOR_BYTES
                found.append(Entry(at, sector, sectors, flags, data))
        return found

    def verify(self) -> None:
        """DiskError unless the log, played over the empty disk, gives the disk: only then are its instants what they say."""
        played = bytearray(self._base.read_bytes())
        log = self.log.read_bytes()
        for entry in self.entries():
            if not entry.flags & (DISCARD | MARK):
                start, length = entry.sector * SECTOR_BYTES, entry.sectors * SECTOR_BYTES
                played[start : start + length] = log[entry.data_bytes : entry.data_bytes + length]
        if bytes(played) != self._image.read_bytes():
            raise DiskError("log and disk differ: the log does not tell what was written, and nothing that is made from it would be true")

    def cut_at(self, instants: Sequence[int], rng: random.Random, image: Path) -> Iterator[Spared]:
        """After so many entries the power goes, at each of `instants`, ascending; what is left stands in `image` each time."""
        entries, medium = self.entries(), image.with_suffix(".medium")
        _copy(self._base, medium)
        cached, done = list[Entry](), 0
        with self.log.open("rb") as log:
            for instant in instants:
                with medium.open("r+b") as on_medium:
                    for entry in entries[done:instant]:
                        cached = _after(entry, cached, log, on_medium)
                    done = max(done, instant)
                spared = rng.choice(SPARED)
                image.unlink(missing_ok=True)  # a new file each time: the loop device of the last one may still be on its way out
                _copy(medium, image)
                with image.open("r+b") as left:
                    _spare(spared, cached, rng, log, left)
                yield spared

    def _serve(self) -> None:
        # The files beneath are never synced: it is the log that says what was flushed.
        self._served = mortal(
            "qemu-storage-daemon",
            *("--blockdev", f"driver=file,node-name=disk,filename={self._image},cache.no-flush=on"),
            *("--blockdev", f"driver=file,node-name=log,filename={self.log},cache.no-flush=on"),
            *("--blockdev", f"driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size={SECTOR_BYTES}"),
            *("--export", f"type=fuse,id=export,node-name=logged,mountpoint={self._node},writable=on"),
            stderr=subprocess.PIPE,
        )
        served = self._served
        until(lambda: served.poll() is not None or self._node.stat().st_size > 0, "qemu-storage-daemon to offer the disk")
        if served.poll() is not None:
            assert served.stderr is not None
            raise DiskError(f"qemu-storage-daemon cannot offer the disk: {served.stderr.read().strip()}")

    def _end_serving(self) -> None:
        if self._served is not None:
            self._served.terminate()
            self._served.wait()
            assert self._served.stderr is not None
            self._served.stderr.close()
            self._served = None


def _after(entry: Entry, cached: list[Entry], log: IO[bytes], medium: IO[bytes]) -> list[Entry]:
    """What the disk's cache holds after this entry; what left it is on the medium then."""
    if entry.flags & FLUSH:
        for one in cached:
            _put(one, slice(0, one.sectors), log, medium)
        cached = []
    if entry.flags & (MARK | DISCARD) or not entry.sectors:  # a discard promises nothing: the old bytes stay
        return cached
    if entry.flags & FUA:
        _put(entry, slice(0, entry.sectors), log, medium)
        return cached
    return [*cached, entry]


def _spare(spared: Spared, cached: Sequence[Entry], rng: random.Random, log: IO[bytes], medium: IO[bytes]) -> None:
    for entry in cached:
        if spared == "torn":
            for sector in range(entry.sectors):
                if rng.getrandbits(1):
                    _put(entry, slice(sector, sector + 1), log, medium)
        elif spared == "all" or (spared == "some" and rng.getrandbits(1)):
            _put(entry, slice(0, entry.sectors), log, medium)


def _put(entry: Entry, sectors: slice, log: IO[bytes], medium: IO[bytes]) -> None:
    log.seek(entry.data_bytes + sectors.start * SECTOR_BYTES)
    medium.seek((entry.sector + sectors.start) * SECTOR_BYTES)
    medium.write(log.read((sectors.stop - sectors.start) * SECTOR_BYTES))


def _copy(source: Path, target: Path) -> None:
    """Copy an image; what is a hole in it stays one."""
    _typed("cp", "--sparse=auto", "--reflink=auto", str(source), str(target))


def _typed(*command: str) -> None:
    """Run a program to its good end; DiskError with its last words."""
    try:
        ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SOON_S)
    except subprocess.TimeoutExpired:
        raise DiskError(f"{command[0]} did not end within {SOON_S:.0f} s; a disk may be stuck, see: losetup --list") from None
    if ended.returncode:
        raise DiskError(f"{command[0]} failed: {ended.stderr.strip()}")


def _call(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
