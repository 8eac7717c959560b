"""What came in: a message of a unit read into what the store keeps. Never raises on what units send.

A numbered message that breaks the contract is kept as it came, flagged and receipted: a unit must not send it again for ever.
What says no number is refused: kept aside for people to look at, and never receipted.
"""

from __future__ import annotations

import json
import re
import zlib
from array import array
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from mqtt import codec, topics
from mqtt.codec import Columns, TrackPoint
from mqtt.messages import (
    BootId,
    Event,
    Health,
    Last,
    Ledgers,
    Live,
    LogId,
    Message,
    MessageError,
    Number,
    Pod,
    State,
    UnitId,
    decode,
    utc_ms,
)

TOP_NUMBER = 2**53 - 1  # of the contract: what JSON readers keep exact
TOP_INTEGER = 2**63 - 1  # of a database
LAT_E7, LON_E7 = 900_000_000, 1_800_000_000
SMALL = 2**31  # no height, speed or count of a real fix comes near it
PLACED = (("t_ms", 0, TOP_NUMBER), ("lat_e7", -LAT_E7, LAT_E7), ("lon_e7", -LON_E7, LON_E7))
MEASURED = ("alt_m", "speed_cms", "course_cdeg", "sats", "hdop_e1")
REASON_LIMIT = 300  # characters of a reason that are worth keeping
BLOB = re.compile(r"up/blob/([0-9a-f]{64})/(\d{1,15})")
ATTACHMENT_LIMIT_BYTES = 4 * 1024 * 1024  # a photo has a tenth of it; a sick unit must not fill the disk


class Series(StrEnum):
    """The two series of numbers of a journal."""

    SEQ = "seq"  # events, proofs: one number a record
    TSEQ = "tseq"  # fixes: one number a fix


