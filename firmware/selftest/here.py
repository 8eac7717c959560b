"""The place of a self-test in the daemon, which holds every device."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from drivers.board import Board, profile_of
from drivers.gnss.baud import DWELL_S, RATES
from drivers.gnss.receiver import GnssReceiver
from firmware.clock import Clock
from firmware.config import Config
from firmware.selftest.place import Heard, Place, Running, is_enough, run_program

if TYPE_CHECKING:
    from firmware.terminal.cab import Cab

LISTEN_S = 3.2  # three bursts of a receiver at 1 Hz, and longer than a silence takes to be called one
EVERY_RATE_S = 2 + DWELL_S * len(RATES)  # and the recorder hears of it within a second
LOOK_S = 0.1
SILENT = "is silent"  # in the receiver's own sentence; any other sentence without a byte is about the port


def in_daemon(*, config: Config, board: Board, receiver: GnssReceiver, clock: Clock, cab: Cab | None, running: Running) -> Place:
    """Everything of the running unit, by reference: nothing is opened."""
    wait = threading.Event().wait
    return Place(
        config=config,
        profile=profile_of(config.board),
        listen=lambda: listen(receiver, wait),
        panel=board.panel,
        clock=clock,
        camera=cab.camera if cab else None,
        scanners=cab.wedges if cab else None,
        faults=board.faults,
        daemon=running,
        run=run_program,
        wait=wait,
    )


def listen(receiver: GnssReceiver, wait: Callable[[float], bool]) -> Heard:
    """Watch the receiver while the recorder reads it; where nothing can be read, have it try the other speeds."""
    heard = _window(receiver, wait)
    if heard.good or not heard.bytes_read:
        return heard
    receiver.hunt()
    end_s = time.monotonic() + EVERY_RATE_S
    while receiver.status().hunting and time.monotonic() < end_s and not wait(LOOK_S):
        pass
    speaks = receiver.status().sentences_good > heard.now.sentences_good
    return _window(receiver, wait) if speaks else heard


def _window(receiver: GnssReceiver, wait: Callable[[float], bool]) -> Heard:
    begun_s, before = time.monotonic(), receiver.status()
    for _ in range(round(LISTEN_S / LOOK_S)):
        stopped, now = wait(LOOK_S), receiver.status()
        if stopped or is_enough(now.bytes_read - before.bytes_read, now.sentences_good - before.sentences_good):
            break
    read = now.bytes_read - before.bytes_read
    return Heard(
        seconds=time.monotonic() - begun_s,
        bytes_read=read,
        good=now.sentences_good - before.sentences_good,
        bad=now.sentences_bad - before.sentences_bad,
        trouble=now.state if read == 0 and SILENT not in now.state else "",
        now=now,
    )
