"""A pseudo-terminal that behaves as a receiver's serial line, and the van whose receiver writes to it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import threading
import time
import tty
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from drivers.errors import DriverError
from drivers.sim.nmea import burst
from drivers.sim.panel import PanelHands
from drivers.sim.van import VanEpoch, VirtualVan

HELD_BYTES = 4095  # what Linux holds for a serial port that nobody reads; on a pseudo-terminal a little more may be on its way
READ_BYTES = 65_536
HEARD_BYTES = 4_096  # of what the terminal wrote and nobody has asked for
LATE_S = 1.0  # after a longer pause of the machine the van goes on from now, it does not hurry


class SerialLine:
    """A serial line without a wire: `write` puts the receiver's bytes on it, a reader opens `port`, `heard` is what that one wrote.

    With `link` the port is that path, also after `unplug` and `replug`; without, each plug has its own path. Raw, never blocks:
    when nobody reads, the oldest bytes make room and are counted. Safe from several threads.
    """

    def __init__(self, link: Path | None = None) -> None:
        self.dropped_bytes = 0
        self._link = link
        self._lock = threading.Lock()
        self._heard = b""
        self._ends: tuple[int, int] | None = None  # ours, and a second hold on the reader's so that it outlives each reader
        self._port = ""
        self.replug()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.unplug()

    @property
    def port(self) -> str:
        """The path that a reader opens; there is nothing behind it while the line is unplugged."""
        return self._port

    @property
    def plugged(self) -> bool:
        """Whether there is a port to open."""
        return self._ends is not None

    def write(self, data: bytes) -> bool:
        """Put bytes on the line; False while it is unplugged."""
        with self._lock:
            if self._ends is None:
                return False
            ours, theirs = self._ends
            self._listen(ours)  # also when nobody asks for it: the terminal must not wait
            self.dropped_bytes += _discard(theirs, _waiting(theirs) + len(data) - HELD_BYTES)
            self.dropped_bytes += len(data) - _offer(ours, data)
            return True

    def heard(self) -> bytes:
        """What the terminal wrote since the last time; of a lot that nobody asked for, the newest."""
        with self._lock:
            if self._ends is not None:
                self._listen(self._ends[0])
            heard, self._heard = self._heard, b""
            return heard

    def _listen(self, ours: int) -> None:
        self._heard = (self._heard + _fetch(ours, READ_BYTES))[-HEARD_BYTES:]

    def unplug(self) -> None:
        """Pull the plug: the link is gone and a reader's next read fails, as with a USB receiver."""
        with self._lock:
            if self._ends is None:
                return
            if self._link is not None:
                self._link.unlink(missing_ok=True)
            for end in self._ends:
                os.close(end)
            self._ends = None
            self._heard = b""

    def replug(self) -> None:
        """Plug it in again: a new port, behind the same link."""
        with self._lock:
            if self._ends is not None:
                return
            ours, theirs = pty.openpty()
            tty.setraw(theirs)
            os.set_blocking(ours, False)
            os.set_blocking(theirs, False)
            self._ends = ours, theirs
            self._port = os.ttyname(theirs)
            if self._link is not None:
                _point(self._link, self._port)
                self._port = str(self._link)


def _waiting(end: int) -> int:
    """Bytes that a reader has not fetched."""
    (count,) = struct.unpack("i", fcntl.ioctl(end, termios.FIONREAD, bytes(4)))
    return int(count)


def _discard(end: int, count: int) -> int:
    return len(_fetch(end, count)) if count > 0 else 0


def _fetch(end: int, count: int) -> bytes:
    try:
        return os.read(end, count)
    except BlockingIOError:  # nothing there, or the reader was quicker
        return b""


def _offer(end: int, data: bytes) -> int:
    try:
        return os.write(end, data)
    except BlockingIOError:
        return 0


def _point(link: Path, port: str) -> None:
    """Let the link lead to the port in one step; what is not a link stays untouched."""
    if link.exists() and not link.is_symlink():
        raise DriverError(f"{link} exists and is not a link to a simulated port; choose another path or remove it")
    fresh = link.with_name(f"{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(port)
    fresh.replace(link)


class Drive:
    """Drives the van in real time times `speed` on a thread of its own; its receiver writes to the line, its key turns on the panel.

    `answer` lets a receiver that takes orders answer them, once an epoch: `SimulatedUblox.answer`.
    Its hands (`enter_tunnel`, `unplug`, ...) work at any moment. `epochs_with_fix` counts the positions that went on the line.
    """

    def __init__(
        self,
        van: VirtualVan,
        line: SerialLine,
        *,
        speed: float = 1.0,
        panel: PanelHands | None = None,
        answer: Callable[[], None] | None = None,
    ) -> None:
        self.epochs_with_fix = 0
        self.epochs_written = 0
        self.epoch: VanEpoch | None = None  # the newest one, on the line or not
        self._van = van
        self._line = line
        self._panel = panel
        self._answer = answer
        self._speed = speed
        self._tunnel = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="van", daemon=True)

    def start(self) -> None:
        """Pull away; once."""
        self._thread.start()

    def stop(self) -> None:
        """End the drive; the counts are final when this returns. The line stays as it is."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()

    def enter_tunnel(self) -> None:
        """No sky from the next epoch on, wherever the van is."""
        self._tunnel.set()

    def leave_tunnel(self) -> None:
        """The sky is back, unless the route itself is in a tunnel."""
        self._tunnel.clear()

    def hold(self) -> None:
        """Pull over and stay; while it stands, time passes as in life."""
        self._van.hold()

    def release(self) -> None:
        """Drive on, as fast as before."""
        self._van.release()

    @property
    def held_still(self) -> bool:
        """Whether the van was told to stay and stands."""
        return self._van.held_still

    def begin_round(self, doors_m: Sequence[float], at: datetime) -> None:
        """A round of its own for a van that stands: these doors, in metres along the route, and the time that it is now."""
        self._van.set_clock(at)
        self._van.call_at(doors_m)

    def unplug(self) -> None:
        """Pull the receiver's plug; the van drives on."""
        self._line.unplug()

    def replug(self) -> None:
        """Plug the receiver in again."""
        self._line.replug()

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._end.wait(max(0.0, due_s - time.monotonic())):
            self._go_on()
            speed = 1.0 if self._van.held_still else self._speed
            due_s = max(due_s + 1 / self._van.rate_hz / speed, time.monotonic() - LATE_S)

    def _go_on(self) -> None:
        epoch = self._van.step()
        if self._tunnel.is_set():
            epoch = msgspec.structs.replace(epoch, in_tunnel=True)
        self.epoch = epoch
        if self._line.write(burst(epoch)):
            self.epochs_written += 1
            self.epochs_with_fix += not epoch.in_tunnel
        if self._answer is not None:
            self._answer()
        if self._panel is not None:
            self._panel.turn_key(on=epoch.ignition)  # told at every epoch: a terminal that restarts learns it again
