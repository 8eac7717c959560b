"""What a camera gives, and what every kind of camera promises to give it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from PIL import Image

Flaw = Literal["blurred", "dark"]


class CameraSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which camera, and how large its sensor is."""

    kind: str = "none"  # picamera2, v4l2:/dev/videoN, simulated or none
    width_px: int = 4_608
    height_px: int = 2_592
    scene_folder: str | None = None  # simulated only


class Frame(msgspec.Struct, frozen=True):
    """One picture of the stream for the decoder: luma, one byte a pixel, `stride` bytes from one row to the next."""

    luma: bytes | memoryview
    width: int
    height: int
    stride: int
    n: int  # counts up; the same number is the same picture
    focusing: bool = False  # the lens is on its way: the next picture will be sharper


class Stamp(msgspec.Struct, frozen=True):
    """When and where a photo was taken, for its EXIF; what is not known stays out."""

    at: datetime | None = None  # aware, UTC
    lat_deg: float | None = None  # WGS 84, north positive
    lon_deg: float | None = None  # east positive
    accuracy_m: float | None = None


class Photo(msgspec.Struct, frozen=True):
    """A photo as it becomes evidence: JPEG of 300 kB at most, with what it is worth."""

    jpeg: bytes
    width: int
    height: int
    sharpness: float  # see photo.BLURRED_UNDER
    brightness: float  # mean luma, 0 to 255
    warning: Flaw | None


class Source(Protocol):
    """An opened camera of one kind. Every method raises CameraError once the camera gives no more."""

    def frame(self, timeout_s: float, /) -> Frame | None:
        """The newest picture of the stream, waiting at most so long; None when none came."""

    def view(self) -> Image.Image:
        """The newest picture of the stream in colour; called after a frame."""

    def still(self) -> Image.Image:
        """One picture as large as the camera can, in colour."""

    def refocus(self) -> None:
        """Begin to focus anew; a camera without a lens to move does nothing."""

    def close(self) -> None:
        """Give the camera back; the second time nothing happens."""
