"""The track on the wire: columns of integer deltas, as JSON, deflated (zlib, RFC 1950).

A column holds the first value and then the difference to the value before it; null stands for "no such value" and is passed over.
The four columns that every fix has (REQUIRED) hold the first value, the first difference, and then by how much the difference changes:
a vehicle that holds its speed leaves small numbers. That costs 9.9 instead of 10.9 bytes a fix in town traffic (8.8 instead of 9.2
with the stops), deflated by 60; the height's noise would only grow by it, and so would that of the others.
docs/track-format.md shows a decoder in Python and one in JavaScript.
"""

from __future__ import annotations

import operator
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import accumulate, chain
from typing import Any

import msgspec

from mqtt.messages import MessageError, Track, decode, encode

UNPACKED_LIMIT_BYTES = 1_000_000  # a batch of 300 fixes is about 9,000; more is an attack or a mistake

Columns = dict[str, list[int | None]]


class TrackPoint(msgspec.Struct, frozen=True):
    """One fix in whole numbers, as the journal and the wire keep it."""

    tseq: int  # its number
    t_ms: int  # UTC from the satellites, milliseconds since 1970
    lat_e7: int  # degrees x 10^7, WGS 84
    lon_e7: int
    alt_m: int | None = None  # above mean sea level
    speed_cms: int | None = None  # over ground
    course_cdeg: int | None = None  # hundredths of a degree from true north
    sats: int | None = None  # used in the fix
    hdop_e1: int | None = None  # tenths


COLUMNS = TrackPoint.__struct_fields__
REQUIRED = ("tseq", "t_ms", "lat_e7", "lon_e7")


def to_columns(points: Sequence[TrackPoint]) -> Columns:
    """Points as delta columns, all of one length; a column in which no point has a value is left out, the REQUIRED ones never."""
    return _packed({name: [getattr(point, name) for point in points] for name in COLUMNS})


def from_columns(columns: Columns) -> list[TrackPoint]:
    """Delta columns as points; MessageError when they cannot be points. Columns that this version does not know are passed over."""
    return to_points(plain(columns))


def to_points(values: Columns) -> list[TrackPoint]:
    """Columns of plain values, as `plain` gives them, as points."""
    return [TrackPoint(*row) for row in zip(*values.values(), strict=True)]


def plain(columns: Columns) -> Columns:
    """Delta columns as columns of plain values, all of COLUMNS in their order; MessageError when they cannot be points."""
    absent = [name for name in REQUIRED if name not in columns]
    if absent:
        raise MessageError(f"column {absent[0]} is missing")
    count = len(columns["tseq"])
    for name in COLUMNS:
        column = columns.get(name)
        if column is not None and len(column) != count:
            raise MessageError(f"column {name} has {len(column)} values where tseq has {count}")
    values = _unpacked(columns)
    numbers: list[Any] = values["tseq"]
    if not all(map(operator.lt, numbers, numbers[1:])):
        raise MessageError("the numbers in column tseq do not rise")
    return values


def join(parts: Iterable[Columns]) -> Columns:
    """The columns of several stretches of points as those of one, without making the points; the parts must be sound."""
    whole: dict[str, list[int | None]] = {name: [] for name in COLUMNS}
    for part in parts:
        for name, values in _unpacked(part).items():
            whole[name] += values
    return _packed(whole)


def _packed(values: Columns) -> Columns:
    """Whole columns of plain values as delta columns, the empty ones left out."""
    kept = {name: column for name, column in values.items() if name in REQUIRED or any(value is not None for value in column)}
    return {name: _deltas(name, column) for name, column in kept.items()}


def _unpacked(columns: Columns) -> Columns:
    """Delta columns as columns of plain values, all there are."""
    nothing: list[int | None] = [None] * len(columns["tseq"])
    return {name: _values(name, columns[name]) if name in columns else nothing for name in COLUMNS}


def _deltas(name: str, values: list[int | None]) -> list[int | None]:
    steps = _differences(values)
    return steps[:1] + _differences(steps[1:]) if name in REQUIRED else steps


def _values(name: str, deltas: list[int | None]) -> list[int | None]:
    if name not in REQUIRED:
        return _sums(deltas)
    steps: list[Any] = deltas
    try:
        values = list(accumulate(chain(steps[:1], accumulate(steps[1:]))))
    except TypeError:
        raise MessageError(f"column {name} has a gap") from None
    if values[:1] == [None]:  # alone in its column: there was nothing to add to it
        raise MessageError(f"column {name} has a gap")
    return values


def _differences(values: list[int | None]) -> list[int | None]:
    if None not in values:  # nearly always: then in C, ten times as fast
        return [*values[:1], *map(operator.sub, values[1:], values)]
    before, out = 0, list[int | None]()
    for value in values:
        out.append(None if value is None else value - before)
        before = before if value is None else value
    return out


def _sums(deltas: list[int | None]) -> list[int | None]:
    told: list[Any] = deltas
    with suppress(TypeError):  # no None is among them, nearly always: then in C, ten times as fast
        return list(accumulate(told))
    total, out = 0, list[int | None]()
    for delta in deltas:
        total += delta or 0
        out.append(None if delta is None else total)
    return out


def pack(track: Track) -> bytes:
    """The payload of up/track."""
    return zlib.compress(encode(track), 9)


def unpack(payload: bytes) -> Track:
    """Read a payload of up/track; MessageError says what is wrong with it."""
    return unpacked(payload)[0]


def unpacked(payload: bytes) -> tuple[Track, Columns]:
    """The same, and its columns as plain values."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(payload, UNPACKED_LIMIT_BYTES)
    except zlib.error as error:
        raise MessageError(f"not deflated: {error}") from None
    if inflater.unused_data:
        raise MessageError(f"{len(inflater.unused_data)} bytes follow the end of the deflated data")
    if inflater.unconsumed_tail or not inflater.eof:
        raise MessageError(f"cut off, or larger than {UNPACKED_LIMIT_BYTES} bytes unpacked")
    track = decode(text, Track)
    values = plain(track.cols)
    numbers = values["tseq"]
    if numbers and not track.tseq <= numbers[0] <= numbers[-1] < track.tseq + track.span:  # type: ignore[operator]  # REQUIRED
        raise MessageError(f"fixes {numbers[0]} to {numbers[-1]} lie outside {track.tseq} to {track.tseq + track.span - 1}")
    return track, values
