"""Named threads that cannot die quietly.

A plain thread that raises leaves a Python process running with nobody at work. `supervise` ends the process instead, and
systemd starts it again.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

log = logging.getLogger(__name__)

CHECK_S = 2.0  # how often it is looked whether a worker hangs, and the watchdog is fed; a dead worker and a signal ring
STOP_S = 8.0  # what a worker may take to finish its step when the unit stops


class Worker(Protocol):
    """One job on one thread."""

    name: str
    stall_s: float  # a step that takes longer than this has hung
    may_be_left: bool  # holds nothing that is not in the journal: an orderly end need not wait for it for ever

    def step(self, stop: threading.Event) -> None:
        """Do one unit of work; wait for it no longer than a second or until `stop`."""

    def finish(self) -> None:
        """Save what is unsaved and let go; called once, on the worker's thread, after the last step."""


class _Bell:
    """Wakes the main thread; use it there, in a `with`. Every signal that has a handler rings it too, whichever thread it reaches.

    An Event a signal's handler could not set: that has a lock, which the main thread may hold at that moment.
    """

    def __enter__(self) -> Self:
        self._ear, self._hand = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._rung_before = signal.set_wakeup_fd(self._hand, warn_on_full_buffer=False)
        self._hung = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._hung = False
        signal.set_wakeup_fd(self._rung_before)
        os.close(self._ear)
        os.close(self._hand)

    def ring(self) -> None:
        """Wake the main thread now, or as soon as it waits; of no effect after the end."""
        if self._hung:
            os.write(self._hand, b"!")

    def wait(self, seconds: float) -> None:
        """Until somebody rings, so many seconds at most."""
        if select.select([self._ear], [], [], seconds)[0]:
            os.read(self._ear, 100)


class _Thread(threading.Thread):
    """Runs a worker step after step, remembers when it last did, and rings when it ends."""

    def __init__(self, worker: Worker, stop: threading.Event, ended: Callable[[], None]) -> None:
        super().__init__(name=worker.name, daemon=True)
        self.worker = worker
        self.failed = False
        self.over = False
        self.beat_s = time.monotonic()
        self._stop_asked = stop
        self._ended = ended

    def run(self) -> None:
        try:
            self._work()
        finally:  # also after what no worker may catch: a library that calls sys.exit ends the thread, and nobody else would see it
            self.over = True
            if not self._stop_asked.is_set():
                self._ended()

    def _work(self) -> None:
        try:
            while not self._stop_asked.is_set():
                self.worker.step(self._stop_asked)
                self.beat_s = time.monotonic()
        except Exception:  # the only place that catches everything: it ends the process
            self.failed = True
            log.exception("%s failed; the program ends, so that it is started again", self.name)
        try:
            self.worker.finish()
        except Exception:
            self.failed = True
            log.exception("%s could not finish in order", self.name)

    @property
    def may_be_left(self) -> bool:
        return self.worker.may_be_left and not self.stalled

    @property
    def stalled(self) -> bool:
        return self.is_alive() and time.monotonic() - self.beat_s > self.worker.stall_s


def notify_systemd(text: str) -> None:
    """Tell systemd (sd_notify); without systemd nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
            bell.connect("\0" + address[1:] if address.startswith("@") else address)
            bell.send(text.encode())


def supervise(workers: Sequence[Worker], *, stop: threading.Event | None = None, status: Callable[[], str] = str) -> int:
    """Run the workers until SIGTERM, SIGINT or `stop`; the exit code: 0 after an orderly end, 1 when a worker died or hung.

    Ends them in the order given. systemd's watchdog is fed only while every worker moves.
    """
    with _Bell() as bell:
        signals: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _: signals.append(received))
        # Each worker has its own stop: they end one after the other, the ones that fill before the ones that empty.
        threads = [_Thread(worker, threading.Event(), bell.ring) for worker in workers]
        for thread in threads:
            thread.start()
        notify_systemd("READY=1")
        broken = _watch(threads, bell, lambda: bool(signals) or (stop is not None and stop.is_set()), status)
        notify_systemd("STOPPING=1")
        left = _end(threads)
    return int(broken or left or any(thread.failed for thread in threads))


def _watch(threads: Sequence[_Thread], bell: _Bell, stopped: Callable[[], bool], status: Callable[[], str]) -> bool:
    """Wait for the end; True when a worker brought it about."""
    while not stopped():
        bell.wait(CHECK_S)
        if any(thread.over for thread in threads):
            return True
        stalled = next((thread for thread in threads if thread.stalled), None)
        if stalled is not None:
            log.critical("%s has not moved for %.0f s; the program ends, so that it is started again", stalled.name, stalled.worker.stall_s)
            return True
        if not stopped():
            notify_systemd(f"WATCHDOG=1\nSTATUS={status()}")
    return False


def _end(threads: Sequence[_Thread]) -> bool:
    """End them in their order; True when one is left behind that should not be."""
    left = False
    for thread in threads:
        thread._stop_asked.set()  # noqa: SLF001  its own class
        thread.join(0 if thread.stalled else STOP_S)
        if thread.is_alive():
            log.log(logging.WARNING if thread.may_be_left else logging.ERROR, "%s does not end; the program leaves it behind", thread.name)
            left = left or not thread.may_be_left
    return left
