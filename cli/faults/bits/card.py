"""Two cards of one day: one of a unit that was stopped in order, and one of a unit that was killed, whose last commits stand in the log."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from cli.child import mortal
from cli.faults.power.promise import Promise
from firmware.journal import wal
from firmware.journal.reserve import RESERVE_BYTES

STEPS = 90
LEFT_OUT = ("reserve", "journal.db.lock", "journal.db-shm")  # hold nothing that a start reads


class Card(msgspec.Struct, frozen=True):
    """What a unit left, and what it had promised until then."""

    folder: Path
    promise: Promise

    def files(self) -> dict[str, list[str]]:
        """What can be damaged, by its kind."""
        names = [str(path.relative_to(self.folder)) for path in sorted(self.folder.rglob("*")) if path.is_file()]
        kinds = {"database": "journal.db", "log": "journal.db-wal", "numbers": "journal.db.numbers", "chain": "journal.db.chain"}
        found = {kind: [name] for kind, name in kinds.items() if name in names}
        return found | {"attachment": [name for name in names if name.startswith("attachments/")]}

    def length(self, name: str) -> int:
        """The bytes of a file that mean anything: the log is longer than what was written to it."""
        if name == "journal.db-wal":
            return wal.HEADER_BYTES + max(wal.commits_in_log(self.folder / "journal.db"), default=0) * wal.FRAME_BYTES
        return (self.folder / name).stat().st_size

    def copy(self, folder: Path) -> None:
        """A fresh one to damage."""
        shutil.copytree(self.folder, folder)
        with (folder / "reserve").open("wb") as file:  # there already: to take it would be most of the work
            file.truncate(RESERVE_BYTES)


def lived(folder: Path, keys: Path, seed: int, command: Sequence[str], *, kill_after: float | None = None) -> Card:
    """Live the day; killed when this part of its lines was said, where one is named."""
    lines = _lines(folder.with_name(f"{folder.name}-first"), keys, seed, command) if kill_after is not None else 0
    promise = Promise()
    for line in _say(folder, keys, seed, command, stop_after=round(lines * (kill_after or 0))):
        promise.hear(line)
    for name in LEFT_OUT:
        (folder / name).unlink(missing_ok=True)
    return Card(folder, promise)


def _lines(folder: Path, keys: Path, seed: int, command: Sequence[str]) -> int:
    lines = len(_say(folder, keys, seed, command))
    shutil.rmtree(folder)
    return lines


def _say(folder: Path, keys: Path, seed: int, command: Sequence[str], stop_after: int = 0) -> list[str]:
    """What the day says; with `stop_after` it is killed when it has said so many lines and waits."""
    folder.mkdir()
    words = [*command, str(folder), str(keys), "--seed", str(seed), "--steps", str(STEPS), "--wait"]
    said = list[str]()
    with subprocess.Popen(mortal(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if len(said) == stop_after:
                process.kill()
                break
            process.stdin.write("\n")
            process.stdin.flush()
    return said
