"""What a camera reads when it is shown a code on paper or on a screen, and the picture of it for whoever looks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from drivers.barcode import Barcode, Decoder
from drivers.board import BoardSettings, camera_of
from drivers.camera import Camera, Frame, open_camera
from drivers.errors import CameraError
from firmware.terminal.hints import Hint, Hints, glimpse
from firmware.terminal.viewfinder import Viewfinder, marks
from provisioning import source
from provisioning.source import SourceError

READY_S = 0.25  # for the decoder's process to start: the picture goes on meanwhile
NO_CAMERA = "This box has no camera."


class Eye:
    """The box's camera with its decoder behind it; the decoder's process starts with the first picture."""

    def __init__(self, camera: Camera, viewfinder: Viewfinder) -> None:
        self._camera = camera
        self._viewfinder = viewfinder
        self._decoder = Decoder()
        self._hints = Hints()

    @property
    def state(self) -> str:
        """How the camera is, in a word (Camera.state)."""
        return self._camera.state

    @property
    def sentence(self) -> str:
        """What is wrong with camera or decoder; empty while all is well."""
        if self._camera.state == "none":
            return NO_CAMERA
        return self._camera.sentence or self._decoder.sentence

    def look(self, seconds: float) -> Iterator[str]:
        """The texts of the codes in sight, as they come, for so long; at once to its end when there is no picture."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            try:
                frame = self._camera.frame(max(0.0, min(0.5, until_s - time.monotonic())))
                found = self._read(frame) if frame is not None else []
            except CameraError:
                self._viewfinder.clear()
                return
            yield from (barcode.text for barcode in found)

    def _read(self, frame: Frame) -> list[Barcode]:
        found = self._decoder.decode(frame.luma, frame.width, frame.height, frame.stride) if self._decoder.ready(READY_S) else []
        hint = self._hint(frame, seen=bool(found))
        if self._viewfinder.watched:
            named = ((barcode.corners, _name(barcode.text)) for barcode in found)
            self._viewfinder.show(self._camera.preview(), marks(named, frame.width, frame.height), hint)
        return found

    def _hint(self, frame: Frame, *, seen: bool) -> Hint | None:
        """What would help to read, if anything; a lens that is stuck is freed."""
        at_s = time.monotonic()
        if seen:
            self._hints.read(at_s)
        elif self._hints.due(at_s) and not frame.focusing:
            self._hints.look(glimpse(frame), self._decoder.module_px, at_s)
            if self._hints.stuck(at_s):
                self._camera.refocus()
        return self._hints.hint(at_s)

    def close(self) -> None:
        """Give camera and process back."""
        self._camera.close()
        self._decoder.close()


def _name(text: str) -> str:
    """What is written beside a code in the picture: never a card's one-time code, nor a network's password."""
    try:
        sheet = source.read_text(text)
    except SourceError:
        return "?"
    if sheet is None:
        return text
    return sheet.card.unit if sheet.card else sheet.wifi.ssid if sheet.wifi else ""


@contextmanager
def opened(board: BoardSettings, viewfinder: Viewfinder | None = None) -> Iterator[Eye]:
    """The eye of a box; DriverError where its settings name no camera that there could be."""
    eye = Eye(open_camera(camera_of(board)), viewfinder or Viewfinder())
    try:
        yield eye
    finally:
        eye.close()
