"""The control socket: a technician's command on this very unit asks, the daemon answers. No network reaches it.

One JSON line asks, one line answers each thing that is found, and the connection ends. Who may open the socket is the file's business: the
daemon's user and group, and root.
"""

from __future__ import annotations

import logging
import math
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

SOCKET_FILE = "control.sock"
MODE = 0o660
LINE_BYTES = 4_096
CALLER_S = 30.0  # for his line, and for taking an answer: he is on this machine
WAITING_CALLERS = 4

Answering = Callable[[bytes, Callable[[float], bool]], Generator[msgspec.Struct, None, None]]


class Control:
    """The worker that answers, one caller after the other. It sleeps in the system until somebody calls: an hour without one costs nothing.

    `answer` gets the line and a `wait` that says True when the unit stops. Where the socket cannot be made the unit does without, and says
    so in the log: a van records on.
    """

    name = "control"
    stall_s = math.inf  # waits for a caller for weeks, and a drill takes minutes; nobody else waits for it
    may_be_left = True

    def __init__(self, path: Path, answer: Answering) -> None:
        self._path = path
        self._answer = answer
        self._listener = _listen(path)
        self._watched = False

    def step(self, stop: threading.Event) -> None:
        """Wait for one caller and answer him."""
        if self._listener is None:
            stop.wait()
            return
        if not self._watched:
            self._watched = True
            threading.Thread(target=_wake, args=(self._listener, stop), name="control-stop", daemon=True).start()
        try:
            caller, _ = self._listener.accept()
        except OSError:
            if stop.is_set():
                return
            raise
        with caller:
            self._serve(caller, stop)

    def finish(self) -> None:
        """Close the socket and remove it."""
        self.close()

    def close(self) -> None:
        """The same; the second time nothing happens."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
            self._path.unlink(missing_ok=True)

    def _serve(self, caller: socket.socket, stop: threading.Event) -> None:
        caller.settimeout(CALLER_S)
        try:
            line = _line(caller)
            with closing(self._answer(line, stop.wait)) as answers:
                for answer in answers:
                    caller.sendall(msgspec.json.encode(answer) + b"\n")
        except OSError as error:  # a time-out is one too
            log.info("a caller of the control socket went away: %s", error)


def _listen(path: Path) -> socket.socket | None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)  # of a daemon that was killed: the journal lets no second one live
        listener.bind(str(path))
        path.chmod(MODE)
        listener.listen(WAITING_CALLERS)
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        log.warning("%s cannot be made (%s): roadproof selftest cannot ask this unit", path, reason)
        return None
    return listener


def _wake(listener: socket.socket, stop: threading.Event) -> None:
    """On a thread of its own: nothing else ends a wait for a caller."""
    stop.wait()
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)


def _line(caller: socket.socket) -> bytes:
    """What was asked, without its end; of one that is too long the beginning, which nobody will understand."""
    line = b""
    while b"\n" not in line and len(line) <= LINE_BYTES:
        more = caller.recv(LINE_BYTES)
        if not more:
            break
        line += more
    return line.partition(b"\n")[0][:LINE_BYTES]
