"""What happens to the van, and when: a tunnel, a dead zone, a pulled plug; and, once somebody plays the driver, what he does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from cli.demo.day import PIN
from cli.demo.stage import Stage
from fleet.pods import PodSight

LOOK_S = 0.25


class Act(msgspec.Struct, frozen=True):
    """One thing that happens."""

    part: float  # of the whole time, 0 to 1
    name: str
    told: str
    do: Callable[[Stage], None]


class Watcher(Protocol):
    """Who is told."""

    def tell(self, act: Act) -> None:
        """An act begins."""

    def look(self, passed_s: float) -> None:
        """Time passed: draw again."""


def _nothing(_: Stage) -> None:
    """Nothing happens to the van."""


ACTS = (
    Act(0.0, "driving", "The van sets off: each fix goes to the journal, the broker, the receiver, and is receipted.", _nothing),
    Act(0.14, "tunnel", "Tunnel: no satellites. No position is better than a wrong one.", lambda stage: stage.drive.enter_tunnel()),
    Act(0.26, "out of the tunnel", "Out of the tunnel: the fix is back.", lambda stage: stage.drive.leave_tunnel()),
    Act(0.36, "dead zone", "Dead zone: no network. The van drives on, the journal fills.", lambda stage: stage.radio.enter_dead_zone()),
    Act(0.54, "network", "The network is back: first where the van is now, then the backlog.", lambda stage: stage.radio.leave_dead_zone()),
    Act(0.72, "pulled plug", "Pulled plug: the daemon dies in the middle of its work (kill -9).", lambda stage: stage.pull_the_plug()),
    Act(0.78, "power", "Power is back: only what was still in memory is gone, 10 s at most.", lambda stage: stage.start_unit()),
    Act(1.0, "end", "The van parks. What is left is sent, and everything is counted.", _nothing),
)


class Story:
    """The acts over a given time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def due(self, passed_s: float, done: int) -> Act | None:
        """The next act, when its time has come."""
        return ACTS[done] if done < len(ACTS) and passed_s >= ACTS[done].part * self.seconds else None

    @property
    def length(self) -> int:
        """How many acts there are."""
        return len(ACTS)


class Guest:
    """The person who plays the driver, as the story sees him: while he is there it waits for him."""

    def __init__(self, stage: Stage, watcher: Watcher) -> None:
        self._stage = stage
        self._watcher = watcher
        self._greeted = False
        self._told: set[str] = set()

    def look(self) -> None:
        """Look after him, when he is there."""
        if not (self._greeted or self._stage.page_open):
            return
        if not self._greeted:
            self._greeted = True
            self._stage.drive.leave_tunnel()
            self._stage.radio.leave_dead_zone()
            self._tell(
                "driver", f"Somebody opened the terminal's page: the van pulls over. Sign in with PIN {PIN}; the story is yours now."
            )
        self._stage.look_after_the_driver()
        for proof in self._stage.proofs():
            self._tell_of(proof)

    @property
    def plays(self) -> bool:
        """Whether he is there."""
        return self._greeted and not self.left

    @property
    def left(self) -> bool:
        """Whether he has signed out: the day is over."""
        return self._stage.aide.driver_left

    def _tell_of(self, proof: PodSight) -> None:
        whole = [word for word in (proof.photo, proof.signature) if word]
        state = f"{proof.link}:{proof.verified}:{whole}"
        if state in self._told:
            return
        self._told.add(state)
        good = {True: "the chain and the signature are good", None: "not checked yet"}.get(proof.verified, f"NOT GOOD: {proof.fault}")
        parts = f"; photo {proof.photo or 'none'}, signature {proof.signature or 'none'}"
        self._tell("proof", f"Proof of stop {proof.stop} at the fleet: {(proof.outcome or '?').replace('_', ' ')}, {good}{parts}.")

    def _tell(self, name: str, sentence: str) -> None:
        self._watcher.tell(Act(0.0, name, sentence, _nothing))


class Nobody:
    """Watches without a word, for programs."""

    def tell(self, act: Act) -> None:
        """Say nothing."""

    def look(self, passed_s: float) -> None:
        """Draw nothing."""


def play(story: Story, stage: Stage, watcher: Watcher, stopped: Callable[[], bool]) -> None:
    """Play to the end, or until it is stopped, and then to an orderly end. A guest ends it by signing out."""
    guest = Guest(stage, watcher)
    began_s, done = time.monotonic(), 0
    while not stopped() and not guest.left and (guest.plays or done < story.length):
        passed_s = time.monotonic() - began_s
        guest.look()
        act = None if guest.plays else story.due(passed_s, done)
        if act is not None:
            watcher.tell(act)
            act.do(stage)
            done += 1
        else:
            watcher.look(passed_s)
            time.sleep(LOOK_S)
    stage.finish(lambda: watcher.look(time.monotonic() - began_s))
