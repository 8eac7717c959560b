"""The place of a self-test in the daemon, which holds every device."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from drivers.board import SIMULATED, Board, load_profile
from drivers.gnss.receiver import GnssReceiver
from firmware.clock import Clock
from firmware.config import Config
from firmware.selftest.place import Heard, Place, Running, run_program

if TYPE_CHECKING:
    from firmware.terminal.cab import Cab

LISTEN_S = 3.2  # three bursts of a receiver at 1 Hz, and longer than a silence takes to be called one
SILENT = "is silent"  # in the receiver's own sentence; any other sentence without a byte is about the port


def in_daemon(*, config: Config, board: Board, receiver: GnssReceiver, clock: Clock, cab: Cab | None, running: Running) -> Place:
    """Everything of the running unit, by reference: nothing is opened."""
    wait = threading.Event().wait
    return Place(
        config=config,
        profile=None if config.board.profile == SIMULATED else load_profile(config.board.profile, config.board.profile_folder),
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
    """Watch the receiver while the recorder reads it."""
    before = receiver.status()
    wait(LISTEN_S)
    now = receiver.status()
    read = now.bytes_read - before.bytes_read
    return Heard(
        seconds=LISTEN_S,
        bytes_read=read,
        good=now.sentences_good - before.sentences_good,
        bad=now.sentences_bad - before.sentences_bad,
        trouble=now.state if read == 0 and SILENT not in now.state else "",
        every_rate=False,
        now=now,
    )
