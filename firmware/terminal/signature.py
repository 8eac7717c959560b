"""A signature as it is kept: strokes as whole-number differences, small enough to be sealed and sent as they are. Pure.

The page sends whole numbers too (firmware/kiosk/static/parts/strokes.js): of each stroke the columns x, y (quarters of a pixel from the top
left corner), t (milliseconds) as differences after the first, and p (pressure, 0 to 255) as it is. Kept are x and y; time and pressure only
where the setting `terminal.signature_dynamics` asks for them, because how somebody moves a pen identifies him.
"""

from __future__ import annotations

from itertools import accumulate, chain, pairwise
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mqtt.evidence.canonical import jcs

MIME = "application/vnd.roadproof.strokes+json"
LEAST = 80  # quarters of a pixel: less than that is a tap by mistake, not a name
LARGEST_POINTS = 5_000  # a pen gives 60 to 120 a second: a minute of signing
BEYOND = 400  # quarters of a pixel: a stroke may leave the canvas a little before it ends
LONGEST_MS = 3_600_000

Column = Annotated[list[Annotated[int, Meta(ge=-1_000_000, le=4_000_000)]], Meta(min_length=1, max_length=LARGEST_POINTS)]


class Stroke(msgspec.Struct, frozen=True):
    """One line of the pen, as differences after the first value; the pressure as it is."""

    x: Column
    y: Column
    t: Column
    p: Annotated[list[Annotated[int, Meta(ge=0, le=255)]], Meta(min_length=1, max_length=LARGEST_POINTS)]


class Drawn(msgspec.Struct, frozen=True):
    """What the page drew, in quarters of a pixel."""

    v: Annotated[int, Meta(ge=1, le=1)]
    unit: Literal["q"]
    w: Annotated[int, Meta(ge=200, le=40_000)]
    h: Annotated[int, Meta(ge=200, le=40_000)]
    strokes: Annotated[list[Stroke], Meta(min_length=1, max_length=500)]


class Sent(msgspec.Struct, frozen=True):
    """The data of the command."""

    strokes: Drawn


class SignatureError(ValueError):
    """What was drawn is no signature; `key` names the page's text for it."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def read(data: Any) -> Drawn:
    """Check what the page sent; SignatureError when it is ill-formed, out of range, or only a dot."""
    try:
        drawn = msgspec.convert(data, Sent).strokes
    except (msgspec.ValidationError, RecursionError):
        raise SignatureError("sign.ill_formed") from None
    if sum(len(stroke.x) for stroke in drawn.strokes) > LARGEST_POINTS or not all(_fits(stroke, drawn) for stroke in drawn.strokes):
        raise SignatureError("sign.ill_formed")
    if sum(abs(step) for stroke in drawn.strokes for step in (*stroke.x[1:], *stroke.y[1:])) < LEAST:
        raise SignatureError("sign.empty")
    return drawn


def compact(drawn: Drawn, *, dynamics: bool) -> bytes:
    """Canonical JSON: of each stroke one list, of each point x, y (and t, p), the first as it is, the others as the difference to it.

    {"fields": ["x", "y"], "height": 400, "strokes": [[x, y, dx, dy, ...], ...], "unit": "px/4", "v": 1, "width": 1200}
    """
    fields = ["x", "y", "t_ms", "p"] if dynamics else ["x", "y"]
    return jcs(
        {
            "v": 1,
            "unit": "px/4",
            "width": drawn.w,
            "height": drawn.h,
            "fields": fields,
            "strokes": [_kept(stroke, len(fields)) for stroke in drawn.strokes],
        }
    )


def _fits(stroke: Stroke, drawn: Drawn) -> bool:
    """Whether the columns are of one length and stay on the canvas, and time runs forwards."""
    if not len(stroke.x) == len(stroke.y) == len(stroke.t) == len(stroke.p) or min(stroke.t) < 0 or sum(stroke.t) > LONGEST_MS:
        return False
    inside_x = all(-BEYOND <= x <= drawn.w + BEYOND for x in accumulate(stroke.x))
    return inside_x and all(-BEYOND <= y <= drawn.h + BEYOND for y in accumulate(stroke.y))


def _kept(stroke: Stroke, fields: int) -> list[int]:
    pressure = [stroke.p[0], *(after - before for before, after in pairwise(stroke.p))]
    columns = [stroke.x, stroke.y, stroke.t, pressure][:fields]
    return list(chain.from_iterable(zip(*columns, strict=True)))
