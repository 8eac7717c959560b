"""Every message of the contract as a struct: the only source of schemas, validation and documentation.

Plain messages (state, live, last, event, health) carry degrees and metres, so that any MQTT client shows them without a decoder.
Numbered messages carry `seq` (events and proofs) or `tseq` (track): a number that is used once in the life of a journal (`log`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from mqtt.run import Plan

CONTRACT = "1.1"  # major.minor; within a major only additions
END = r"$(?!\n)"  # in Python "$" alone lets a line end through, in JSON Schema it does not: this means the same to both

UnitId = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}" + END, description="the unit's name: small letters, digits and hyphens, 32 at most")
]
LogId = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{8}" + END, description="the journal that numbered the record; a new journal starts at 1 under a new name")
]
BootId = Annotated[str, Meta(pattern=r"^[0-9a-f]{6,32}" + END, description="the start of the unit's system under which this was made")]
Number = Annotated[int, Meta(ge=1, le=2**53 - 1, description="record number, from 1, without gaps")]
Upto = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Count = Annotated[int, Meta(ge=0)]
Utc = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z" + END,
        description="UTC, ISO 8601 with milliseconds",
    ),
]
TimeSource = Annotated[
    Literal["gnss", "ntp", "rtc", "floor"],
    Meta(description="how far the time can be trusted; floor: no better than the firmware's build date"),
]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="degrees, WGS 84, north positive")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="degrees, WGS 84, east positive")]
Pair = Annotated[list[Number], Meta(min_length=2, max_length=2, description="first and last number, both included")]


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """What every message says of itself."""

    v: Annotated[int, Meta(ge=1, le=1, description="major version of the contract")] = 1
    unit: UnitId


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit knows of one series of numbers."""

    issued: Upto  # the highest number given to a record
    receipted: Upto  # everything up to here was receipted or counted as dropped
    waiting: Count  # numbers that are still to be receipted
    dropped: Count = 0  # records thinned or dropped under pressure, since the journal was made


class Ledgers(msgspec.Struct, frozen=True, kw_only=True):
    """Both series."""

    seq: Ledger
    tseq: Ledger


class State(Message, frozen=True, kw_only=True, tag_field="typ", tag="state"):
    """Birth, orderly sleep, and last will. A lower session than the known one is ignored: it is an old will arriving late."""

    boot: BootId
    log: LogId
    session: Annotated[int, Meta(ge=1, description="counts the unit's connections; a will carries the session it belongs to")]
    state: Literal["online", "asleep", "offline"]
    t: Utc | None  # None in a will: the broker sends it, nobody knows the unit's time
    contract: str = CONTRACT
    fw: str = ""  # firmware version
    ledger: Ledgers | None = None


class Position(Message, frozen=True, kw_only=True):
    """The newest fix and the vehicle's state with it."""

    boot: BootId
    log: LogId
    t: Utc | None
    latitude: Latitude | None
    longitude: Longitude | None
    gps_accuracy: Annotated[float, Meta(ge=0, description="metres, about two thirds of fixes lie nearer")] | None = None
    altitude_m: float | None = None
    speed_mps: Annotated[float, Meta(ge=0)] | None = None
    course_deg: Annotated[float, Meta(ge=0, lt=360)] | None = None
    satellites: Count | None = None
    fix_age_s: Annotated[float, Meta(ge=0)] | None = None
    ignition: bool | None = None
    moving: bool | None = None
    trip: Annotated[str, Meta(description="parked, driving or paused")] | None = None
    odometer_m: Count | None = None  # driven by this unit, from the wheels' speed as the satellites show it


class Live(Position, frozen=True, kw_only=True, tag_field="typ", tag="live"):
    """The live lane: never delayed by a backlog, never kept."""


class Last(Position, frozen=True, kw_only=True, tag_field="typ", tag="last"):
    """The newest fix, retained, for who comes late."""


class Track(Message, frozen=True, kw_only=True, tag_field="typ", tag="track"):
    """The history lane: a batch of fixes, oldest first, as columns of integer deltas (see mqtt/codec.py)."""

    boot: BootId
    log: LogId
    tseq: Number
    span: Annotated[
        int,
        Meta(ge=1, description="numbers accounted for, from tseq on; those without a fix were thinned or dropped, on purpose and counted"),
    ]
    cols: Annotated[
        dict[str, list[int | None]],
        Meta(
            description="columns of equal length, in whole numbers; differences, null where a fix has no such value: docs/track-format.md"
        ),
    ]


