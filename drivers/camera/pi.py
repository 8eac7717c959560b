"""The camera of a Raspberry Pi, through picamera2 (written against 0.3.38); the only door to that library.

The decoder gets the luma of the small stream as it is; the photo is the large stream at the same moment, without a change of mode, which
would take the better part of a second. The configuration is read back after it was set: libcamera changes what it cannot give (RGB888 and
YUV420 both became NV12 on its virtual pipeline) and says nothing.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any

import msgspec
from PIL import Image

from drivers.camera import planes
from drivers.camera.frame import CameraSettings, Frame
from drivers.errors import CameraError

log = logging.getLogger(__name__)

LORES_WIDTH_PX = 1_280  # at 0.33 mm a module and two pixels each, a label 21 cm wide
MAIN_WIDTH_PX = 2_592  # the photo becomes 2048 wide; more costs 18 MB a buffer for nothing
BUFFERS = 3  # one being read, one ready, one being filled
SILENT_S = 2.0  # the slowest exposure is 0.2 s; a camera that is silent for so long has lost its cable
# libcamera's AfModeManual, AfModeContinuous, AfRangeMacro (labels are at 10 to 50 cm), AfMeteringWindows and AfStateScanning.
AF_MANUAL, AF_CONTINUOUS, AF_MACRO_RANGE, AF_BY_WINDOWS, AF_SCANNING = 0, 2, 1, 1, 1
BY_HAND_FRAMES = 2
AF_WINDOW = 0.5  # of the width and of the height: where the driver aims


class _Stream(msgspec.Struct, frozen=True):
    """What libcamera really gives."""

    name: str
    layout: str
    width: int
    height: int
    stride: int


class PiCamera:
    """An opened picamera2 camera. `library` makes the Picamera2 object; None: the real one. Raises CameraError."""

    def __init__(self, settings: CameraSettings, library: Callable[[], Any] | None = None) -> None:
        self._n = 0
        self._silent_s = 0.0
        self._newest: Any = None
        self._focusing = False
        self._by_hand = 0  # pictures, for which the lens still stays where it is
        self._job: Any = None  # a picture asked for and not come yet
        self._camera: Any = _open(library or _picamera2())
        try:
            self._configure(settings)
            self._camera.start()
            self._focus()
        except CameraError:
            self.close()
            raise
        except (RuntimeError, ValueError, OSError) as error:
            self.close()
            raise CameraError("broken", f"The camera does not start ({error}); switch the box off and on, then check its cable.") from error

    def frame(self, timeout_s: float) -> Frame | None:
        """The newest picture's luma; None when none came in time."""
        array = self._capture(self._small.name, timeout_s)
        if array is None:
            return None
        self._let_focus()
        self._newest = array
        self._n += 1
        small = self._small
        return Frame(
            luma=_rows(array, small), width=small.width, height=small.height, stride=array.shape[1], n=self._n, focusing=self._focusing
        )

    def view(self) -> Image.Image:
        """The newest picture in colour."""
        if self._newest is None:
            raise CameraError("broken", "The camera has not given a picture yet; try again.")
        return _picture(self._newest, self._small)

    def still(self) -> Image.Image:
        """The large stream's next picture."""
        if self._large.layout not in planes.PLANAR:
            picture: Image.Image = self._waited(lambda: self._camera.capture_image(self._large.name, wait=SILENT_S))
            return picture
        return _picture(self._waited(lambda: self._camera.capture_array(self._large.name, wait=SILENT_S)), self._large)

    def refocus(self) -> None:
        """Free a lens that is stuck: libcamera's continuous focus may stay where a near thing was (picamera2#1272).

        By hand for a few pictures, then continuous again: of two settings before one picture only the later one would be sent.
        """
        if "AfMode" in self._camera.camera_controls and not self._by_hand:
            self._set_focus(AF_MANUAL)
            self._by_hand = BY_HAND_FRAMES

    def _let_focus(self) -> None:
        """Count the pictures that the lens stays still for."""
        if self._by_hand:
            self._by_hand -= 1
            if not self._by_hand:
                self._set_focus(AF_CONTINUOUS)

    def _set_focus(self, mode: int) -> None:
        try:
            self._camera.set_controls({"AfMode": mode})
        except (RuntimeError, OSError) as error:
            raise _stopped(error) from error

    def close(self) -> None:
        """Stop and let go; the second time nothing happens."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.cancel_all_and_flush()  # a picture that never came would keep the end waiting for ever
            camera.close()

    def _configure(self, settings: CameraSettings) -> None:
        large = _scaled(settings, MAIN_WIDTH_PX)
        wanted: dict[str, Any] = {"main": {"size": large, "format": "YUV420"}, "buffer_count": BUFFERS}
        small = {"lores": {"size": _scaled(settings, LORES_WIDTH_PX), "format": "YUV420"}}
        try:
            self._camera.configure(self._camera.create_video_configuration(**wanted, **small))
        except (RuntimeError, ValueError) as error:
            log.info("the camera has no second stream (%s); the photo's is used for both", error)
            self._camera.configure(self._camera.create_video_configuration(**wanted))
        given = self._camera.camera_configuration()
        self._large = _stream("main", given)
        self._small = _stream("lores", given) if given.get("lores") else self._large
        if self._small.layout not in planes.PLANAR:
            raise CameraError("broken", f"The camera gives {self._small.layout} pictures, which are of no use here; choose another camera.")

    def _focus(self) -> None:
        """Keep near things sharp, on cameras that can; an unknown control would be an error that breaks the stream."""
        known = self._camera.camera_controls
        wanted = {"AfMode": AF_CONTINUOUS, "AfRange": AF_MACRO_RANGE} | self._af_window()
        controls = {name: value for name, value in wanted.items() if name in known}
        if "AfMode" in controls:
            self._camera.set_controls(controls)

    def _af_window(self) -> dict[str, Any]:
        """Focus on the middle alone, where libcamera says in which coordinates; else on all of the picture."""
        left, top, width, height = self._camera.camera_properties.get("ScalerCropMaximum") or (0, 0, 0, 0)
        if not width or not height:
            return {}
        wide, high = round(width * AF_WINDOW), round(height * AF_WINDOW)
        return {"AfMetering": AF_BY_WINDOWS, "AfWindows": [(left + (width - wide) // 2, top + (height - high) // 2, wide, high)]}

    def _capture(self, name: str, timeout_s: float) -> Any:
        """The array of the stream's next picture, None while it has not come; SILENT_S without one is a lost cable."""
        try:
            self._job = self._job or self._camera.capture_arrays([name], wait=False)
            (array,), told = self._camera.wait(self._job, timeout=timeout_s)
        except TimeoutError:
            self._silent_s += timeout_s
            if self._silent_s >= SILENT_S:
                raise _silent() from None
            return None
        except (RuntimeError, OSError) as error:
            raise _stopped(error) from error
        self._job = None
        self._silent_s = 0.0
        self._focusing = told.get("AfState") == AF_SCANNING
        return array

    def _waited(self, take: Callable[[], Any]) -> Any:
        try:
            return take()
        except TimeoutError:
            raise _silent() from None
        except (RuntimeError, OSError) as error:
            raise _stopped(error) from error


