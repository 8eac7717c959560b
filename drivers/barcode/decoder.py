"""The terminal's end: a picture in, barcodes out, whatever the picture does to the process that reads it.

zbar and zxing-cpp are native code fed with pictures that anyone can print; both have crashed on some. They run in one child process. It
gets the picture through shared memory without a name (a memfd: nothing can be left behind) and has a deadline; if it dies or hangs, it is
killed and started again, and the picture counts as unread.
"""

from __future__ import annotations

import math
import mmap
import os
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec

from drivers.barcode.barcode import Answer, Barcode, Engines, Request
from drivers.errors import DriverError, PictureError

ROOT = Path(__file__).resolve().parents[2]
START_S = 15.0  # a Pi 4 with a busy card takes 3
DEADLINE_S = 2.0  # five times what the slowest picture of the camera takes on a Pi 4 (estimated from a desktop computer)
BUDGET_MS = 200.0  # of a Pi's processor for a frame of the stream: at the hand's pace every second one is enough
FILE_DEADLINE_S = 20.0  # a 25-megapixel file
RETRY_FIRST_S, RETRY_LONGEST_S = 0.1, 5.0  # between starts, while child after child dies
PACKET_BYTES = 100_000
SMALLEST_PX = 8  # less holds no code, and the engines divide by it


