"""The power goes while a day is written on a real file system: any instant, and any part of what the disk had not flushed."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec
from rich.progress import Progress

from cli.faults.power.block import FLUSH, PROGRAMS, DiskError, LoggedDisk, Spared, hidden_folder, mortal, mounted, need
from cli.faults.power.day import DAY
from cli.faults.power.promise import Promise, broken
from cli.faults.power.unit import make_keys
from cli.faults.tally import Tally

ROOT = Path(__file__).resolve().parents[3]
STEPS = 400  # a day of a little over an hour: some thousand writes, and every kind of step many times


class Cut(msgspec.Struct, frozen=True):
    """One power cut, and what is left."""

    number: int
    spared: Spared  # of what was not flushed
    image: Path  # a throw-away one
    promise: Promise  # what had been said before it


class WrittenDay:
    """A day that was written on a logged disk, with the moment of each thing it said."""

    def __init__(self, folder: Path, seed: int, *, steps: int = STEPS, command: Sequence[str] = DAY) -> None:
        """Write it; DiskError when the day or the disk's log cannot be trusted."""
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.seed = seed
        self.keys = folder / "keys"
        make_keys(self.keys)
        self.disk = LoggedDisk(folder)
        with self.disk:
            said = self._live(command, steps)
            end_bytes = self.disk.end_bytes
        self.disk.verify()
        self.entries = [entry for entry in self.disk.entries() if entry.end_bytes <= end_bytes]
        self._story = _story([entry.end_bytes for entry in self.entries], said)

    def cuts(self, count: int) -> Iterator[Cut]:
        """Power cuts at random instants between any two writes or words, ascending; each image is gone when the next is asked for."""
        chance = random.Random(self.seed)  # noqa: S311  instants to repeat, no secret
        instants = sorted(chance.choices(range(1, len(self._story) + 1), k=count))
        written = [sum(word is None for word in self._story[:instant]) for instant in instants]
        promise, heard, image = Promise(), 0, self._folder / "cut.img"
        for number, spared in enumerate(self.disk.cut_at(written, chance, image)):
            for word in self._story[heard : instants[number]]:
                if word is not None:
                    promise.hear(word)
            heard = instants[number]
            yield Cut(number, spared, image, promise)

    def _live(self, command: Sequence[str], steps: int) -> list[tuple[int, str]]:
        """What was said, each with the length of the disk's log at that moment: the day waits until that is noted."""
        arguments = [str(self.disk.root), str(self.keys), "--seed", str(self.seed), "--steps", str(steps), "--wait"]
        said = list[tuple[int, str]]()
        log = self._folder / "day.log"
        with log.open("w", encoding="utf-8") as errors:
            day = mortal(*command, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT)
        assert day.stdin is not None
        assert day.stdout is not None
        with day, day.stdin, day.stdout:
            for line in day.stdout:
                said.append((self.disk.end_bytes, line))
                day.stdin.write("\n")
                day.stdin.flush()
        if day.returncode:
            raise DiskError(f"the day ended before its evening: {_last_line(log)}")
        return said


class Toll:
    """What becomes of the disks after the cuts of a day, counted."""

    def __init__(self, day: WrittenDay, place: Path, keep: Path | None) -> None:
        self.tally = Tally(harm="power", seed=day.seed, faults=0, states=0)
        self._day = day
        self._place = place
        self._keep = keep
        self._spared = Counter[Spared]()
        self._repaired = 0
        self._began_s = time.monotonic()

    def take(self, cut: Cut, look: Callable[[Path], Tally]) -> None:
        """Mount what is left of the disk, look at it, count."""
        before = cut.image.with_suffix(".before")
        if self._keep is not None:
            shutil.copyfile(cut.image, before)
        found = self._mounted(cut, look)
        found.examples = [f"cut {cut.number}, {cut.spared} of the unflushed writes spared: {line}" for line in found.examples]
        self.tally.add(found)
        self._spared[cut.spared] += 1
        if self._keep is not None and not found.is_clean:
            self._keep.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(before, self._keep / f"cut-{cut.number}-{cut.spared}.img")

    def total(self) -> Tally:
        """The tally, with how the cuts were and what one took."""
        seconds = time.monotonic() - self._began_s
        flushes = sum(bool(entry.flags & FLUSH) for entry in self._day.entries)
        self.tally.more = {
            "writes": len(self._day.entries) - flushes,
            "flushes": flushes,
            "spared": dict(sorted(self._spared.items())),
            "repaired": self._repaired,
            "ms_a_cut": round(seconds * 1000 / max(self._spared.total(), 1)),
        }
        return self.tally

    def _mounted(self, cut: Cut, look: Callable[[Path], Tally]) -> Tally:
        try:
            with mounted(cut.image, self._place) as repaired:
                self._repaired += repaired
                found = look(self._place)
        except DiskError as error:
            found = Tally(harm="power", corrupt=1, examples=[f"the disk cannot be mounted: {error}"])
        found.faults = 1
        return found


def cut(*, cuts: int, seed: int, progress: Progress, steps: int = STEPS, keep: Path | None = None, command: Sequence[str] = DAY) -> Tally:
    """Live a day on a logged disk, cut the power so often, mount what is left each time and see whether every promise is kept.

    `keep`: a folder for the images on which something is broken. UsageError when this machine cannot do it.
    """
    need(PROGRAMS)
    began_s = time.monotonic()
    bar = progress.add_task("a day on a logged disk", total=cuts)
    with hidden_folder() as folder:
        day = WrittenDay(folder / "day", seed, steps=steps, command=command)
        progress.update(bar, description="cutting its power")
        toll = Toll(day, folder / "left", keep)
        for one in day.cuts(cuts):
            toll.take(one, partial(broken, keys=day.keys, promise=one.promise))
            progress.advance(bar)
        tally = toll.total()
    tally.seconds = round(time.monotonic() - began_s, 1)
    return tally


def _story(ends_bytes: Sequence[int], said: Sequence[tuple[int, str]]) -> list[str | None]:
    """Writes (None) and words in the order in which they came: a word after all that the log held when it was heard."""
    story, told = list[str | None](), list(said)
    for end_bytes in ends_bytes:
        while told and told[0][0] < end_bytes:
            story.append(told.pop(0)[1])
        story.append(None)
    return [*story, *(word for _, word in told)]


def _last_line(log: Path) -> str:
    return (log.read_text(encoding="utf-8").strip() or "it said nothing").splitlines()[-1]
