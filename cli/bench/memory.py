"""What a process holds in memory, as Linux counts it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

PROC = Path("/proc")


class Memory(msgspec.Struct, frozen=True):
    """Bytes: resident with everything shared, and with what is shared counted by the part of each."""

    rss_bytes: int
    pss_bytes: int


def memory_of(*pids: int) -> Memory:
    """Of these processes together; one that has gone holds nothing."""
    held = [(_field(pid, "status", "VmRSS"), _field(pid, "smaps_rollup", "Pss")) for pid in pids]
    return Memory(rss_bytes=sum(rss for rss, _ in held), pss_bytes=sum(pss for _, pss in held))


def children_of(pid: int) -> list[int]:
    """The processes that it started, and theirs."""
    own = [child for child in _running() if _parent(child) == pid]
    return [*own, *(grandchild for child in own for grandchild in children_of(child))]


def _running() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())


def _parent(pid: int) -> int:
    return _value(pid, "status", "PPid")


def _field(pid: int, file: str, name: str) -> int:
    return _value(pid, file, name) * 1024


def _value(pid: int, file: str, name: str) -> int:
    try:
        lines = (PROC / str(pid) / file).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
