"""A signature as the unit sends it, as a drawing. Pure; only whole numbers reach the markup, so a hostile signature can inject nothing."""

from __future__ import annotations

from itertools import accumulate
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MIME = "application/vnd.roadproof.strokes+json"
POINTS_LIMIT = 50_000  # ten minutes at the rate of a touchscreen
SMALLEST = 200  # quarter pixels: a dot is not blown up to the size of a name
PEN = 8  # quarter pixels

Step = Annotated[int, Meta(ge=-100_000, le=100_000)]
Field = Literal["x", "y", "t_ms", "p"]


class Strokes(msgspec.Struct, frozen=True, kw_only=True):
    """A whole signature: in each stroke one value a field and point, the first point as it is, the others as differences."""

    v: Annotated[int, Meta(ge=1, le=1)]
    unit: Literal["px/4"]
    fields: Annotated[list[Field], Meta(min_length=2, max_length=4)]
    strokes: Annotated[list[Annotated[list[Step], Meta(min_length=2)]], Meta(max_length=2_000)]


class StrokesError(ValueError):
    """An attachment that claims to be a signature is none."""


def read(data: bytes) -> Strokes:
    """The strokes; StrokesError when they are none, or too many to be a signature."""
    try:
        strokes = msgspec.json.decode(data, type=Strokes)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StrokesError(f"the signature cannot be drawn: {str(error)[:100]}") from None
    if strokes.fields[:2] != ["x", "y"] or any(len(stroke) % len(strokes.fields) for stroke in strokes.strokes):
        raise StrokesError("the signature cannot be drawn: a stroke has more x than y")
    if sum(map(len, strokes.strokes)) > POINTS_LIMIT * len(strokes.fields):
        raise StrokesError("the signature cannot be drawn: it has too many points")
    return strokes


def svg(strokes: Strokes) -> str:
    """An SVG of the signature, cut to its own size."""
    width = len(strokes.fields)
    lines = [list(zip(accumulate(stroke[0::width]), accumulate(stroke[1::width]), strict=True)) for stroke in strokes.strokes]
    xs, ys = [x for line in lines for x, _ in line] or [0], [y for line in lines for _, y in line] or [0]
    (left, across), (top, down) = _extent(xs), _extent(ys)
    paths = "".join(_path(line) for line in lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left} {top} {across} {down}">'
        f'<g fill="none" stroke="#111" stroke-width="{PEN}" stroke-linecap="round" stroke-linejoin="round">{paths}</g></svg>'
    )


def _extent(values: list[int]) -> tuple[int, int]:
    """Where the drawing begins and how far it goes, with room for the pen."""
    low, high = min(values), max(values)
    room = max(PEN, (SMALLEST - (high - low)) // 2)
    return low - room, high - low + 2 * room


def _path(line: list[tuple[int, int]]) -> str:
    (x, y), rest = line[0], line[1:] or [(line[0][0] + 1, line[0][1])]  # a dot is a line of no length, which some do not draw
    return f'<path d="M{x} {y}L' + " ".join(f"{x} {y}" for x, y in rest) + '"/>'
