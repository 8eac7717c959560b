"""The screen of a box that is no unit yet: what it waits for, what it was shown, how far the enrolment is, who it has become.

It stands before the page where the driver's job stands later, at the same address: when the daemon takes the place over, the page goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Literal, get_args

import msgspec

from firmware.kiosk.texts import LANGUAGES
from firmware.terminal.answers import Answer, refused

Step = Literal["answers", "keys", "signed", "settings"]
STEPS: tuple[Step, ...] = get_args(Step)
Phase = Literal["wait", "join", "work", "done"]
LANGUAGE, ON = "ui.lang", "enrol.on"


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """What the technician reads out on the telephone, and whether a driver's page follows."""

    serial: str
    version: str
    page_follows: bool


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The newest sentence; `again`: what it tells of is tried again without the technician."""

    tone: Literal["info", "bad"]
    text: str
    again: bool = False


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What is on the screen."""

    phase: Phase = "wait"
    camera: str = "opening"  # as Camera.state
    network: str = ""  # that is being joined, or was
    unit: str = ""
    vehicle: str = ""
    fingerprint: str = ""
    reached: Step | None = None
    said: Said | None = None


NOT_HERE = refused("command.not_now")


class Reception:
    """The scene, changed by whoever enrols and shown by the page's server; for any thread."""

    def __init__(self, box: Box, language: str = "en") -> None:
        self._box = box
        self._language = language
        self._scene = Scene()
        self._seq = 1
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self.went_on = threading.Event()  # the technician has read who the box is now

    # --- what happens

    def see(self, camera: str) -> None:
        """How the camera is, in a word."""
        self._turn(camera=camera)

    def join(self, network: str) -> None:
        """A network is being joined."""
        self._turn(phase="join", network=network, said=None)

    def joined(self) -> None:
        """It is joined, and the card may come."""
        self._turn(phase="wait")

    def refuse(self, sentence: str, *, again: bool = False) -> None:
        """Something that was held out does not do, or not now; `again`: it is tried again by itself."""
        self._turn(phase="wait", network="", reached=None, said=Said(tone="bad", text=sentence, again=again))

    def begin(self, unit: str) -> None:
        """A card has come, and the box tries to become its unit."""
        self._turn(phase="work", unit=unit, reached=None, said=None)

    def reach(self, step: Step) -> None:
        """A step of the enrolment is done."""
        self._turn(phase="work", reached=step, said=None)

    def become(self, *, unit: str, vehicle: str, fingerprint: str) -> None:
        """The box is a unit."""
        self._turn(phase="done", unit=unit, vehicle=vehicle, fingerprint=fingerprint, said=None)

    def _turn(self, **changes: Any) -> None:
        with self._lock:
            scene = msgspec.structs.replace(self._scene, **changes)
            if scene == self._scene:
                return
            self._scene = scene
        self._changed()

    def _changed(self) -> None:
        with self._lock:
            self._seq += 1
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    # --- what the page's server asks (firmware/kiosk/shell.py: Terminal)

    @property
    def seq(self) -> int:
        """Grows with each change."""
        return self._seq

    def listen(self, callback: Callable[[], None]) -> None:
        """Have `callback` called after each change."""
        with self._lock:
            self._listeners.append(callback)

    def view(self) -> dict[str, Any]:
        """What the page shows now: by day, whatever the hour."""
        with self._lock:
            scene, language = self._scene, self._language
        done = scene.phase == "done"
        return {
            "screen": "enrol", "lang": language, "theme": "day", "hand": "right",
            "training": False, "moving": False, "overlay": None, "toast": None,
            "stays": done and not self._box.page_follows,  # nothing comes after it
            "d": msgspec.to_builtins(scene) | msgspec.to_builtins(self._box) | {"steps": _steps(scene)},
        }  # fmt: skip

    def command(self, name: str, data: dict[str, Any], *, command_id: str) -> Answer:  # noqa: ARG002  both taps may come twice
        """Speak another language, or go on from the last screen; there is nothing else to tap."""
        if name == ON:
            self.went_on.set()
            return Answer(ok=True)
        if name != LANGUAGE or data.get("lang") not in LANGUAGES:
            return NOT_HERE
        self._language = data["lang"]
        self._changed()
        return Answer(ok=True)

    def photo(self, jpeg: bytes) -> Answer:  # noqa: ARG002  nobody asked for one
        """Refused."""
        return NOT_HERE

    def picture(self, sha256: str) -> bytes | None:  # noqa: ARG002  there is no proof yet
        """None."""
        return None

    def wants(self) -> Literal["scan", "photo"] | None:
        """Nothing that could be dropped onto the page: a code comes through the camera or on a stick."""
        return None


def _steps(scene: Scene) -> list[dict[str, str]]:
    """Each step, done, now or to do."""
    done = len(STEPS) if scene.phase == "done" else 0 if scene.reached is None else STEPS.index(scene.reached) + 1
    return [{"name": step, "state": "done" if n < done else "now" if n == done else "todo"} for n, step in enumerate(STEPS)]
