"""A camera with picamera2's documented calls, as the real one behaves on libcamera's virtual pipeline; with hands.

tests/picamera2_body.py runs against this and against the real one, so that the two cannot drift apart.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar

import numpy as np
import zxingcpp
from numpy.typing import NDArray

WIDTH, HEIGHT = 1_920, 1_080
PADDING = 64  # at the end of each row, as on a Pi, where rows end at a multiple of 64 or 128

Array = NDArray[np.uint8]


@functools.cache
def _scene() -> Array:
    """A label on grey as NV12, rows padded."""
    code = np.array(zxingcpp.create_barcode("PARCEL-00000001", zxingcpp.BarcodeFormat.Code128).to_image(scale=3))
    scene = np.full((HEIGHT * 3 // 2, WIDTH + PADDING), 128, np.uint8)
    scene[:HEIGHT, :WIDTH] = 200
    scene[300 : 300 + code.shape[0], 500 : 500 + code.shape[1]] = code
    return scene


class FakePicamera2:
    """One camera, which only one may hold. Hands: `jam`, `frames_come`, `layout`, `autofocus`, `one_stream`."""

    held: ClassVar[bool] = False
    plugged: ClassVar[bool] = True

    def __init__(self, *, layout: str = "NV12", autofocus: bool = False, one_stream: bool = False) -> None:
        if not FakePicamera2.plugged:
            raise RuntimeError('No camera number 0 found - use "rpicam-hello --list-cameras" to check connected cameras')
        if FakePicamera2.held:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        FakePicamera2.held = True
        self.frames_come = True
        self.jam: Exception | None = None
        self.controls: dict[str, Any] = {}
        self.set: list[dict[str, Any]] = []  # each call, in order
        self.told: dict[str, Any] = {}  # the newest picture's metadata
        self.stopped = False
        self._layout = layout
        self._autofocus = autofocus
        self._one_stream = one_stream
        self._configuration: dict[str, Any] = {}

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        known = ("AfMode", "AfRange", "AfMetering", "AfWindows") if self._autofocus else ("Brightness",)
        return dict.fromkeys(known, (0, 2, 0))

    @property
    def camera_properties(self) -> dict[str, Any]:
        return {"ScalerCropMaximum": (100, 0, 4_408, 2_592)} if self._autofocus else {}

    def create_video_configuration(
        self, main: dict[str, Any], lores: dict[str, Any] | None = None, buffer_count: int = 6
    ) -> dict[str, Any]:
        if lores is not None and self._one_stream:
            raise RuntimeError("Failed to configure: the camera has one stream")
        return {"main": main, "lores": lores, "buffer_count": buffer_count}

    def configure(self, configuration: dict[str, Any]) -> None:
        """Takes what it likes: the format is its own, and both streams have the sensor's size."""
        given = {"format": self._layout, "size": (WIDTH, HEIGHT), "stride": WIDTH + PADDING}
        self._configuration = {name: dict(given) if configuration[name] else None for name in ("main", "lores")}

    def camera_configuration(self) -> dict[str, Any]:
        return self._configuration

    def set_controls(self, controls: dict[str, Any]) -> None:
        for name in controls:
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self.controls |= controls
        self.set.append(controls)

    def start(self) -> None:
        if self.jam is not None:
            raise self.jam

    def capture_array(self, name: str, wait: float | bool | None = None) -> Any:
        if self.jam is not None:
            raise self.jam
        assert self._configuration[name]
        assert wait
        if not self.frames_come:
            raise TimeoutError
        return _scene().copy()

    def capture_arrays(self, names: list[str], wait: float | bool | None = None) -> list[str]:
        if self.jam is not None:
            raise self.jam
        assert all(self._configuration[name] for name in names)
        assert wait is False
        return names

    def wait(self, job: list[str], timeout: float | None = None) -> tuple[list[Array], dict[str, Any]]:
        """The arrays and what was told of the picture, as a job of `capture_arrays` ends."""
        if not self.frames_come:
            raise TimeoutError(timeout)
        return [_scene().copy() for _ in job], self.told

    def cancel_all_and_flush(self) -> None:
        self.frames_come = True

    def close(self) -> None:
        """The real one waits for ever while an asked-for picture does not come."""
        assert self.frames_come, "close() would hang: cancel first"
        FakePicamera2.held = False
