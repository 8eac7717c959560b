"""What would help the camera to read, in a word for the driver, and when its focus is stuck. Pure but for `glimpse`.

Limits measured on synthetic labels (1280 x 960, 22 pictures a fault), lowest and highest tenth: the brightest part of a clean label is 249,
in poor light 24 to 50; glare covers 0.05 to 0.14 of the middle, a clean label has 0.03 as bright; sharpness is 0.13 to 0.27, out of focus
0.06 to 0.14, moved 0.09 to 0.22.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from PIL import Image, ImageChops, ImageFilter, ImageStat

from drivers.camera import Frame

Hint = Literal["torch", "glare", "closer", "still"]

MIDDLE = (0.16, 0.22, 0.84, 0.78)  # the corners that the driver aims with
THUMB = 8  # pixels of the frame to one of the thumbnail
HALF = 2
EDGES = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
DARK_UNDER = 60  # luma of the brightest twentieth
WHITE, GLARE_OVER = 251, 0.045
BLURRED_UNDER = 0.11
LEAST_CONTRAST = 40  # a wall has no edges and is not blurred
MOVED_OVER = 0.12  # of the contrast, from one look to the next
TOO_SMALL_PX = 1.2  # a module: with less about half of the labels are read
LOOK_EVERY_S = 0.2
UNREAD_S = 1.0  # so long nothing was read before anything is said
KEPT_S = 1.5  # a word that comes and goes cannot be read
STUCK_S = 1.5  # blurred, though nothing moves and the camera says that it does not focus
REFOCUS_EVERY_S = 4.0


class Glimpse(msgspec.Struct, frozen=True):
    """What the middle of a frame looks like, measured on few of its pixels (about 1 ms)."""

    bright: int  # luma of the brightest twentieth
    dark: int  # of the darkest
    glare: float  # share that is white throughout
    sharpness: float  # deviation of the Laplacian, as a share of the contrast
    thumb: Image.Image

    @property
    def contrast(self) -> int:
        """Between the brightest and the darkest twentieth."""
        return self.bright - self.dark


def glimpse(frame: Frame) -> Glimpse:
    """Measure a frame."""
    size = (frame.width, frame.height)
    whole = Image.frombuffer("L", size, frame.luma, "raw", "L", frame.stride, 1)  # type: ignore[arg-type]  # it takes any buffer
    left, top, right, bottom = MIDDLE
    middle = whole.crop((round(left * frame.width), round(top * frame.height), round(right * frame.width), round(bottom * frame.height)))
    thumb = middle.reduce(THUMB)
    histogram = thumb.histogram()
    dark, bright = _level(histogram, 0.05), _level(histogram, 0.95)
    edges = ImageStat.Stat(middle.reduce(HALF).filter(EDGES)).stddev[0]
    return Glimpse(
        bright=bright,
        dark=dark,
        glare=sum(histogram[WHITE:]) / sum(histogram),
        sharpness=edges / max(1, bright - dark),
        thumb=thumb,
    )


def _level(histogram: list[int], share: float) -> int:
    """The luma below which that share of the pixels lies."""
    left = share * sum(histogram)
    for luma, count in enumerate(histogram):
        left -= count
        if left <= 0:
            return luma
    return 255


class Hints:
    """Follows what the camera sees while nothing is read."""

    def __init__(self) -> None:
        self._read_s: float | None = None  # when something was read last, or the looking began
        self._looked_s = float("-inf")
        self._before: Image.Image | None = None
        self._hint: Hint | None = None
        self._said_s = 0.0
        self._blurred_s: float | None = None
        self._refocused_s = float("-inf")

    def read(self, at_s: float) -> None:
        """Something was read: whatever was wrong is so no longer."""
        self._read_s, self._hint, self._blurred_s = at_s, None, None

    def due(self, at_s: float) -> bool:
        """Whether it is time for another look."""
        if self._read_s is None:
            self._read_s = at_s
        return at_s - self._looked_s >= LOOK_EVERY_S

    def look(self, seen: Glimpse, module_px: float | None, at_s: float) -> None:
        """Take a look into account; `module_px` is the width of a module of the code that is seen and not read, None where none is."""
        moved = self._moved(seen)
        blurred = seen.contrast >= LEAST_CONTRAST and seen.sharpness < BLURRED_UNDER
        self._looked_s, self._before = at_s, seen.thumb
        self._blurred_s = None if moved or not blurred else at_s if self._blurred_s is None else self._blurred_s
        found = _fault(seen, module_px, unsteady=moved or blurred)
        if found is not None:
            self._hint, self._said_s = found, at_s
        elif at_s - self._said_s >= KEPT_S:
            self._hint = None

    def hint(self, at_s: float) -> Hint | None:
        """What to say now."""
        return self._hint if self._read_s is not None and at_s - self._read_s >= UNREAD_S else None

    def stuck(self, at_s: float) -> bool:
        """Whether the focus is to be set anew; once every few seconds."""
        if self._blurred_s is None or at_s - self._blurred_s < STUCK_S or at_s - self._refocused_s < REFOCUS_EVERY_S:
            return False
        self._refocused_s = at_s
        return True

    def _moved(self, seen: Glimpse) -> bool:
        if self._before is None or self._before.size != seen.thumb.size:
            return False
        difference = ImageStat.Stat(ImageChops.difference(self._before, seen.thumb)).mean[0]
        return difference > MOVED_OVER * max(LEAST_CONTRAST, seen.contrast)


def _fault(seen: Glimpse, module_px: float | None, *, unsteady: bool) -> Hint | None:
    """The one thing to say, the gravest first: in the dark everything is blurred, and what is blurred looks far."""
    if seen.bright < DARK_UNDER:
        return "torch"
    if seen.glare > GLARE_OVER:
        return "glare"
    if unsteady:
        return "still"
    return "closer" if module_px is not None and module_px < TOO_SMALL_PX else None
