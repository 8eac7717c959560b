"""Every byte of the file, and of the copy of the last good settings, damaged in each of the ways that a card and a hand have."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.progress import Progress

from cli.faults.config.file import NAME, TEXT
from cli.faults.config.verdict import Judge
from cli.faults.tally import Tally

Damage = Callable[[bytes, int, random.Random], bytes]


def _with(content: bytes, at: int, put: bytes, skip: int = 1) -> bytes:
    return content[:at] + put + content[at + skip :]


WAYS: Mapping[str, Damage] = {
    "a bit flipped": lambda content, at, chance: _with(content, at, bytes([content[at] ^ 1 << chance.randrange(8)])),
    "another byte": lambda content, at, chance: _with(content, at, bytes([chance.randrange(256)])),
    "zero": lambda content, at, _: _with(content, at, b"\0"),
    "gone": lambda content, at, _: _with(content, at, b""),
    "a byte too many": lambda content, at, chance: _with(content, at, bytes([chance.randrange(32, 127)]), skip=0),
    "cut off here": lambda content, at, _: content[:at],
    "zeros from here": lambda content, at, _: content[:at] + bytes(len(content) - at),  # a block that was never written
}


def damaged(content: bytes, seed: int, ways: Mapping[str, Damage] = WAYS) -> Iterator[tuple[bytes, str]]:
    """Every byte in each of these ways, and in words what was done."""
    chance = random.Random(seed)  # noqa: S311  a reproducible choice, no secret
    for at in range(len(content)):
        for way, spoil in ways.items():
            yield spoil(content, at, chance), f"byte {at}, {way}"


def damage(folder: Path, seed: int, progress: Progress, content: bytes = TEXT.encode()) -> Tally:
    """Start on each damaged file."""
    judge = _judge(folder, content)
    task = progress.add_task("bytes of the settings file", total=len(content) * len(WAYS))
    for spoilt, what in damaged(content, seed):
        judge.judge(spoilt, what)
        progress.advance(task)
    judge.tally.more = {
        "bytes": len(content), "refused": judge.refused, "taken_for_an_edit_and_told": judge.edits, "harmless": judge.harmless,
    }  # fmt: skip
    return judge.tally


def damage_copy(folder: Path, seed: int, progress: Progress, content: bytes = TEXT.encode(), ways: Mapping[str, Damage] = WAYS) -> Tally:
    """Read each damaged copy of the last good settings."""
    judge = _judge(folder, content)
    task = progress.add_task("bytes of the copy of the last good", total=len(judge.kept) * len(ways))
    for spoilt, what in damaged(judge.kept, seed, ways):
        judge.judge_copy(spoilt, what)
        progress.advance(task)
    judge.tally.more = {"bytes_of_the_copy": len(judge.kept)}
    return judge.tally


def _judge(folder: Path, content: bytes) -> Judge:
    path = folder / NAME
    path.write_bytes(content)
    return Judge(path)
