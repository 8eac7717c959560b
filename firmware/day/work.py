"""The driver's work as one value, what comes in, what comes out, and its rows for the journal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from firmware.day.progress import Check, Load, Parcel, Pending, StopWork, Tries, Visit
from firmware.day.proof import Attachment, Cash, Item, Proof, Recipient, Where
from mqtt.messages import Run

__all__ = [
    "Attachment", "Cash", "Command", "Day", "Face", "Input", "Item", "Moment", "Note", "Offer", "PhotoMade", "Proof", "Recipient",
    "Refusal", "Result", "RunArrived", "Scanned", "ScannedTogether", "Screen", "Seen",
    "SignatureMade", "Tick", "Toast", "Where", "Work", "from_rows", "rows",
]  # fmt: skip

Screen = Literal[
    "boot", "signin", "check", "load", "drive", "route", "stop", "scan", "photo", "cod", "pin", "sign", "rate", "name",
    "exception", "messages", "end",
]  # fmt: skip
Sound = Literal["accept", "duplicate", "wrong", "done"]


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about now that a decision may need."""

    at_ms: int  # UTC, milliseconds since 1970
    mono_ms: int  # since the boot named
    src: str = "gnss"  # gnss | ntp | rtc | floor
    err_ms: int = 0
    boot: str = ""
    position: Where | None = None
    moving: bool | None = None  # None: nothing tells
    ignition: bool | None = None  # None: not wired
    online: bool = False
    queue: int = 0  # records that wait to be sent
    camera: str = "ok"  # or a word for what is wrong with it
    disk_full: bool = False
    ready: bool = True  # the self-tests that the day needs have passed
    odometer_m: float | None = None
    fresh_id: str = ""  # a UUID that nothing else has
    identity: Callable[[str], str] = str.strip  # a barcode's text -> what identifies the parcel; the same as in Scanned


class Command(msgspec.Struct, frozen=True):
    """A tap on the page."""

    name: str
    data: dict[str, Any] = {}


class Scanned(msgspec.Struct, frozen=True):
    """A barcode was read."""

    code: str
    symbology: str
    identity: str
    sure: bool = True  # False: it may be misread, and only the list of parcels or the driver can tell


class ScannedTogether(msgspec.Struct, frozen=True):
    """Several barcodes were read in one picture."""

    codes: tuple[Scanned, ...]


class PhotoMade(msgspec.Struct, frozen=True):
    """A picture was taken, sealed and stored."""

    attachment: Attachment
    warning: Literal["blurred", "dark"] | None = None


class SignatureMade(msgspec.Struct, frozen=True):
    """A signature was sealed and stored."""

    attachment: Attachment


class RunArrived(msgspec.Struct, frozen=True):
    """The fleet sent a run, perhaps the same one again."""

    run: Run


class Tick(msgspec.Struct, frozen=True):
    """Time went by."""


Input = Command | Scanned | ScannedTogether | PhotoMade | SignatureMade | RunArrived | Tick


class Note(msgspec.Struct, frozen=True):
    """An event for the fleet."""

    event: str
    data: dict[str, Any] = {}


class Refusal(msgspec.Struct, frozen=True):
    """Why nothing was changed: a key of `words.WORDS`, and what fills its placeholders."""

    key: str
    args: dict[str, Any] = {}


class Toast(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line for the driver; `n` tells a new one from the same one drawn again."""

    n: int
    level: Literal["ok", "dup", "wrong", "info"]
    key: str
    args: dict[str, Any] = {}


class Face(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the page shows and how."""

    screen: Screen = "boot"
    back: Screen = "route"  # where messages return to
    toast: Toast | None = None
    lang: str = "en"
    theme: Literal["auto", "day", "night"] = "auto"
    hand: Literal["right", "left"] = "right"
    override: bool = False  # the lock-out is lifted until the vehicle stands
    choice: tuple[Scanned, ...] = ()  # codes that were seen, of which the driver is to tap the one that is meant


class Offer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A newer run that waits for the driver's word."""

    run: Run
    added: int = 0
    removed: int = 0
    changed: int = 0
    called: bool = False  # the driver wants to talk first


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A run that came, to know it again."""

    n: int
    digest: str  # SHA-256 of its plan


class Day(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shift."""

    driver: str | None = None  # signed in now
    begun_ms: int | None = None  # first sign-in of this run's day
    begun_odometer_m: float | None = None
    tries: Tries = Tries()
    current: str | None = None  # the stop that the driver chose or stands at
    visit: Visit | None = None
    check: Check = Check()
    read: dict[str, int] = {}  # message_id -> when
    replies: dict[str, str] = {}  # message_id -> what was answered
    counted: int | None = None  # the cash at the end of the day


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `practice` set: what the driver does goes there, and nothing of it ever leaves the unit."""

    face: Face = Face()
    day: Day = Day()
    run: Run | None = None  # in force
    codes: dict[str, tuple[Parcel, ...]] = {}  # the run's parcels by identity
    seen: Seen | None = None  # the newest run that came
    offer: Offer | None = None
    load: Load = Load()
    stops: dict[str, StopWork] = {}
    pending: Pending | None = None
    practice: Work | None = None

    @property
    def screen(self) -> Screen:
        """The screen of whom it is now: of the practice while it runs."""
        return self.practice.screen if self.practice else self.face.screen


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an input. With a refusal, `work` is what it was and the other fields are empty, `dropped` apart."""

    work: Work
    notes: list[Note] = []
    proofs: list[Proof] = []
    sound: Sound | None = None
    refusal: Refusal | None = None
    dropped: list[str] = []  # enc_sha256 of attachments that nothing refers to any more


STOP = "stop:"
PRACTICE = "practice/"
Value = TypeVar("Value")


def rows(work: Work) -> dict[str, bytes]:
    """The work in named pieces, so that a step writes only what it changed."""
    pieces: dict[str, Any] = {
        "face": work.face,
        "day": work.day,
        "run": work.run,
        "codes": work.codes,
        "seen": work.seen,
        "offer": work.offer,
        "load": work.load,
        "pending": work.pending,
    }
    named = {name: msgspec.json.encode(piece) for name, piece in pieces.items() if piece}
    named |= {STOP + stop_id: msgspec.json.encode(piece) for stop_id, piece in work.stops.items()}
    if work.practice:
        named |= {PRACTICE + name: row for name, row in rows(work.practice).items()}
    return named


def from_rows(named: Mapping[str, bytes]) -> Work:
    """The work that was written as these rows; a damaged row is as if it had never been written, an unknown one is ignored."""
    stops = {name.removeprefix(STOP): _read(row, StopWork) for name, row in named.items() if name.startswith(STOP)}
    practice = {name.removeprefix(PRACTICE): row for name, row in named.items() if name.startswith(PRACTICE)}
    return Work(
        face=_read(named.get("face"), Face) or Face(),
        day=_read(named.get("day"), Day) or Day(),
        run=_read(named.get("run"), Run),
        codes=_read(named.get("codes"), dict[str, tuple[Parcel, ...]]) or {},
        seen=_read(named.get("seen"), Seen),
        offer=_read(named.get("offer"), Offer),
        load=_read(named.get("load"), Load) or Load(),
        stops={stop_id: stop for stop_id, stop in stops.items() if stop is not None},
        pending=_read(named.get("pending"), Pending),
        practice=from_rows(practice) if practice else None,
    )


def _read(row: bytes | None, kind: type[Value]) -> Value | None:
    if row is None:
        return None
    try:
        return msgspec.json.decode(row, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
