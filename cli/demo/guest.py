"""The person who plays the driver: while he is there the story is his, and is told as he goes."""

from __future__ import annotations

import time

from cli.demo.act import Act, Watcher
from cli.demo.day import PIN, RECIPIENT_PIN
from cli.demo.keys import Keys
from cli.demo.stage import Stage
from fleet.pods import PodSight

PROOFS_EVERY_S = 1.0
KEYS_TOLD = "Keys: p pulls the plug, n turns the network off and on."
STATES = {True: "record, signature and chain are good", None: "not checked yet"}


class Guest:
    """Looked after by the stage: the van waits for him, labels are held before his camera, a dead unit gets its power back."""

    def __init__(self, stage: Stage, watcher: Watcher, keys: Keys) -> None:
        self._stage = stage
        self._watcher = watcher
        self._keys = keys
        self._greeted = False
        self._planned = False
        self._driver: str | None = None
        self._restarts = 0
        self._proofs_s = 0.0
        self._told: set[str] = set()

    @property
    def plays(self) -> bool:
        """Whether he is there: before the page, or signed in wherever he looks."""
        return self._greeted and not self.left and (self._stage.aide.driver_came or self._stage.page_open)

    @property
    def left(self) -> bool:
        """Whether he has signed out: the day is over."""
        return self._stage.aide.driver_left

    def look(self) -> None:
        """Look after him, when he is there."""
        if not self._greeted and not self._stage.page_open:
            return
        if not self._greeted:
            self._greet()
        self._obey(self._keys.pressed())
        self._stage.look_after_the_driver()
        if not self._planned and self._stage.drive.held_still:
            self._planned = True
            self._stage.plan_round()
        self._tell_of_changes()
        if time.monotonic() - self._proofs_s >= PROOFS_EVERY_S:
            self._proofs_s = time.monotonic()
            self.look_for_proofs()

    def look_for_proofs(self) -> None:
        """Tell of each proof twice at most: when its record has arrived, and when its pictures are there too."""
        for proof in self._stage.proofs() if self._greeted else ():
            waits = "waiting" in {proof.photo, proof.signature}
            if f"{proof.link} record" not in self._told:
                self._told |= {f"{proof.link} record"} | (set() if waits else {f"{proof.link} whole"})
                self._tell("proof", f"{_arrived(proof)}{' Its pictures are on their way.' if waits else ''}")
            elif not waits and f"{proof.link} whole" not in self._told:
                self._told.add(f"{proof.link} whole")
                self._tell("proof", f"Everything of stop {proof.stop} is there now: {_pictures(proof)}.")

    def _greet(self) -> None:
        self._greeted = True
        self._restarts = self._stage.restarts
        self._stage.welcome()
        told = [
            f"Somebody opened the page: the van pulls over, the story is yours. Sign in with PIN {PIN}.",
            f"Labels are held before the camera for you, the mouse signs; asked for a PIN, the recipient says {RECIPIENT_PIN}.",
            *([KEYS_TOLD] if self._keys.there else []),
        ]
        self._tell("driver", " ".join(told))

    def _obey(self, pressed: str) -> None:
        for key in pressed:
            if key == "p" and self._stage.unit_runs:
                self._stage.pull_the_plug()
            elif key == "n":
                self._turn_network()

    def _turn_network(self) -> None:
        if self._stage.radio.is_cut:
            self._stage.radio.restore()
            self._tell("network", "The network is back: what waits on the unit is sent.")
        else:
            self._stage.radio.cut()
            self._tell("dead zone", "No network: work on, everything is kept on the unit. Press n again to bring it back.")

    def _tell_of_changes(self) -> None:
        if self._restarts != self._stage.restarts:
            self._restarts = self._stage.restarts
            self._tell("power", "The unit lost its power in the middle of its work (kill -9) and has it back: the page goes on by itself.")
        driver = self._stage.aide.driver
        if driver and not self._driver:
            self._tell("driver", f"{driver} has signed in. Tap Drive, and the van drives to the next door, where it waits for you.")
        elif self._driver and self.left:
            self._tell("driver", f"{self._driver} has signed out: what is left is sent and counted.")
        self._driver = driver

    def _tell(self, name: str, sentence: str) -> None:
        self._watcher.tell(Act(0.0, name, sentence))


def _arrived(proof: PodSight) -> str:
    state = STATES.get(proof.verified, f"it is NOT GOOD: {proof.fault}")
    outcome = (proof.outcome or "unreadable").replace("_", " ")
    return f"The fleet has the proof of stop {proof.stop}: {outcome}; {state}."


def _pictures(proof: PodSight) -> str:
    return " and ".join(word for word, state in (("photo", proof.photo), ("signature", proof.signature)) if state) or "no picture"
