"""The newest picture for the page, what was found in it, and the pictures that were dropped onto it; for any thread."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable

import msgspec

from drivers.camera.photo import VIEW_PX, glance
from drivers.errors import PictureError
from drivers.gs1 import GS
from firmware.terminal.hints import Hint

Quad = tuple[tuple[int, int], ...]

LOOKED_S = 2.0  # how long after the last look pictures are still made for the page
LONGEST_MARK = 40  # characters that are written beside a code
DROPPED = 4  # pictures that wait


class Mark(msgspec.Struct, frozen=True):
    """One code in the picture: its corners in the picture's pixels, and what it says."""

    corners: Quad
    text: str


class Picture(msgspec.Struct, frozen=True):
    """One picture for the page; `n` counts up."""

    n: int
    jpeg: bytes
    marks: tuple[Mark, ...] = ()
    hint: Hint | None = None


def marks(found: Iterable[tuple[Quad, str]], width: int, height: int) -> tuple[Mark, ...]:
    """What the page draws over its picture: the corners of each code in a frame of that size, and what it is to say."""
    scale = min(VIEW_PX[0] / width, VIEW_PX[1] / height, 1.0)
    return tuple(
        Mark(corners=tuple((round(x * scale), round(y * scale)) for x, y in corners), text=visible(text.replace(GS, " "))[:LONGEST_MARK])
        for corners, text in found
    )


def visible(text: str) -> str:
    """A code with its odd characters made visible, 100 characters at most."""
    return "".join(chr(0x2400 + ord(sign)) if sign < " " else sign for sign in text if sign.isprintable() or sign < " ")[:100]


class Viewfinder:
    """Holds the newest picture while somebody looks."""

    def __init__(self, mono_s: Callable[[], float] = time.monotonic) -> None:
        self._mono_s = mono_s
        self._lock = threading.Lock()
        self._n = 0
        self._newest: Picture | None = None
        self._looked_s = float("-inf")
        self._dropped: queue.Queue[bytes] = queue.Queue(DROPPED)

    def latest(self) -> Picture | None:
        """The newest; None before the first. Returns at once."""
        with self._lock:
            self._looked_s = self._mono_s()
            return self._newest

    def drop(self, jpeg: bytes) -> None:
        """Look at this picture as if the camera had seen it. PictureError: no picture, too large, or too many of them are waiting."""
        glance(jpeg)
        try:
            self._dropped.put_nowait(jpeg)
        except queue.Full:
            raise PictureError("pictures come faster than they can be read; wait a moment and try again") from None

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        with self._lock:
            return self._mono_s() - self._looked_s < LOOKED_S

    def show(self, jpeg: bytes, marks: tuple[Mark, ...] = (), hint: Hint | None = None) -> None:
        """Put a new picture up."""
        with self._lock:
            self._n += 1
            self._newest = Picture(n=self._n, jpeg=jpeg, marks=marks, hint=hint)

    def clear(self) -> None:
        """Forget the picture: what is seen later must not look like now."""
        with self._lock:
            self._newest = None

    def next_dropped(self) -> bytes | None:
        """The oldest picture that waits."""
        try:
            return self._dropped.get_nowait()
        except queue.Empty:
            return None
