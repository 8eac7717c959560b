"""A place in a picture that may hold a barcode, and that place cut out and turned straight. numpy and Pillow, no decoder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]
Floats = npt.NDArray[np.floating[Any]]
Axis = tuple[float, float]

MOST_PX = 1_600  # of a cut's sides
MARGIN_PX = 8.0  # a block's centre is half a block inside
NARROWEST_PX = (
    84.0  # from a linear code's first bar to its last: an EAN-13 has 95 modules, and a pixel a module is the least; a strap has less
)
# The mean square of the edges' energy against the square of its mean: 2 for noise, which is everywhere alike, and more where few tell.
# Of made pictures 49 in 50 matrix codes have more than this, and 9 in 10 pieces of cardboard less.
CLUSTERED = 3.0
FAINT = 1_500.0  # strength: of 86 matrix codes none had less, of 80 in 100 places without a code all


@dataclass
class Region:
    """A parallelogram of a picture: its centre, the direction of a code's rows and that down its bars, and how far it reaches in both."""

    linear: bool
    strength: float  # the larger, the likelier a code
    places: tuple[Values, Values]  # x and y of its blocks
    margin_px: float = MARGIN_PX
    clustered: float = 0.0  # see CLUSTERED
    light: int = 128  # luma of its paper
    turn: float = 0.0  # of the edges' gradient, radians
    along: Axis = (1.0, 0.0)
    down: Axis = (0.0, 1.0)
    centre: tuple[float, float] = (0.0, 0.0)
    half_along_px: float = 0.0
    half_down_px: float = 0.0

    def lay(self, along: Axis, down: Axis) -> None:
        """Put it into these directions: it then just holds its blocks."""
        self.along, self.down = along, down
        xs, ys = self.places
        a, d = self._within(xs, ys)
        margin = self.margin_px
        a0, a1, d0, d1 = (float(end) for end in (a.min() - margin, a.max() + margin, d.min() - margin, d.max() + margin))
        self.half_along_px, self.half_down_px = (a1 - a0) / 2, (d1 - d0) / 2
        self.centre = self._place((a0 + a1) / 2, (d0 + d1) / 2)

    def resize(self, by: float) -> None:
        """To a picture so much larger."""
        xs, ys = self.places
        self.places = ((xs * by).astype(np.float32), (ys * by).astype(np.float32))
        self.margin_px *= by
        self.lay(self.along, self.down)

    @property
    def may_be_code(self) -> bool:
        """Whether a look at it may be worth the time: straps are narrow across their edges, cardboard is rough all over."""
        if self.linear:
            return 2 * self.half_along_px >= NARROWEST_PX
        return self.clustered >= CLUSTERED and self.strength >= FAINT

    def straighten(self, by: float) -> None:
        """Turn a linear one by so many radians."""
        self.turn += by
        self.lay((math.cos(self.turn), math.sin(self.turn)), (-math.sin(self.turn), math.cos(self.turn)))

    def holds(self, x: float, y: float) -> bool:
        """Whether a place of the picture lies in it."""
        a, d = self._within(x - self.centre[0], y - self.centre[1])
        return bool(abs(a) <= self.half_along_px and abs(d) <= self.half_down_px)

    @property
    def corners(self) -> tuple[tuple[int, int], ...]:
        """Its four, in pixels of the picture, clockwise from the code's own top left."""
        return tuple(self.at(a * self.half_along_px, d * self.half_down_px) for a, d in ((-1, -1), (1, -1), (1, 1), (-1, 1)))

    def at(self, along_px: float, down_px: float) -> tuple[int, int]:
        """The pixel so far from the centre in its own directions."""
        x, y = self._place(along_px, down_px)
        return round(self.centre[0] + x), round(self.centre[1] + y)

    def _place(self, a: float, d: float) -> tuple[float, float]:
        return a * self.along[0] + d * self.down[0], a * self.along[1] + d * self.down[1]

    def _within(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Places in its own directions."""
        (ax, ay), (dx, dy) = self.along, self.down
        across = ax * dy - ay * dx
        return (np.asarray(x) * dy - np.asarray(y) * dx) / across, (np.asarray(y) * ax - np.asarray(x) * ay) / across


@dataclass(frozen=True)
class Cut:
    """A region as a picture of its own, upright."""

    image: Image.Image
    region: Region
    reach: tuple[float, float]  # of the region's picture from its centre, in pixels of the whole one

    @property
    def pixels(self) -> Pixels:
        """Its luma."""
        return np.asarray(self.image)

    def corners(self, corners: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        """Places in it as places of the whole picture."""
        (a, d), (width, height) = self.reach, self.image.size
        return tuple(self.region.at((2 * x / width - 1) * a, (2 * y / height - 1) * d) for x, y in corners)


def cut(
    image: Image.Image, region: Region, *, scale: float, scale_down: float | None = None, quiet_px: float = 24, rim_px: float = 8
) -> Cut:
    """The region turned straight and enlarged, with a quiet zone beside it and a rim above and below, in pixels of the whole picture."""
    a, d = region.half_along_px + quiet_px, max(region.half_down_px + rim_px, 2.0)
    width = max(16, min(round(2 * a * scale), MOST_PX))
    height = max(8, min(round(2 * d * (scale_down or scale)), MOST_PX))
    (ax, ay), (dx, dy) = region.along, region.down
    step = (ax * 2 * a / width, dx * 2 * d / height, ay * 2 * a / width, dy * 2 * d / height)
    x0, y0 = region.centre[0] - ax * a - dx * d, region.centre[1] - ay * a - dy * d
    matrix = (step[0], step[1], x0, step[2], step[3], y0)
    straight = image.transform((width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=region.light)
    return Cut(straight, region, (a, d))