class Decoder:
    """Reads barcodes from pictures. Starts its process on the first need; `close` ends it. A second thread waits for the first.

    `restarts` counts the processes that died or hung; `sentence` is empty while all is well; `module_px` is how wide the bars are, in
    pixels, of a code that the newest frame shows and that was not read, None where there is none.
    """

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self.restarts = 0
        self.sentence = ""
        self.module_px: float | None = None
        self._deadline_s = deadline_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._memory_fd = -1
        self._memory: mmap.mmap | None = None
        self._told_ready = False
        self._started_s = 0.0
        self._failures = 0
        self._retry_at_s = 0.0

    @property
    def pid(self) -> int | None:
        """The child's process number, None while there is none."""
        return self._child.pid if self._child is not None else None

    def ready(self, timeout_s: float) -> bool:
        """Start the child where there is none, and wait for it at most so long. DriverError where it can never work (a missing library)."""
        with self._lock:
            return self._ready(time.monotonic() + timeout_s)

    def decode(
        self, luma: bytes | memoryview, width: int, height: int, stride: int | None = None, *, budget_ms: float = BUDGET_MS
    ) -> list[Barcode]:
        """The codes of a luma picture; empty, too, when the child died or hung on it.

        `stride` is the distance of two rows in bytes, `width` where absent; `budget_ms` of processor time may be spent. Raises
        DriverError where the child cannot be started.
        """
        stride = stride or width
        if min(width, height) < SMALLEST_PX:
            return []
        if len(luma) < stride * (height - 1) + width:
            raise ValueError(f"{len(luma)} bytes are no picture of {width} x {height} with rows of {stride}")
        with self._lock:
            self._start_or_raise()
            _copy(luma, self._room(width * height), width, height, stride)
            request = Request(size=width * height, width=width, height=height, budget_ms=budget_ms, limit_s=_limit_s(self._deadline_s))
            answer = self._ask(request, self._deadline_s)
            self.module_px = answer.module_px
        return list(answer.barcodes)

    def read_picture(self, data: bytes, *, budget_ms: float | None = None, engines: Engines = "both") -> list[Barcode]:
        """The codes of a picture file, which is opened in the child, too; without a budget all that can be tried is tried.

        Raises PictureError, and DriverError as `decode` does.
        """
        if not data:
            raise PictureError("the picture is empty; take it again")
        with self._lock:
            self._start_or_raise()
            self._room(len(data))[: len(data)] = data
            died = self.restarts
            request = Request(size=len(data), width=0, height=0, budget_ms=budget_ms, engines=engines, limit_s=_limit_s(FILE_DEADLINE_S))
            answer = self._ask(request, FILE_DEADLINE_S)
            if self.restarts != died:
                raise PictureError("the picture brings the barcode reader down; take another one")
        if answer.refusal is not None:
            raise PictureError(answer.refusal)
        return list(answer.barcodes)

    def close(self) -> None:
        """End the child and free the memory; the second time nothing happens."""
        with self._lock:
            self._end()
            if self._memory is not None:
                self._memory.close()
                os.close(self._memory_fd)
                self._memory, self._memory_fd = None, -1

    def _start_or_raise(self) -> None:
        """For a caller that has no better use of its time; one that has asks `ready` first."""
        if not self._ready(time.monotonic() + START_S):
            raise DriverError(self.sentence or "The barcode reader does not start; it is tried again by itself.")

    def _ready(self, until_s: float) -> bool:
        if self._child is None:
            if time.monotonic() < self._retry_at_s:
                time.sleep(max(0.0, min(self._retry_at_s, until_s) - time.monotonic()))
            if time.monotonic() < self._retry_at_s:
                return False
            self._start()
        if self._told_ready:
            return True
        answer = self._receive(until_s - time.monotonic())
        if answer is None:
            if self._child is not None and time.monotonic() - self._started_s > START_S:
                self._fell("The barcode reader does not start; it is tried again by itself.")
            return False
        if answer.missing is not None:
            self._end()
            self.sentence = answer.missing
            raise DriverError(answer.missing)
        self._told_ready = True
        return True

    def _start(self) -> None:
        self._room(mmap.PAGESIZE)
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        command = [sys.executable, "-P", "-m", "drivers.barcode.child", str(its.fileno()), str(self._memory_fd)]
        try:
            self._child = subprocess.Popen(
                command,
                pass_fds=(its.fileno(), self._memory_fd),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # zbar prints assertions about pictures
                env={**os.environ, "PYTHONPATH": path},
            )
        except OSError as error:
            mine.close()
            self.sentence = f"The barcode reader cannot be started ({error.strerror}); it is tried again by itself."
            raise DriverError(self.sentence) from error
        finally:
            its.close()
        self._line, self._told_ready, self._started_s = mine, False, time.monotonic()

    def _ask(self, request: Request, deadline_s: float) -> Answer:
        assert self._line is not None
        try:
            self._line.send(msgspec.msgpack.encode(request))
        except OSError:
            self._fell("The barcode reader died between two pictures and was started again.")
            return Answer()
        answer = self._receive(deadline_s)
        if answer is None:
            self._fell("The barcode reader died or hung on a picture and was started again; that picture counts as unread.")
            return Answer()
        self._failures, self.sentence = 0, ""
        return answer

    def _receive(self, timeout_s: float) -> Answer | None:
        """The child's next answer; None when none came. A child that hung up is gone afterwards."""
        assert self._line is not None
        ready, _, _ = select.select([self._line], [], [], max(0.0, timeout_s))
        if not ready:
            return None
        try:
            packet = self._line.recv(PACKET_BYTES)
            if packet:
                return msgspec.msgpack.decode(packet, type=Answer)
        except (OSError, msgspec.DecodeError):
            pass  # the same as hanging up
        if not self._told_ready:
            self._fell("The barcode reader does not start; it is tried again by itself.")
        return None

    def _fell(self, sentence: str) -> None:
        """End what is left of the child; the next one may start after a pause that grows while none answers."""
        self._end()
        self.restarts += 1
        self._retry_at_s = time.monotonic() + min(RETRY_FIRST_S * 2**self._failures, RETRY_LONGEST_S)
        self._failures = min(self._failures + 1, 10)
        self.sentence = sentence

    def _end(self) -> None:
        child, self._child = self._child, None
        line, self._line = self._line, None
        if line is not None:
            line.close()
        if child is not None:
            child.kill()
            child.wait()

    def _room(self, size: int) -> mmap.mmap:
        """The shared memory, at least so large. A living child maps anew for each picture, so it may grow under it."""
        if self._memory is None or len(self._memory) < size:
            if self._memory is None:
                self._memory_fd = os.memfd_create("roadproof-picture", os.MFD_CLOEXEC)
            else:
                self._memory.close()
            os.ftruncate(self._memory_fd, size)
            self._memory = mmap.mmap(self._memory_fd, size)
        return self._memory


def _copy(luma: bytes | memoryview, room: mmap.mmap, width: int, height: int, stride: int) -> None:
    """The rows without their padding."""
    if stride == width:
        room[: width * height] = luma[: width * height]
        return
    view = memoryview(luma)
    for row in range(height):
        room[row * width : (row + 1) * width] = view[row * stride : row * stride + width]


def _limit_s(deadline_s: float) -> int:
    """Whole seconds for the child's own alarm, after the deadline: it is the terminal that ends a hanging child, while it lives."""
    return math.ceil(deadline_s) + 1
