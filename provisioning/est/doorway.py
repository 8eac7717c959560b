"""The door of the authority's server: a bounded number of lines at once, and few of them from one household.

uvicorn counts lines whose TLS stands; who opens a thousand and says nothing would take every file descriptor before it counts one.
"""

from __future__ import annotations

import logging
import socket
from collections import Counter
from typing import Any

from provisioning.est.guesses import household

log = logging.getLogger(__name__)

LINES = 256  # with those that have not begun TLS; a process may open 1,024 files
OF_ONE = 32  # a depot behind one router; a line lives for less than a second


class Doorway(socket.socket):
    """A listening socket that closes what is too much at once, and accepts the rest."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(fileno=listener.detach())
        self._open = Counter[str]()
        self._is_full = False

    def accept(self) -> tuple[Line, Any]:
        """The next line that there is room for; BlockingIOError when nobody else waits."""
        while True:
            accepted, address = super().accept()
            line = Line(accepted, self._open, household(str(address[0])))
            if self._has_room(line):
                return line, address
            line.close()

    def _has_room(self, line: Line) -> bool:
        is_full = self._open[line.household] > OF_ONE or self._open.total() > LINES
        if is_full and not self._is_full:  # once, until there was room again: who floods must not fill the log too
            log.warning("too many lines at once, the newest from %s: more are closed unheard", line.household)
        self._is_full = is_full
        return not is_full


class Line(socket.socket):
    """An accepted line that is counted until it is closed."""

    def __init__(self, accepted: socket.socket, lines: Counter[str], household: str) -> None:
        super().__init__(fileno=accepted.detach())
        self.household = household
        self._lines = lines
        lines[household] += 1
        self._is_counted = True

    def close(self) -> None:
        """Close, and make room for the next."""
        super().close()
        if self._is_counted:
            self._is_counted = False
            self._lines[self.household] -= 1
            if not self._lines[self.household]:
                del self._lines[self.household]
