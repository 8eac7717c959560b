"""A serial port as bytes; the only door to pyserial."""

from __future__ import annotations

import errno
import os
import select
import termios
from typing import TYPE_CHECKING

from drivers.errors import PortGoneError

if TYPE_CHECKING:
    import serial

READ_BYTES = 4_096  # what the kernel holds of a serial line
_BUSY = {errno.EBUSY, errno.EAGAIN}
_ABSENT = {errno.ENOENT, errno.ENODEV, errno.ENXIO}


class BytePort:
    """An open serial port that belongs to this process alone; reads bytes, never lines.

    Raises PortGoneError with one sentence for the technician where it cannot be opened or was unplugged.
    """

    def __init__(self, path: str, baud: int) -> None:
        import serial

        self.path = path
        self.baud = baud
        try:
            self._serial: serial.Serial = serial.Serial(path, baud, timeout=0, exclusive=True)
        except (OSError, ValueError, termios.error) as error:
            raise PortGoneError(_why_not_open(path, error)) from error

    def read(self, timeout_s: float) -> bytes:
        """Wait for bytes, at most this long, and return all that came; empty after a silent wait."""
        try:
            line = self._serial.fileno()
            if not select.select([line], [], [], timeout_s)[0]:
                return b""
            data = os.read(line, READ_BYTES)
        except BlockingIOError:  # what made it ready is gone again
            return b""
        except OSError as error:
            self.close()
            raise PortGoneError(_unplugged(self.path)) from error
        if not data:  # ready, and nothing there: the end of the line
            self.close()
            raise PortGoneError(_unplugged(self.path))
        return data

    def write(self, data: bytes) -> None:
        """Put bytes on the line. Never waits: what the line does not take at once is lost, and whoever wrote it asks again."""
        try:
            os.write(self._serial.fileno(), data)
        except BlockingIOError:
            return
        except OSError as error:
            self.close()
            raise PortGoneError(_unplugged(self.path)) from error

    def listen_at(self, baud: int) -> None:
        """Change the speed of the line and drop what came at the old one."""
        self.baud = baud
        try:
            self._serial.baudrate = baud
            self._serial.reset_input_buffer()
        except (OSError, termios.error) as error:
            self.close()
            raise PortGoneError(_unplugged(self.path)) from error

    def close(self) -> None:
        """Give the port back; a second time does nothing."""
        self._serial.close()


def _unplugged(path: str) -> str:
    return f"The receiver at {path} was unplugged; plug it in again, it is taken up by itself."


def _why_not_open(path: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in _ABSENT:
        return f"There is no serial port {path}; plug the receiver in, or correct the port's name in the settings."
    if number in {errno.EACCES, errno.EPERM}:
        return f"This user may not open {path}; add the user to the group dialout (sudo usermod -aG dialout NAME) and log in again."
    if number in _BUSY:
        return f"Another program holds {path}; stop it first (gpsd and ModemManager are the usual ones)."
    return f"{path} cannot be opened as a serial port ({error})."
