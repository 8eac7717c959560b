"""A laptop's camera through Video4Linux2, with the standard library alone.

The kernel's own interface (linux/videodev2.h, 64-bit layouts): set a format, map the buffers, queue, start, take them back. MJPEG is asked
for first, because a USB 2 camera sends YUYV at this size only a few times a second.
"""

from __future__ import annotations

import errno
import fcntl
import io
import mmap
import os
import select
import struct

import msgspec
from PIL import Image

from drivers.camera import planes
from drivers.camera.frame import Frame
from drivers.errors import CameraError

QUERYCAP, S_FMT, REQBUFS, QUERYBUF = 0x80685600, 0xC0D05605, 0xC0145608, 0xC0585609
QBUF, DQBUF, STREAMON = 0xC058560F, 0xC0585611, 0x40045612
CAN_CAPTURE, CAN_STREAM = 0x0000_0001, 0x0400_0000  # V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_STREAMING
CAPTURE, BY_MMAP, ANY_FIELD = 1, 1, 0
MJPEG, YUYV = b"MJPG", b"YUYV"
CAPABILITY = struct.Struct("<16s32s32s6I")
FORMAT = struct.Struct("<I4x2I4s9I152x")  # type, then v4l2_pix_format in a union of 200 bytes
REQUEST = struct.Struct("<5I")
BUFFER = struct.Struct("<5I4x16s16s2IQ3I4x")
WIDTH_PX, HEIGHT_PX = 1_280, 960
BUFFERS = 4
SILENT_S = 5.0  # a USB camera takes up to three seconds to its first picture


class _Picture(msgspec.Struct, frozen=True):
    """What the camera said that it sends."""

    layout: bytes
    width: int
    height: int
    stride: int


