"""Hand scanners on a serial port, or on USB as keyboards that are grabbed, so that a code is never typed into the page."""

from __future__ import annotations

import errno
import fcntl
import os
import termios
import time
from pathlib import Path

from drivers.errors import PortGoneError
from drivers.wedge.keys import EVENT, KeyText
from drivers.wedge.reading import GAP_S, Lines, Reading, reading_of

GRAB = 0x40044590  # EVIOCGRAB of linux/input.h
BAUD = 9_600  # the usual one of RS-232 scanners; a USB scanner in serial mode ignores it
READ_BYTES = 4_096


class SerialWedge:
    """A scanner on a serial port (or on USB in its serial mode, which is the better one: it loses no character). Raises PortGoneError."""

    def __init__(self, path: str) -> None:
        import serial

        self.path = path
        self._lines = Lines()
        try:
            self._serial = serial.Serial(path, BAUD, timeout=0, exclusive=True)
        except (OSError, ValueError, termios.error) as error:
            raise PortGoneError(_why(path, error, "dialout")) from error

    def fileno(self) -> int:
        """For select."""
        return int(self._serial.fileno())

    @property
    def pending(self) -> bool:
        """Whether a code without its end is held: read again soon."""
        return self._lines.pending

    def read(self) -> list[Reading]:
        """The codes that have come; returns at once."""
        try:
            data = os.read(self.fileno(), READ_BYTES)
        except BlockingIOError:
            return self._readings(b"")
        except OSError as error:
            raise PortGoneError(_gone(self.path)) from error
        if not data and not Path(self.path).exists():
            raise PortGoneError(_gone(self.path))
        return self._readings(data)

    def close(self) -> None:
        """Give the port back; the second time nothing happens."""
        self._serial.close()

    def _readings(self, data: bytes) -> list[Reading]:
        texts = self._lines.feed(data, time.monotonic())
        return [reading for text in texts if (reading := reading_of(text, self.path))]


class HidWedge:
    """A scanner that types, by its event device. Raises PortGoneError."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._keys = KeyText()
        self._rest = b""
        self._last_s = 0.0
        self._fd = -1
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.ioctl(self._fd, GRAB, 1)
        except OSError as error:
            self.close()
            raise PortGoneError(_why(path, error, "input")) from error

    def fileno(self) -> int:
        """For select."""
        return self._fd

    @property
    def pending(self) -> bool:
        """Whether a code without its end is held: read again soon."""
        return self._keys.pending

    def read(self) -> list[Reading]:
        """The codes that have come; returns at once."""
        try:
            data = os.read(self._fd, READ_BYTES // EVENT.size * EVENT.size)
        except BlockingIOError:
            return self._quiet()
        except OSError as error:
            raise PortGoneError(_gone(self.path)) from error
        if not data:
            raise PortGoneError(_gone(self.path))
        self._last_s = time.monotonic()
        whole = len(self._rest + data) // EVENT.size * EVENT.size
        packed, self._rest = (self._rest + data)[:whole], (self._rest + data)[whole:]
        return [reading for text in self._keys.feed(packed) if (reading := reading_of(text, self.path))]

    def close(self) -> None:
        """Let go of the keyboard; the second time nothing happens."""
        if self._fd >= 0:
            os.close(self._fd)  # ends the grab
            self._fd = -1

    def _quiet(self) -> list[Reading]:
        if not self._keys.pending or time.monotonic() - self._last_s < GAP_S:
            return []
        reading = reading_of(self._keys.flush(), self.path)
        return [reading] if reading else []


def _gone(path: str) -> str:
    return f"The hand scanner at {path} was unplugged; plug it in again, it is taken up by itself."


def _why(path: str, error: Exception, group: str) -> str:
    number = getattr(error, "errno", None)
    if number in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return f"There is no hand scanner at {path}; plug it in, or correct the name in the settings."
    if number in {errno.EACCES, errno.EPERM}:
        return f"This user may not open {path}; add the user to the group {group} (sudo usermod -aG {group} NAME) and log in again."
    if number in {errno.EBUSY, errno.EAGAIN}:
        return f"Another program holds the hand scanner at {path}; stop it first."
    return f"{path} cannot be opened as a hand scanner ({error})."
