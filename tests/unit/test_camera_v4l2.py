"""A laptop's camera on a kernel that is not one: the requests are answered as Documentation/userspace-api/media/v4l says."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.camera import v4l2
from drivers.camera.v4l2 import V4l2Camera
from drivers.errors import CameraError
from tests.pictures import jpeg, parcel

WIDTH, HEIGHT = 64, 48
SLOT_BYTES = 262_144


class Kernel:
    """Answers ioctl for a file whose bytes are the buffers. Hands: `come` puts a picture into a queued buffer, `fault` breaks it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(bytes(SLOT_BYTES * v4l2.BUFFERS))
        self.layout = v4l2.YUYV
        self.stride = WIDTH * 2
        self.capabilities = v4l2.CAN_CAPTURE | v4l2.CAN_STREAM
        self.fault: tuple[int, int] | None = None  # request, errno
        self.queued: deque[int] = deque()
        self.filled: deque[tuple[int, int]] = deque()

    def ioctl(self, _fd: int, request: int, argument: bytes) -> bytes:
        if self.fault is not None and request == self.fault[0]:
            raise OSError(self.fault[1], os.strerror(self.fault[1]))
        answers: dict[int, Callable[[bytes], bytes]] = {
            v4l2.QUERYCAP: self._capability,
            v4l2.S_FMT: self._format,
            v4l2.REQBUFS: lambda asked: asked,
            v4l2.QUERYBUF: self._buffer,
            v4l2.QBUF: self._queue,
            v4l2.DQBUF: self._dequeue,
            v4l2.STREAMON: lambda asked: asked,
        }
        return answers[request](argument)

    def come(self, data: bytes) -> None:
        index = self.queued.popleft()
        with self.path.open("r+b") as file:
            file.seek(index * SLOT_BYTES)
            file.write(data)
        self.filled.append((index, len(data)))

    def _capability(self, _: bytes) -> bytes:
        return v4l2.CAPABILITY.pack(b"uvcvideo", b"Webcam", b"usb", 0, 0x8000_0000, self.capabilities, 0, 0, 0)

    def _format(self, asked: bytes) -> bytes:
        kind, *_ = v4l2.FORMAT.unpack(asked)
        return v4l2.FORMAT.pack(kind, WIDTH, HEIGHT, self.layout, 1, self.stride, *([0] * 7))

    def _buffer(self, asked: bytes) -> bytes:
        (index,) = struct.unpack_from("<I", asked)
        return v4l2.BUFFER.pack(index, 1, 0, 0, 1, b"", b"", 0, 1, index * SLOT_BYTES, SLOT_BYTES, 0, 0)

    def _queue(self, asked: bytes) -> bytes:
        self.queued.append(struct.unpack_from("<I", asked)[0])
        return asked

    def _dequeue(self, _: bytes) -> bytes:
        if not self.filled:
            raise BlockingIOError(errno.EAGAIN, "try again")
        index, used = self.filled.popleft()
        return v4l2.BUFFER.pack(index, 1, used, 0, 1, b"", b"", 0, 1, index * SLOT_BYTES, SLOT_BYTES, 0, 0)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel(tmp_path / "video0")
    monkeypatch.setattr(fcntl, "ioctl", made.ioctl)
    return made


def yuyv(luma: int, stride: int = WIDTH * 2) -> bytes:
    row = bytes((luma, 128)) * WIDTH
    return (row + bytes(stride - len(row))) * HEIGHT


def opened(kernel: Kernel) -> V4l2Camera:
    return V4l2Camera(str(kernel.path))


def test_the_structures_have_the_kernels_sizes() -> None:
    assert [layout.size for layout in (v4l2.CAPABILITY, v4l2.FORMAT, v4l2.REQUEST, v4l2.BUFFER)] == [104, 208, 20, 88]
    sizes = {v4l2.QUERYCAP: 104, v4l2.S_FMT: 208, v4l2.REQBUFS: 20, v4l2.QUERYBUF: 88, v4l2.QBUF: 88, v4l2.DQBUF: 88, v4l2.STREAMON: 4}
    for request, size in sizes.items():
        assert (request >> 16) & 0x3FFF == size
        assert (request >> 8) & 0xFF == ord("V")