def _picamera2() -> Callable[[], Any]:
    try:
        library = importlib.import_module("picamera2")
    except ImportError:
        raise CameraError(
            "missing", "The camera library is missing; install it with: apt-get install python3-picamera2 (on Raspberry Pi OS)."
        ) from None
    make: Callable[[], Any] = library.Picamera2
    return make


def _open(library: Callable[[], Any]) -> Any:
    """picamera2 says RuntimeError both for a camera that is not there and, in other words, for one that another program holds."""
    try:
        return library()
    except (RuntimeError, IndexError) as error:
        if isinstance(error, IndexError) or "No camera" in str(error) or "not found" in str(error):
            raise CameraError(
                "missing", "No camera is connected; check the cable's seat and direction, then switch the box off and on."
            ) from error
        raise CameraError(
            "busy", "Another program holds the camera; stop it first (rpicam-hello and motion are the usual ones)."
        ) from error


def _silent() -> CameraError:
    return CameraError("unplugged", "The camera gives no more pictures; check its cable, it is taken up by itself.")


def _stopped(error: Exception) -> CameraError:
    return CameraError("broken", f"The camera stopped ({error}); it is started again by itself.")


def _scaled(settings: CameraSettings, width_px: int) -> tuple[int, int]:
    """The sensor's shape at that width at most, both even."""
    width = min(width_px, settings.width_px)
    return width // 2 * 2, settings.height_px * width // settings.width_px // 2 * 2


def _stream(name: str, given: dict[str, Any]) -> _Stream:
    found = given[name]
    width, height = found["size"]
    return _Stream(name=name, layout=str(found["format"]), width=width, height=height, stride=int(found.get("stride") or width))


def _rows(array: Any, stream: _Stream) -> memoryview:
    """The luma rows with their padding: `capture_array` has it at the end of each row."""
    return memoryview(array).cast("B")[: array.shape[1] * stream.height]


def _picture(array: Any, stream: _Stream) -> Image.Image:
    return planes.colour(memoryview(array).cast("B"), stream.layout, stream.width, stream.height, array.shape[1])
