"""A unit on each bad road hands over its proofs; what the fleet then holds is compared with what was committed."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import msgspec
from rich.progress import Progress

from cli.faults.link.roads import Badness, Way, opened
from cli.faults.link.verdict import LinkTally, Outcome, judge
from cli.road.unit import Unit
from firmware.config import UplinkSettings
from firmware.journal import Series
from mqtt.codec import TrackPoint

LOOK_S = 0.1
APART_S = 0.5  # seven threads that make their first TLS context at the same moment have crashed Python 3.11
EVENT_EVERY_S = 1.0
FED_S = 20.0  # for so long something happens on the unit beside the proofs


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What each unit has to deliver."""

    photos: int
    photo_bytes: int
    seed: int
    bad_s: float  # for so long the roads are bad; then they are mended, and everything must arrive
    patience_s: float  # after so long what has not arrived is lost


class Trial:
    """One unit on one road; `run` is for a thread of its own."""

    def __init__(self, way: Way, load: Load, folder: Path, keys: Path) -> None:
        self.way = way
        self.photos: dict[str, str] = {}  # SHA-256 of what was taken, by the name of what is sent
        self.cuts = 0
        self.took_s: float | None = None  # None: not everything arrived
        self._dice = random.Random(f"{load.seed} {way.unit}")  # noqa: S311  photos, not secrets
        self._load = load
        self.unit = Unit(way.unit, folder, keys, way.broker, UplinkSettings(batch_s=1))  # the sooner something is under way at a cut
        self.committed: dict[Series, int] = {}
        self._over = threading.Event()

    def hand_over(self) -> None:
        """The proofs, committed before anything is sent."""
        for _ in range(self._load.photos):
            photo = self._dice.randbytes(self._load.photo_bytes)
            (name,) = self.unit.hand_over([photo])
            self.photos[name] = sha256(photo).hexdigest()

    def end(self) -> None:
        """Deliver nothing more: the whole command ends early."""
        self._over.set()

    def run(self) -> None:
        """Deliver everything, or give up when patience is at its end."""
        began_s = time.monotonic()
        with self.unit:
            self._look_after(began_s)
            self.committed = {series: self.unit.journal.issued(series) for series in Series}

    @property
    def outcome(self) -> Outcome:
        """What was committed, and how the sending went."""
        failure = self.unit.failure
        return Outcome(
            road=self.way.badness.name,
            unit=self.way.unit,
            photos=self.photos,
            committed=self.committed,
            cuts=self.cuts,
            sessions=self.unit.status.snapshot().connects,
            pieces=len(self.unit.link.pieces),
            again_bytes=self.unit.link.again_bytes,
            took_s=self.took_s,
            failure=f"{type(failure).__name__}: {failure}" if failure else None,
        )

    @property
    def sent_bytes(self) -> int:
        """Of the photos, each byte counted once."""
        ends: dict[str, int] = {}
        for piece in list(self.unit.link.pieces):
            ends[piece.name] = max(ends.get(piece.name, 0), piece.offset + piece.size)
        return sum(ends.values())

    def _look_after(self, began_s: float) -> None:
        cut_s = event_s = began_s
        every_s = self.way.badness.cut_every_s
        is_bad = True
        while (now_s := time.monotonic()) - began_s < self._load.patience_s and self.unit.failure is None:
            if self._over.wait(LOOK_S):
                return
            if is_bad and now_s - began_s >= self._load.bad_s:
                is_bad = False
                self.way.mend()
            if now_s - event_s >= EVENT_EVERY_S and now_s - began_s < self._fed_s:
                event_s = now_s
                self._feed()
            if is_bad and every_s and now_s - cut_s >= every_s:
                cut_s = now_s
                self.way.break_connections()
                self.cuts += 1
            if now_s - began_s >= self._fed_s and self.unit.has_delivered:
                self.took_s = now_s - began_s
                return

    @property
    def _fed_s(self) -> float:
        return min(FED_S, self._load.bad_s)

    def _feed(self) -> None:
        self.unit.diary.note("idle.start")
        at_ms = self.unit.clock.now().at_ms
        self.unit.record([TrackPoint(tseq=0, t_ms=at_ms, lat_e7=510_543_210, lon_e7=37_250_000)])


def run(worst: Badness, load: Load, *, progress: Progress) -> LinkTally:
    """Every combination of what is bad, all at once."""
    began_s = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roadproof-link-")))
        town, ways = stack.enter_context(opened(folder, worst.combinations(), load.seed))
        trials = [Trial(way, load, folder / way.unit, town.keys) for way in ways]
        _run_all(trials, load, progress)
        tally = judge([trial.outcome for trial in trials], town)
    tally.seed, tally.seconds = load.seed, round(time.monotonic() - began_s, 1)
    return tally


def _run_all(trials: Sequence[Trial], load: Load, progress: Progress) -> None:
    threads = [threading.Thread(target=trial.run, name=trial.way.unit) for trial in trials]
    task = progress.add_task("sending", total=sum(load.photos * load.photo_bytes for _ in trials) // 1000)
    try:
        for trial, thread in zip(trials, threads, strict=True):
            trial.hand_over()
            thread.start()
            time.sleep(APART_S)
        for thread in threads:
            while thread.is_alive():
                thread.join(LOOK_S)
                under_way = [one.way.badness.name for one, other in zip(trials, threads, strict=True) if other.is_alive()]
                told = f"kB sent; roads still under way: {', '.join(under_way)}" if under_way else "kB sent"
                progress.update(task, completed=sum(one.sent_bytes for one in trials) // 1000, description=told)
    finally:
        for trial, thread in zip(trials, threads, strict=True):
            trial.end()
            if thread.ident is not None:
                thread.join()
