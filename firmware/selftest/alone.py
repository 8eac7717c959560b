"""The place of a self-test while the daemon does not run: what it would hold is opened here, and given back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from drivers.board import Board, open_board, profile_of
from drivers.errors import PortGoneError
from drivers.gnss.baud import DWELL_S, RATES
from drivers.gnss.receiver import GnssReceiver
from drivers.gnss.ublox import Ublox
from firmware.clock import BUILD_DATE, Clock
from firmware.config import Config
from firmware.selftest.place import Heard, Place, is_enough, run_program

if TYPE_CHECKING:
    from drivers.camera import Camera
    from drivers.wedge import Wedges

EVERY_RATE_S = 2 * DWELL_S * len(RATES)  # all speeds, once more for a receiver that was just plugged in
LISTEN_S = 3.2  # after the first good sentence: three bursts at 1 Hz
READ_S = 0.25


@contextmanager
def without_daemon(config: Config) -> Iterator[Place]:
    """Open the parts; DriverError for settings that name nothing real."""
    with ExitStack() as held:
        board = open_board(config.board)
        held.callback(board.panel.close)
        clock = Clock()
        camera, scanners = _eyes(board, held) if config.terminal.enabled else (None, None)
        yield Place(
            config=config,
            profile=profile_of(config.board),
            listen=lambda: listen(board, clock),
            panel=board.panel,
            clock=clock,
            camera=camera,
            scanners=scanners,
            faults=board.faults,
            run=run_program,
            wait=threading.Event().wait,
        )


def _eyes(board: Board, held: ExitStack) -> tuple[Camera, Wedges]:
    from drivers.camera import open_camera
    from drivers.wedge import Wedges

    camera, scanners = open_camera(board.camera), Wedges(board.wedges)
    held.callback(camera.close)
    held.callback(scanners.close)
    scanners.read(0.0)  # looks for them
    return camera, scanners


def listen(board: Board, clock: Clock) -> Heard:
    """Open the port and go through the speeds until sentences come; the clock hears the satellites' time."""
    receiver = GnssReceiver(board.gnss_port, None, not_before=BUILD_DATE, ublox=Ublox())
    begun_s, trouble = time.monotonic(), ""
    end_s = begun_s + EVERY_RATE_S
    try:
        while time.monotonic() < end_s:
            for epoch in receiver.read(READ_S):
                if epoch.has_fix and epoch.at is not None:
                    clock.observe(epoch.at, epoch.mono_s)
            good = receiver.status().sentences_good
            if good:
                end_s = min(end_s, time.monotonic() + (0 if is_enough(0, good) else LISTEN_S))
    except PortGoneError as error:
        trouble = str(error)
    finally:
        receiver.close()
    now = receiver.status()
    return Heard(
        seconds=time.monotonic() - begun_s,
        bytes_read=now.bytes_read,
        good=now.sentences_good,
        bad=now.sentences_bad,
        trouble=trouble,
        now=now,
    )