class V4l2Camera:
    """An opened /dev/video device. Raises CameraError: missing, busy, unplugged, or no camera at all."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._n = 0
        self._silent_s = 0.0
        self._newest = b""
        self._maps: list[mmap.mmap] = []
        self._fd = -1
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            self._is_camera()
            self._picture = self._set_format()
            self._map_buffers()
            self._ioctl(STREAMON, struct.pack("<I", CAPTURE))
        except OSError as error:
            self.close()
            raise _why(path, error) from error
        except CameraError:
            self.close()
            raise

    def frame(self, timeout_s: float) -> Frame | None:
        """The newest picture's luma; None when none came in time, or a damaged one."""
        try:
            ready, _, _ = select.select([self._fd], [], [], timeout_s)
            data = self._drain() if ready else b""
        except OSError as error:
            raise _why(self._path, error) from error
        if not data:
            self._silent_s += timeout_s
            if self._silent_s >= SILENT_S:
                raise CameraError("broken", f"The camera at {self._path} is connected but silent; unplug it and plug it in again.")
            return None
        self._silent_s = 0.0
        self._newest = data
        self._n += 1
        return self._frame(data)

    def view(self) -> Image.Image:
        """The newest picture in colour."""
        if not self._newest:
            raise CameraError("broken", "The camera has not given a picture yet; try again.")
        if self._picture.layout == YUYV:
            return planes.colour_of_yuyv(self._newest, self._picture.width, self._picture.height, self._picture.stride)
        try:
            return _jpeg(self._newest).convert("RGB")
        except OSError as error:
            raise CameraError("broken", "The camera sent a damaged picture; try again.") from error

    def still(self) -> Image.Image:
        """The next picture: a laptop's camera has no larger one."""
        for _ in range(BUFFERS):
            if self.frame(1.0) is not None:
                return self.view()
        raise CameraError("broken", f"The camera at {self._path} gives no picture; unplug it and plug it in again.")

    def refocus(self) -> None:
        """Nothing: a laptop's camera is fixed, or focuses by itself."""

    def close(self) -> None:
        """Give the device back; the second time nothing happens."""
        for mapped in self._maps:
            mapped.close()
        self._maps = []
        if self._fd >= 0:
            os.close(self._fd)  # stops the stream, too
            self._fd = -1

    def _is_camera(self) -> None:
        *_, device, _, _, _ = CAPABILITY.unpack(self._ioctl(QUERYCAP, bytes(CAPABILITY.size)))
        if not (device & CAN_CAPTURE and device & CAN_STREAM):
            raise CameraError("missing", f"{self._path} is no camera (many cameras have a second device for other data); name another one.")

    def _set_format(self) -> _Picture:
        layout = b""
        for wanted in (MJPEG, YUYV):
            packed = FORMAT.pack(CAPTURE, WIDTH_PX, HEIGHT_PX, wanted, ANY_FIELD, *([0] * 8))
            _, width, height, layout, _, stride, *_ = FORMAT.unpack(self._ioctl(S_FMT, packed))
            if layout == wanted:
                return _Picture(layout=layout, width=width, height=height, stride=stride or 2 * width)
        name = layout.decode("ascii", "replace")
        raise CameraError("broken", f"The camera at {self._path} sends {name} pictures; it needs MJPEG or YUYV, use another camera.")

    def _map_buffers(self) -> None:
        count, *_ = REQUEST.unpack(self._ioctl(REQBUFS, REQUEST.pack(BUFFERS, CAPTURE, BY_MMAP, 0, 0)))
        for index in range(count):
            fields = BUFFER.unpack(self._ioctl(QUERYBUF, _buffer(index)))
            offset, length = fields[9], fields[10]
            self._maps.append(mmap.mmap(self._fd, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=offset & 0xFFFF_FFFF))
            self._ioctl(QBUF, _buffer(index))

    def _drain(self) -> bytes:
        """The newest picture's bytes; the older ones go back unread."""
        data = b""
        while True:
            try:
                index, _, used, *_ = BUFFER.unpack(self._ioctl(DQBUF, _buffer(0)))
            except BlockingIOError:
                return data
            data = self._maps[index][:used]
            self._ioctl(QBUF, _buffer(index))

    def _frame(self, data: bytes) -> Frame | None:
        picture = self._picture
        if picture.layout == YUYV:
            if len(data) < picture.stride * picture.height:
                return None
            luma, width, height = planes.luma_of_yuyv(data, picture.width, picture.height, picture.stride), picture.width, picture.height
        else:
            try:
                grey = _jpeg(data).convert("L")
            except OSError:  # a picture cut short on the bus, as happens
                return None
            luma, (width, height) = grey.tobytes(), grey.size
        return Frame(luma=luma, width=width, height=height, stride=width, n=self._n)

    def _ioctl(self, request: int, argument: bytes) -> bytes:
        return fcntl.ioctl(self._fd, request, argument)


def _buffer(index: int) -> bytes:
    return BUFFER.pack(index, CAPTURE, 0, 0, 0, b"", b"", 0, BY_MMAP, 0, 0, 0, 0)


def _jpeg(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=("JPEG",))


def _why(path: str, error: OSError) -> CameraError:
    if error.errno in {errno.ENOENT, errno.ENXIO}:
        return CameraError("missing", f"There is no camera at {path}; plug it in, or correct its name in the settings.")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return CameraError(
            "broken", f"This user may not open {path}; add the user to the group video (sudo usermod -aG video NAME) and log in again."
        )
    if error.errno == errno.EBUSY:
        return CameraError(
            "busy", f"Another program holds the camera at {path}; close it first (a browser or a video call are the usual ones)."
        )
    if error.errno in {errno.ENODEV, errno.EIO}:
        return CameraError("unplugged", f"The camera at {path} was unplugged; plug it in again, it is taken up by itself.")
    if error.errno in {errno.ENOTTY, errno.EINVAL}:
        return CameraError("missing", f"{path} is no camera; name another one in the settings.")
    return CameraError(
        "broken", f"The camera at {path} does not work ({(error.strerror or str(error)).lower()}); unplug it and plug it in again."
    )