@pytest.mark.parametrize("stride", [WIDTH * 2, WIDTH * 2 + 32])
def test_packed_pictures_give_their_luma_and_colour(kernel: Kernel, stride: int) -> None:
    kernel.stride = stride
    camera = opened(kernel)
    kernel.come(yuyv(90, stride))
    frame = camera.frame(0.1)
    assert frame is not None
    assert (frame.width, frame.height, frame.stride, frame.n) == (WIDTH, HEIGHT, WIDTH, 1)
    assert bytes(frame.luma) == bytes([90]) * (WIDTH * HEIGHT)
    assert camera.view().convert("RGB").getpixel((5, 5)) == (90, 90, 90)
    camera.close()


def test_of_several_pictures_the_newest_is_taken_and_all_buffers_go_back(kernel: Kernel) -> None:
    camera = opened(kernel)
    for luma in (10, 20, 30):
        kernel.come(yuyv(luma))
    frame = camera.frame(0.1)
    assert frame is not None
    assert frame.luma[0] == 30
    assert sorted(kernel.queued) == [0, 1, 2, 3]
    assert camera.frame(0.01) is None
    camera.close()


def test_jpeg_pictures_are_opened_and_a_damaged_one_is_skipped(kernel: Kernel) -> None:
    kernel.layout = v4l2.MJPEG
    camera = opened(kernel)
    whole = jpeg(parcel())
    kernel.come(whole[:2_000])
    assert camera.frame(0.1) is None
    with pytest.raises(CameraError, match="damaged"):
        camera.view()
    kernel.come(whole)
    frame = camera.frame(0.1)
    assert frame is not None
    assert (frame.width, frame.height) == (1_280, 960)
    assert camera.view().mode == "RGB"
    kernel.come(whole)
    assert camera.still().size == (1_280, 960)
    camera.close()


def test_half_a_packed_picture_is_skipped(kernel: Kernel) -> None:
    camera = opened(kernel)
    kernel.come(yuyv(10)[:100])
    assert camera.frame(0.1) is None
    camera.close()
    camera.close()


@pytest.mark.parametrize(
    ("request_", "number", "state"),
    [
        (v4l2.S_FMT, errno.EBUSY, "busy"),
        (v4l2.STREAMON, errno.EBUSY, "busy"),
        (v4l2.QUERYCAP, errno.ENOTTY, "missing"),
        (v4l2.QUERYCAP, errno.ENODEV, "unplugged"),
        (v4l2.REQBUFS, errno.ENOMEM, "broken"),
    ],
)
def test_a_camera_that_does_not_open_is_a_state(kernel: Kernel, request_: int, number: int, state: str) -> None:
    kernel.fault = (request_, number)
    with pytest.raises(CameraError) as error:
        opened(kernel)
    assert error.value.state == state
    assert str(kernel.path) in str(error.value)


def test_a_camera_pulled_out_is_unplugged(kernel: Kernel) -> None:
    camera = opened(kernel)
    kernel.fault = (v4l2.DQBUF, errno.ENODEV)
    with pytest.raises(CameraError, match="unplugged") as error:
        camera.frame(0.1)
    assert error.value.state == "unplugged"
    camera.close()


def test_a_silent_camera_is_broken_in_the_end(kernel: Kernel) -> None:
    camera = opened(kernel)
    assert [camera.frame(1.0) for _ in range(4)] == [None] * 4  # the file is always ready, so nothing waits
    with pytest.raises(CameraError, match="silent"):
        camera.frame(1.0)
    camera.close()


def test_the_second_device_of_a_camera_is_no_camera(kernel: Kernel) -> None:
    kernel.capabilities = 0x0080_0000  # metadata capture
    with pytest.raises(CameraError, match="is no camera"):
        opened(kernel)


def test_a_layout_that_we_do_not_read_is_named(kernel: Kernel) -> None:
    kernel.layout = b"H264"
    with pytest.raises(CameraError, match="sends H264 pictures"):
        opened(kernel)


def test_a_device_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="There is no camera at") as error:
        V4l2Camera(str(tmp_path / "video9"))
    assert error.value.state == "missing"


def test_an_ordinary_file_is_no_camera(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(CameraError, match="is no camera"):
        V4l2Camera(str(path))
