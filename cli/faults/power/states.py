"""The power goes at every instant of a recorded day: the folder is made as the card may hold it then, opened, and every promise checked."""

from __future__ import annotations

import filecmp
import logging
import multiprocessing
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import msgspec
from rich.progress import Progress

from cli.faults.power.card import Card, Model
from cli.faults.power.day import DAY
from cli.faults.power.promise import Promise, broken
from cli.faults.power.trace import Line, Operation, TraceError, record
from cli.faults.power.unit import make_keys
from cli.faults.scratch import scratch
from cli.faults.tally import Tally
from firmware.journal import Series

STEPS = 150
MODELS: tuple[tuple[Model, int], ...] = (("ordered", 0), ("unsynced_lost", 0), *(("torn", seed) for seed in range(1, 5)))
STATES_A_TURN = 100
PROCESSES = 2


class Cut(msgspec.Struct, frozen=True, order=True):
    """One power cut: after so many operations, and what then survives."""

    after: int
    model: Model
    torn_seed: int

    @property
    def name(self) -> str:
        """As people read it, and as a folder is called."""
        return f"cut-{self.after}-{self.model}" + (f"-{self.torn_seed}" if self.torn_seed else "")

    def chance(self) -> random.Random:
        """What decides which part survives: the same each time."""
        return random.Random(self.name)  # noqa: S311  to be repeated


class RecordedDay(msgspec.Struct, frozen=True):
    """A day that was lived and can be cut."""

    trace: Path  # its operations
    cuts: list[Cut]  # every one there is
    saved: int  # records that it called saved


class Outcome(msgspec.Struct, frozen=True):
    """What became of some cuts."""

    tally: Tally
    counts: Counter[str]


def cut(*, states: int, seed: int, progress: Progress, keep: Path | None = None, command: Sequence[str] = DAY, steps: int = STEPS) -> Tally:
    """So many states of as many days as they need, each day another; what was broken stays in `keep`."""
    began_s = time.monotonic()
    tally = Tally(harm="power", seed=seed, states=0, committed=0, lost=0, stored_twice=0, corrupt=0, numbers_reused=0, tracebacks=0)
    counts, recorded, left = Counter[str](), 0, states
    task = progress.add_task("recording a day", total=states)
    with scratch("power") as folder, multiprocessing.get_context("spawn").Pool(PROCESSES, _be_quiet) as pool:
        keys = folder / "keys"
        make_keys(keys)
        while left > 0:
            day = live(folder, keys, seed=seed + counts["days"], steps=steps, command=command)
            counts["days"] += 1
            recorded += day.saved
            chosen = _some(day.cuts, left, seed)
            left -= len(chosen)
            progress.update(task, description=f"cutting the power of day {counts['days']}")
            turns = [chosen[first : first + STATES_A_TURN] for first in range(0, len(chosen), STATES_A_TURN)]
            for outcome in pool.imap_unordered(partial(examine, day.trace, keys, folder, keep), turns):
                tally.add(outcome.tally)
                counts += outcome.counts
                progress.advance(task, outcome.tally.states or 0)
    tally.faults, tally.more = tally.states, {"records_checked": tally.committed, **counts}
    tally.committed, tally.seconds = recorded, round(time.monotonic() - began_s, 1)
    return tally


def examine(trace: Path, keys: Path, scratch: Path, keep: Path | None, cuts: Sequence[Cut]) -> Outcome:
    """Replay a day, stop at each cut (in the order in which they come), make the folder that is left, and look whether it is broken."""
    folder = scratch / f"state-{os.getpid()}"
    outcome = Outcome(Tally(harm="power"), Counter())
    card, promise, done = Card(), Promise(), 0
    for one in cuts:
        for operation in operations_of(trace)[done : one.after]:
            card.do(operation)
            if isinstance(operation, Line):
                promise.hear(operation.text)
        done = one.after
        card.save(folder, one.model, one.chance())
        found = broken(folder, keys, promise)
        shutil.rmtree(folder)
        outcome.counts.update({one.model: 1, **found.more})
        if not found.is_clean:
            outcome.counts["broken"] += 1
            found.examples = [f"{trace.stem}, {one.name}: {sentence}" for sentence in found.examples]
            if keep is not None:
                said = [operation.text for operation in operations_of(trace)[: one.after] if isinstance(operation, Line)]
                _keep(keep / f"{trace.stem}-{one.name}", partial(card.save, model=one.model, chance=one.chance()), keys, said)
        outcome.tally.add(found)
    return outcome


def _keep(kept: Path, save: Callable[[Path], None], keys: Path, said: Sequence[str]) -> None:
    """All that `broken` needs to find it again: the folder as it was left, the keys, and what had been said."""
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    save(kept / "left")
    shutil.copytree(keys, kept / "keys")
    (kept / "said.jsonl").write_text("".join(f"{line}\n" for line in said), encoding="utf-8")


def _be_quiet() -> None:
    """In a process of ours: what the unit says of each of thousands of starts is no news, and Ctrl-C is for the one that we work for."""
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@cache
def operations_of(trace: Path) -> list[Operation]:
    """Of a recorded day; read once by each process."""
    return msgspec.msgpack.decode(trace.read_bytes(), type=list[Operation])


def live(scratch: Path, keys: Path, *, seed: int, steps: int, command: Sequence[str]) -> RecordedDay:
    """Live a day under watch in a folder of its own in `scratch`; only its operations stay there."""
    folder, trace = scratch / f"day-{seed}", scratch / f"day-{seed}.operations"
    folder.mkdir()
    operations = record(folder, keys, seed=seed, steps=steps, command=command)
    trace.write_bytes(msgspec.msgpack.encode(operations))
    card, promise, cuts = Card(), Promise(), list[Cut]()
    for after, operation in enumerate(operations, start=1):
        card.do(operation)
        if isinstance(operation, Line):
            promise.hear(operation.text)
        models = MODELS[:1] if card.is_settled else MODELS
        cuts += [Cut(after, model, torn_seed) for model, torn_seed in models]
    _check_faithful(card, folder, scratch / "replayed")
    shutil.rmtree(folder)
    return RecordedDay(trace, cuts, sum(len(promise.given[series]) for series in Series))


def _check_faithful(card: Card, lived: Path, replayed: Path) -> None:
    """The replayed day must have left what the real one left: else the model, not the unit, would be on trial."""
    card.save(replayed, "ordered", random.Random())  # noqa: S311
    names = {str(path.relative_to(folder)) for folder in (lived, replayed) for path in folder.rglob("*") if path.is_file()}
    _, differing, missing = filecmp.cmpfiles(lived, replayed, sorted(names), shallow=False)
    shutil.rmtree(replayed)
    if differing or missing:
        raise TraceError(f"the trace of the day is not what it did: {', '.join([*differing, *missing][:3])} came out otherwise")


def _some(cuts: list[Cut], wanted: int, seed: int) -> list[Cut]:
    """All of them, or as many as are wanted from all over the day."""
    return cuts if wanted >= len(cuts) else sorted(random.Random(seed).sample(cuts, wanted))  # noqa: S311
