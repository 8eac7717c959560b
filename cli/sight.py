"""What a camera reads when it is shown a code on paper or on a screen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from drivers.barcode import Decoder
from drivers.board import BoardSettings, camera_of
from drivers.camera import Camera, open_camera
from drivers.errors import CameraError


class Eye:
    """The box's camera with its decoder behind it; the decoder's process starts with the first picture."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._decoder = Decoder()

    @property
    def sentence(self) -> str:
        """What is wrong with camera or decoder; empty while all is well."""
        return self._camera.sentence or self._decoder.sentence

    def look(self, seconds: float) -> Iterator[str]:
        """The texts of the codes in sight, as they come, for so long; at once to its end when there is no picture."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            try:
                frame = self._camera.frame(max(0.0, min(0.5, until_s - time.monotonic())))
            except CameraError:
                return
            if frame is not None:
                for barcode in self._decoder.decode(frame.luma, frame.width, frame.height, frame.stride):
                    yield barcode.text

    def close(self) -> None:
        """Give camera and process back."""
        self._camera.close()
        self._decoder.close()


@contextmanager
def opened(board: BoardSettings) -> Iterator[Eye]:
    """The eye of a box; DriverError where its settings name no camera that there could be."""
    eye = Eye(open_camera(camera_of(board)))
    try:
        yield eye
    finally:
        eye.close()
