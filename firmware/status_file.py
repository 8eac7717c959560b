"""The worker that leaves the status where `roadproof status` finds it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from drivers.gnss.receiver import GnssReceiver
from firmware import status as statuses
from firmware.clock import Clock
from firmware.journal import Journal, Series
from firmware.status import StatusBoard
from firmware.uplink.reports import Reports

log = logging.getLogger(__name__)

STATUS_FILE = "status.json"
STATUS_EVERY_S = 2.0


class StatusFile:
    """Fills in what nobody changes by himself, and writes all of it."""

    name = "status"
    may_be_left = True
    stall_s = 30.0

    def __init__(self, *, path: Path, board: StatusBoard, journal: Journal, reports: Reports, clock: Clock, receiver: GnssReceiver) -> None:
        self._path = path
        self._board = board
        self._journal = journal
        self._reports = reports
        self._clock = clock
        self._receiver = receiver
        self._failed = False

    def step(self, stop: threading.Event) -> None:
        """Write the status, then wait."""
        self._write()
        stop.wait(STATUS_EVERY_S)

    def finish(self) -> None:
        """Write it once more, with everything receipted that was."""
        self._write()

    def _write(self) -> None:
        now, gnss = self._clock.now(), self._receiver.status()
        self._board.change(
            at_ms=now.at_ms,
            time_source=now.src,
            gnss=gnss.state,
            gnss_setup=gnss.setup,
            sentences_good=gnss.sentences_good,
            sentences_bad=gnss.sentences_bad,
            seq=self._reports.series(Series.SEQ),
            tseq=self._reports.series(Series.TSEQ),
            journal_used_bytes=self._journal.used_bytes,
        )
        try:
            statuses.write(self._path, self._board.snapshot())
        except OSError as error:  # a full tmpfs must not end the recording
            if not self._failed:
                log.warning(
                    "the status cannot be written to %s: %s; roadproof status shows nothing until it can", self._path, error.strerror
                )
            self._failed = True
        else:
            self._failed = False