class Event(Message, frozen=True, kw_only=True, tag_field="typ", tag="event"):
    """Something that happened, at once."""

    boot: BootId
    log: LogId
    seq: Number
    span: Annotated[int, Meta(ge=1, description="numbers accounted for, from seq on; above 1 it stands for dropped records")] = 1
    t: Utc
    src: TimeSource
    mono_ms: Annotated[int, Meta(ge=0, description="milliseconds since the boot named, for order and durations")]
    event: Annotated[str, Meta(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*" + END, max_length=64)]
    data: dict[str, Any] = {}
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class JournalHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The store on the unit."""

    used_bytes: Count
    quota_bytes: Count
    disk_free_bytes: Count


class Health(Message, frozen=True, kw_only=True, tag_field="typ", tag="health"):
    """How the unit is; nothing in it is worth keeping for long."""

    boot: BootId
    log: LogId
    t: Utc
    src: TimeSource
    uptime_s: Count
    ledger: Ledgers
    journal: JournalHealth
    link: Annotated[str, Meta(description="state of the way to the broker and receiver, see mqtt/link.py")]
    connects: Count = 0
    gnss: str = ""  # the receiver's state as a sentence
    sentences_good: Count = 0
    sentences_bad: Count = 0
    cpu_temp_c10: int | None = None
    memory_rss_bytes: Count | None = None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver holds durably of one series."""

    upto: Upto  # every number from 1 to here
    also: list[Pair] = []  # and these above it
    missing: list[Pair] = []  # receipted once, held no more (an old backup was restored): please send them again


class Pod(Message, frozen=True, kw_only=True, tag_field="typ", tag="pod"):
    """A signed evidence record on its way: `rec` and `jws` alone are evidence, `log` and `seq` number it for the receipt."""

    boot: BootId
    log: LogId
    seq: Number
    rec: Annotated[str, Meta(max_length=500_000, description="the canonical JSON (RFC 8785) of the record, byte for byte as signed")]
    jws: Annotated[str, Meta(max_length=1_000, description="detached JWS, ES256 (RFC 7515, appendix F)")]


class SignedReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The receiver's signature over what it stored: acknowledgement, counter-signature and head of the chain in one."""

    rc: Annotated[str, Meta(max_length=2_000)]
    jws: Annotated[str, Meta(max_length=1_000)]


class BlobHeld(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver holds of one attachment."""

    upto: Upto  # bytes from the start, without a hole
    whole: bool = False  # all of it, and its hash fits


class Receipt(Message, frozen=True, kw_only=True, tag_field="typ", tag="receipt"):
    """The receiver's word that it has stored records, cumulative: what lets a unit forget them; a proof needs its signed receipt too."""

    log: LogId
    received: Utc
    seq: Held
    tseq: Held
    proofs: list[SignedReceipt] = []  # of signed records stored just now, or asked for anew, newest last
    blobs: dict[str, BlobHeld] = {}  # attachments of which something came just now, by the SHA-256 of what is sent


class Run(Message, frozen=True, kw_only=True, tag_field="typ", tag="run"):
    """The day's stops, whole, retained; `n` only grows."""

    n: Annotated[int, Meta(ge=1, le=2**53 - 1, description="version of the run: a lower one than the unit has is refused")]
    t: Utc
    plan: Plan


class Watch(Message, frozen=True, kw_only=True, tag_field="typ", tag="watch"):
    """Somebody looks at the map: raise the live lane."""

    every_s: Annotated[int, Meta(ge=1, le=5)] = 5
    for_s: Annotated[int, Meta(ge=0, le=600)] = 600


AnyMessage = State | Live | Last | Track | Event | Pod | Health | Receipt | Watch | Run
Kind = TypeVar("Kind", bound=Message)


class MessageError(ValueError):
    """A payload breaks the contract; the sentence says where."""


def decode(payload: bytes, kind: type[Kind]) -> Kind:
    """Read a JSON payload strictly, unknown keys apart; MessageError says what is wrong in it, and where."""
    try:
        message = msgspec.json.decode(payload, type=AnyMessage)  # of one struct alone, msgspec would not ask for its typ
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(str(error)) from None
    if not isinstance(message, kind):
        raise MessageError(f"a {type(message).__name__.lower()} where a {kind.__name__.lower()} should be - at `$.typ`")
    return message


def encode(message: Message) -> bytes:
    """The message as compact UTF-8 JSON."""
    return msgspec.json.encode(message)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_text(at_ms: int) -> str:
    """Milliseconds since 1970 as the contract writes a time; OverflowError outside the years 1 to 9999."""
    at = EPOCH + timedelta(milliseconds=at_ms)
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def utc_ms(text: str) -> int:
    """A time of the contract as milliseconds since 1970; MessageError when there is no such day or hour, or no UTC offset."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise MessageError(f"{text!r} is not a time: {error}") from None
    if at.tzinfo is None:
        raise MessageError(f"{text!r} does not say that it is UTC: it must end in Z")
    return (at - EPOCH) // timedelta(milliseconds=1)
