"""Hands satellites' time to chrony, which keeps the system's clock: its SOCK reference clock.

Source: chrony's documentation, chrony.conf(5) "refclock SOCK", and the struct that its refclock_sock.c reads. Layout and time_t are
those of this machine, as chronyd is built for the same one.
"""

from __future__ import annotations

import errno
import socket
import struct

MAGIC = 0x534F434B  # "SOCK"
SAMPLE = struct.Struct("@lldiiii")  # system time in s and us, offset in s, pulse, leap, padding, magic
SECONDS_TOO, NO_LEAP, PADDING = 0, 0, 0

_REASONS = {
    errno.ENOENT: "does not exist: chrony is not running, or has no refclock SOCK line for it",
    errno.ECONNREFUSED: "is left over from a chrony that ended; it is taken up again when chrony starts",
    errno.EACCES: "may not be written by this user; let chrony's service give it to the group roadproof",
    errno.EAGAIN: "is full: chrony does not read it",
}


def sample(system_s: float, offset_s: float) -> bytes:
    """One measurement: the system's clock showed `system_s` when the true time was `offset_s` later."""
    seconds, microseconds = divmod(round(system_s * 1_000_000), 1_000_000)
    return SAMPLE.pack(seconds, microseconds, offset_s, SECONDS_TOO, NO_LEAP, PADDING, MAGIC)


class ChronySocket:
    """Sends samples to the socket that chronyd made. That nobody listens is a state, not an error."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self.state = f"nothing was sent to {path} yet"  # a sentence

    def feed(self, *, system_s: float, true_s: float) -> bool:
        """Say what the true time was when the system's clock showed `system_s`; whether chrony took it."""
        try:
            self._socket.sendto(sample(system_s, true_s - system_s), self._path)
        except OSError as error:
            reason = _REASONS.get(error.errno or 0, f"cannot be used: {(error.strerror or str(error)).lower()}")
            self.state = f"chrony's socket {self._path} {reason}"
            return False
        self.state = f"chrony is fed through {self._path}"
        return True

    def close(self) -> None:
        """Give the socket back; a second time does nothing."""
        self._socket.close()
