"""Whether a frame is worth a close look: not while it shows what the last one showed, in which everything was tried in vain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from drivers.barcode.regions import Pixels, Values

THUMB_PX = 40  # longest side: a hand moves by more than a fortieth of the picture, noise is gone in the mean of so many pixels
MOVED = 2.0  # of 255, mean: more is another view, or another light
FOCUSED = 1.04  # edges so much stronger or weaker: another focus, which no thumbnail shows
EVERY_ROW = 8  # in which edges are looked at
ALIKE_MOST = 12  # frames, a second: then it is looked at anew, for noise is never the same
FLAT = 5  # of 255, between darkest and lightest: a covered lens; a label in the least light that was read has 15


@dataclass(frozen=True)
class _View:
    thumb: Values
    edges: float

    def is_like(self, other: _View) -> bool:
        if self.thumb.shape != other.thumb.shape or np.abs(self.thumb - other.thumb).mean() > MOVED:
            return False
        return max(self.edges, other.edges) <= FOCUSED * min(self.edges, other.edges)


class Gate:
    """Remembers the last frame that was not read, and how far up the ladder it was."""

    def __init__(self) -> None:
        self._failed: _View | None = None
        self._now: _View | None = None
        self._reached: int | None = 0
        self._alike = 0

    def begin(self, luma: Pixels) -> int | None:
        """The rung with which a close look at this frame begins; None: it is not worth one."""
        self._now = _view(luma)
        if float(np.ptp(self._now.thumb)) < FLAT:
            return None
        if self._failed is None or self._alike >= ALIKE_MOST or not self._now.is_like(self._failed):
            self._alike, self._failed = 0, None
            return 0
        self._alike += 1
        return self._reached

    def failed(self, reached: int | None) -> None:
        """Nothing was read in the frame of `begin`; from this rung on nothing was tried yet, None: everything was."""
        if self._failed is None:
            self._failed = self._now
        self._reached = reached

    def forget(self) -> None:
        """Something was read."""
        self._failed = None


def _view(luma: Pixels) -> _View:
    thumb = Image.fromarray(luma).reduce(max(1, max(luma.shape) // THUMB_PX))
    rows = luma[::EVERY_ROW].astype(np.int16)
    return _View(np.asarray(thumb, np.float32), float(np.abs(np.diff(rows, axis=1)).mean()) + 1e-3)