class Fixes(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of the track; numbers first..first+span-1 without a point were dropped by the unit on purpose."""

    unit: str
    log: str
    boot: str
    first: int
    span: int
    values: Columns  # plain, as codec.plain gives them
    payload: bytes

    @property
    def points(self) -> list[TrackPoint]:
        """Its fixes."""
        return codec.to_points(self.values)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A numbered message, kept with its payload as it came."""

    unit: str
    log: str
    series: Series
    number: int
    span: int
    kind: str  # the topic behind up/: "event", "pod"
    payload: bytes
    boot: str | None = None
    event: str | None = None
    t_ms: int | None = None
    mono_ms: int | None = None
    data: str | None = None  # JSON, keys sorted
    fault: str | None = None  # why it is not an ordinary record


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A message of which only the newest is worth keeping."""

    unit: str
    kind: str  # "state", "live", "last", "health", "reported"
    payload: bytes
    at_ms: int  # when it was true: the unit's time where it can be trusted and is not ahead of ours
    log: str | None = None
    session: int | None = None  # of a state
    state: str | None = None
    ledgers: Ledgers | None = None


class Blob(msgspec.Struct, frozen=True, kw_only=True):
    """A raw piece of an attachment."""

    unit: str
    sha: str
    at_byte: int
    payload: bytes


class SignedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A proof as it came: a numbered record, and in it what is signed. Nobody has checked it yet."""

    record: Record
    rec: str
    jws: str

    @property
    def unit(self) -> str:
        """Whose topic it came on."""
        return self.record.unit


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What cannot be stored under a number."""

    topic: str
    payload: bytes
    reason: str


Item = Fixes | Record | SignedRecord | Report | Blob | Refused


class Numbering(msgspec.Struct, frozen=True, kw_only=True):
    """The least that a record must say of itself."""

    unit: UnitId
    log: LogId
    seq: Number | None = None
    tseq: Number | None = None
    span: Any = 1
    boot: BootId | None = None


class Belonging(msgspec.Struct, frozen=True):
    """Whose a message is."""

    unit: UnitId


Loose = TypeVar("Loose", Numbering, Belonging)


def read(topic: str, payload: bytes, received_ms: int) -> list[Item]:
    """Read one message; mostly one item, two when a track carries more than this version understands."""
    address = topics.parse(topic)
    if address is None or not address.name.startswith("up/"):
        return [Refused(topic=topic, payload=payload, reason="the topic is none of rp/v1/UNIT/up/...")]
    try:
        return _items(address, payload, received_ms)
    except (ValueError, RecursionError) as error:  # MessageError, and what JSON's edges add to it
        return [_rescued(topic, address, payload, sentence(error))]


def _items(address: topics.Address, payload: bytes, received_ms: int) -> list[Item]:
    match address.channel:
        case topics.TRACK:
            items = _track(address.unit, payload)
        case topics.EVENT:
            items = [_event(address.unit, payload)]
        case topics.POD:
            items = [_pod(address.unit, payload)]
        case topics.BLOB:
            items = [_blob(address, payload)]
        case topics.STATE | topics.LIVE | topics.LAST | topics.HEALTH | topics.REPORTED as channel:
            items = [_report(address.unit, channel, payload, received_ms)]
        case _:
            items = [_numbered(address, payload, None)]  # stored without understanding it
    return items


def sentence(error: Exception) -> str:
    """An error's text as a database and a terminal can take it."""
    return "".join(c if c.isprintable() else "?" for c in str(error)[:REASON_LIMIT])


def _own(unit: str, message: Message | Numbering | Belonging) -> None:
    if message.unit != unit:
        raise MessageError(f"the payload is of unit {message.unit}, the topic of {unit}")


def _track(unit: str, payload: bytes) -> list[Item]:
    track, values = codec.unpacked(payload)
    _own(unit, track)
    fixes = Fixes(unit=unit, log=track.log, boot=track.boot, first=track.tseq, span=track.span, values=values, payload=payload)
    if not _is_possible(values):
        for point in fixes.points:
            _check(point)
    unknown = track.cols.keys() - set(codec.COLUMNS)
    if track.tseq + track.span - 1 > TOP_NUMBER:
        raise MessageError(f"span {track.span} leads beyond the highest number")
    if not unknown:
        return [fixes]
    fault = sentence(MessageError(f"columns of a newer version: {', '.join(sorted(unknown))}"))
    whole = Record(
        unit=unit, log=track.log, series=Series.TSEQ, number=track.tseq, span=track.span, kind="track",
        payload=payload, boot=track.boot, fault=fault,
    )  # fmt: skip
    return [fixes, whole]


def _is_possible(values: Columns) -> bool:
    """Whether `_check` takes every fix; a column at a time, because that is done in C."""
    placed: list[tuple[list[Any], int, int]] = [(values[name], least, most) for name, least, most in PLACED]
    if not all(least <= min(column, default=least) and max(column, default=most) <= most for column, least, most in placed):
        return False
    try:
        for name in MEASURED:
            _small(values[name])
    except OverflowError:
        return False
    return True


def _small(column: list[Any]) -> array[int]:
    """Values of 32 bits, those that are there; OverflowError for a larger one."""
    try:
        return array("i", column)
    except TypeError:
        return array("i", [value for value in column if value is not None])


def _check(point: TrackPoint) -> None:
    """MessageError when a fix lies nowhere on earth: no database column would take it."""
    if not (abs(point.lat_e7) <= LAT_E7 and abs(point.lon_e7) <= LON_E7):
        raise MessageError(f"fix {point.tseq} lies outside the earth's coordinates")
    if not 0 <= point.t_ms <= TOP_NUMBER:
        raise MessageError(f"fix {point.tseq} has no possible time")
    others = (point.alt_m, point.speed_cms, point.course_cdeg, point.sats, point.hdop_e1)
    if any(value is not None and not -SMALL <= value < SMALL for value in others):
        raise MessageError(f"fix {point.tseq} has an impossible value")


def _event(unit: str, payload: bytes) -> Record:
    event = decode(payload, Event)
    assert isinstance(event, Event)
    _own(unit, event)
    if event.mono_ms > TOP_INTEGER or event.seq + event.span - 1 > TOP_NUMBER:
        raise MessageError("mono_ms or span is impossibly large")
    return Record(
        unit=unit, log=event.log, series=Series.SEQ, number=event.seq, span=event.span, kind="event", payload=payload,
        boot=event.boot, event=event.event, t_ms=utc_ms(event.t), mono_ms=event.mono_ms, data=json.dumps(event.data, sort_keys=True),
    )  # fmt: skip


def _report(unit: str, channel: topics.Channel, payload: bytes, received_ms: int) -> Report:
    if channel.message is None:  # reported: its payload comes with a later version
        _own(unit, _loosely(payload, Belonging))
        return Report(unit=unit, kind=channel.kind, payload=payload, at_ms=received_ms)
    message = decode(payload, channel.message)
    assert isinstance(message, State | Live | Last | Health)
    _own(unit, message)
    told_ms = received_ms if message.t is None else utc_ms(message.t)
    floor = isinstance(message, Health) and message.src == "floor"
    at_ms = received_ms if floor else max(0, min(told_ms, received_ms))
    report = Report(unit=unit, kind=channel.kind, payload=payload, at_ms=at_ms, log=message.log)
    if isinstance(message, State):
        session = min(message.session, TOP_INTEGER)
        return msgspec.structs.replace(report, session=session, state=message.state, ledgers=message.ledger)
    if isinstance(message, Health):
        return msgspec.structs.replace(report, ledgers=message.ledger)
    return report


def _pod(unit: str, payload: bytes) -> SignedRecord:
    pod = decode(payload, Pod)
    assert isinstance(pod, Pod)
    _own(unit, pod)
    if "\x00" in pod.rec + pod.jws:
        raise MessageError("rec or jws holds a character that no database takes")
    record = Record(unit=unit, log=pod.log, series=Series.SEQ, number=pod.seq, span=1, kind="pod", payload=payload, boot=pod.boot)
    return SignedRecord(record=record, rec=pod.rec, jws=pod.jws)


def _blob(address: topics.Address, payload: bytes) -> Blob:
    chunk = BLOB.fullmatch(address.name)
    if chunk is None:
        raise MessageError("a piece of an attachment comes on up/blob/SHA-256/OFFSET")
    at_byte = int(chunk[2])
    if not 1 <= len(payload) <= topics.BLOB_CHUNK_BYTES:
        raise MessageError(f"a piece of an attachment holds 1 to {topics.BLOB_CHUNK_BYTES} bytes")
    if at_byte + len(payload) > ATTACHMENT_LIMIT_BYTES:
        raise MessageError(f"an attachment has {ATTACHMENT_LIMIT_BYTES} bytes at most")
    return Blob(unit=address.unit, sha=chunk[1], at_byte=at_byte, payload=payload)


def _rescued(topic: str, address: topics.Address, payload: bytes, fault: str) -> Item:
    """What breaks the contract: kept under its number, if it says one."""
    if address.channel in {topics.TRACK, topics.EVENT, topics.POD}:
        try:
            return _numbered(address, payload, fault)
        except MessageError:
            pass  # the first fault is the one to tell
    return Refused(topic=topic, payload=payload, reason=fault)


def _numbered(address: topics.Address, payload: bytes, fault: str | None) -> Record:
    told = _loosely(payload, Numbering)
    _own(address.unit, told)
    number = told.tseq if told.seq is None else told.seq
    if number is None:
        raise MessageError("it says neither seq nor tseq")
    span = told.span if type(told.span) is int and 1 <= told.span <= TOP_NUMBER - number + 1 else 1
    return Record(
        unit=told.unit, log=told.log, series=Series.TSEQ if told.seq is None else Series.SEQ, number=number, span=span,
        kind=address.name.removeprefix("up/"), payload=payload, boot=told.boot, fault=fault,
    )  # fmt: skip


def _loosely(payload: bytes, kind: type[Loose]) -> Loose:
    """JSON, plain or deflated, read for the named fields alone."""
    text = payload
    if not payload.lstrip().startswith(b"{"):
        try:
            text = zlib.decompressobj().decompress(payload, codec.UNPACKED_LIMIT_BYTES)
        except zlib.error:
            raise MessageError("it is no JSON object") from None
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(str(error)) from None
