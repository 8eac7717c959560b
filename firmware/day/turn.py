"""One input on its way through the day: the work as it becomes, and what comes of it besides. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, NoReturn

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from drivers.errors import DriverError
from firmware.day.progress import Draft, Load, StopWork
from firmware.day.proof import Attachment, Proof
from firmware.day.work import Day, Face, Moment, Note, Refusal, Screen, Sound, Toast, Work
from mqtt.messages import Run
from mqtt.run import Stop

PLAIN = "^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*$(?!\\n)"  # no control characters, no halves of characters
Word = Annotated[str, Meta(min_length=1, max_length=64, pattern=PLAIN)]
Sentence = Annotated[str, Meta(max_length=500, pattern=PLAIN)]
FRESH_MS = 60_000  # an older position says where the unit was


class Nothing(msgspec.Struct, frozen=True):
    """A command without data."""


class RefusedError(Exception):
    """The input is refused; nothing of it remains."""

    def __init__(self, key: str, **args: Any) -> None:
        super().__init__(key)
        self.refusal = Refusal(key, args)


class Turn:
    """Gathers what one input does. Steps change `work` through it and raise RefusedError to undo all of it."""

    def __init__(self, work: Work, moment: Moment) -> None:
        self.work = work
        self.moment = moment
        self.notes: list[Note] = []
        self.proofs: list[Proof] = []
        self.dropped: list[str] = []
        self.sound: Sound | None = None

    @property
    def run(self) -> Run:
        """The run in force; refused without one."""
        return self.work.run or refuse("run.none")

    @property
    def stop(self) -> Stop:
        """The stop that the driver is at; refused without one."""
        return self.stop_of(self.work.day.current)

    @property
    def progress(self) -> StopWork:
        """What was done at that stop."""
        return self.work.stops.get(self.stop.stop_id, StopWork())

    @property
    def draft(self) -> Draft:
        """The proof in the making there; refused without one."""
        return self.progress.draft or refuse("draft.none")

    def stop_of(self, stop_id: str | None) -> Stop:
        """A stop of the run by its id; refused where there is none."""
        return next((stop for stop in self.run.plan.stops if stop.stop_id == stop_id), None) or refuse("stop.unknown")

    def put(self, **changes: Any) -> None:
        """Change the work."""
        self.work = replace(self.work, **changes)

    def face(self, **changes: Any) -> Face:
        """Change what is shown."""
        self.put(face=replace(self.work.face, **changes))
        return self.work.face

    def show(self, screen: Screen) -> None:
        """Go to a screen."""
        self.face(screen=screen, choice=())

    def day(self, **changes: Any) -> Day:
        """Change the shift."""
        self.put(day=replace(self.work.day, **changes))
        return self.work.day

    def load(self, **changes: Any) -> Load:
        """Change the load."""
        self.put(load=replace(self.work.load, **changes))
        return self.work.load

    def at_stop(self, stop_id: str, **changes: Any) -> None:
        """Change what was done at a stop."""
        before = self.work.stops.get(stop_id, StopWork())
        self.put(stops=self.work.stops | {stop_id: replace(before, **changes)})

    def on_draft(self, **changes: Any) -> Draft:
        """Change the proof in the making."""
        draft = replace(self.draft, **changes)
        self.at_stop(self.stop.stop_id, draft=draft)
        return draft

    def note(self, event: str, **data: Any) -> None:
        """Tell the fleet."""
        self.notes.append(Note(event, data))

    def toast(self, level: Literal["ok", "dup", "wrong", "info"], key: str, **args: Any) -> None:
        """Tell the driver in one line."""
        before = self.work.face.toast
        self.face(toast=Toast(n=before.n + 1 if before else 1, level=level, key=key, args=args))

    def drop(self, attachment: Attachment | None) -> None:
        """Let go of an attachment."""
        if attachment is not None:
            self.dropped.append(attachment.enc_sha256)

    def name_of(self, code: str) -> str:
        """The identity of a code that did not come from a scanner."""
        try:
            return self.moment.identity(code)
        except DriverError:
            return f"raw:{code}"


class Act(msgspec.Struct, frozen=True):
    """A command: the data it takes, the screens it belongs to (None: any), and what it does."""

    takes: type[msgspec.Struct]
    does: Callable[[Turn, Any], None]
    on: frozenset[Screen] | None = None
    moving: bool = False  # allowed while the vehicle moves
    signed_in: bool = True  # asks for a driver


def refuse(key: str, **args: Any) -> NoReturn:
    """Refuse the input for a reason out of `words.WORDS`."""
    raise RefusedError(key, **args)


def on(*screens: Screen) -> frozenset[Screen]:
    """A set of screens."""
    return frozenset(screens)


def is_moving(work: Work, moment: Moment) -> bool:
    """Whether the lock-out holds."""
    return moment.moving is True and not work.face.override
