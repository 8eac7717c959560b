"""One camera of any kind, whose faults are states; a photo may be asked for from another thread than the frames."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from drivers.camera.frame import Frame, Photo, Source, Stamp
from drivers.errors import CameraError

Got = TypeVar("Got")
NO_CAMERA = "This terminal has no camera; use the hand scanner, or type the number."


class Camera:
    """Opens its source on the first need, and again after a fault when `frame` or `still` is called: the caller waits in between.

    `state` and `sentence` say how things stand, at any time and to any thread: "opening" until the first try, "ok", or what is wrong (none,
    missing, busy, unplugged, broken); the sentence is empty while all is well. Never raises anything but CameraError.
    """

    def __init__(self, open_source: Callable[[], Source] | None) -> None:
        self._open_source = open_source
        self._source: Source | None = None
        self._lock = threading.Lock()
        self.state: str = "none" if open_source is None else "opening"
        self.sentence = NO_CAMERA if open_source is None else ""

    def frame(self, timeout_s: float = 0.5) -> Frame | None:
        """The newest frame, waiting at most so long; None when none came."""
        with self._lock:
            return self._of(lambda source: source.frame(timeout_s))

    def preview(self) -> bytes:
        """The newest frame as a small JPEG in colour."""
        from drivers.camera import photo

        with self._lock:
            return photo.view(self._of(lambda source: source.view()))

    def still(self, stamp: Stamp | None = None) -> Photo:
        """Take the photo."""
        from drivers.camera import photo

        with self._lock:
            picture = self._of(lambda source: source.still())
        return photo.develop(picture, stamp)

    def refocus(self) -> None:
        """Begin to focus anew: the pictures are blurred and stay so."""
        with self._lock:
            if self._source is not None:
                self._of(lambda source: source.refocus())

    def rest(self) -> None:
        """Give the camera back until it is asked again: nobody looks, and it takes current and heat. The state stays."""
        with self._lock:
            self._let_go()

    def close(self) -> None:
        """Give the camera back; the second time nothing happens."""
        with self._lock:
            self._let_go()

    def _of(self, ask: Callable[[Source], Got]) -> Got:
        """Ask the source, opening it first; a fault closes it and becomes the state."""
        if self._open_source is None:
            raise CameraError("none", NO_CAMERA)
        try:
            if self._source is None:
                self._source = self._open_source()
            got = ask(self._source)
        except CameraError as error:
            self._let_go()
            self.state, self.sentence = error.state, str(error)
            raise
        self.state, self.sentence = "ok", ""
        return got

    def _let_go(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()
