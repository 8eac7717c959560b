"""The parts list: every object of the daemon, built here and handed on by name."""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.board import Board, open_board
from drivers.gnss.receiver import GnssReceiver
from drivers.gnss.ublox import Ublox, van_settings
from firmware.box.control import SOCKET_FILE, Control
from firmware.box.power import Power
from firmware.box.requests import Requests
from firmware.box.screen import Screen
from firmware.clock import BUILD_DATE, Clock, boot_id
from firmware.config import Config
from firmware.diary import Diary
from firmware.journal import Journal
from firmware.recorder import Recorder
from firmware.selftest import LEDGER
from firmware.status import Status, StatusBoard
from firmware.status_file import STATUS_FILE, StatusFile
from firmware.uplink.reports import Reports
from firmware.uplink.uplink import Uplink
from firmware.version import VERSION
from firmware.worker import Worker, supervise
from mqtt import topics
from mqtt.link import BrokerLink

if TYPE_CHECKING:
    from firmware.selftest.answers import Answer, Answers
    from firmware.selftest.commissioning import Commissioning
    from firmware.selftest.finding import Finding
    from firmware.selftest.place import Running
    from firmware.selftest.selftest import Selftest
    from firmware.terminal.cab import Cab
    from mqtt.evidence.report import Paper

log = logging.getLogger(__name__)

REPORTS = "reports"  # in the journal's folder


class Daemon:
    """Everything that runs on the unit."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._making = threading.Lock()  # cached_property has none of its own from Python 3.12 on
        self._selftest: Selftest | None = None
        self.boot = boot = boot_id()
        self.clock = Clock()
        self.status = StatusBoard(Status(unit=config.unit, pid=os.getpid(), boot=boot))
        self.diary = Diary(unit=config.unit, boot=boot, clock=self.clock, status=self.status)
        runtime = Path(config.runtime_folder)
        runtime.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(
            Path(config.journal.folder) / "journal.db",
            quota_bytes=config.journal.quota_mb * 1_000_000,
            keep_ms=config.journal.keep_hours * 3_600_000,
            utc_ms=lambda: self.clock.now().at_ms,
            tombstone=self.diary.tombstone,
        )
        self.diary.open(self.journal)
        self.status.change(log=self.journal.log, journal_quota_bytes=self.journal.quota_bytes)
        with ExitStack() as held:  # a start that fails here lets go of what it has: another may follow in this process
            held.callback(self.journal.close)
            self.board: Board = open_board(config.board)
            held.callback(self.board.panel.close)
            self._build(config, boot, runtime)
            held.pop_all()

    def _build(self, config: Config, boot: str, runtime: Path) -> None:
        for fault in self.board.faults:
            log.warning("%s", fault)
        self.status.change(faults=self.board.faults)
        self.receiver = GnssReceiver(self.board.gnss_port, self.board.gnss_baud, not_before=BUILD_DATE, ublox=Ublox(van_settings()))
        self.reports = Reports(unit=config.unit, boot=boot, firmware=VERSION, journal=self.journal, clock=self.clock, status=self.status)
        self.recorder = Recorder(
            boot=boot,
            receiver=self.receiver,
            panel=self.board.panel,
            chrony=self.board.chrony,
            journal=self.journal,
            diary=self.diary,
            clock=self.clock,
            status=self.status,
            commit_s=config.journal.commit_s,
        )
        self.cab = self._cab(config, boot)
        self._watch_the_box(config, Requests(runtime))
        self.uplink = self._uplink(config)
        self.status_file = StatusFile(
            path=runtime / STATUS_FILE,
            board=self.status,
            journal=self.journal,
            reports=self.reports,
            clock=self.clock,
            receiver=self.receiver,
        )
        self.control = Control(runtime / SOCKET_FILE, self._answer)

    @property
    def selftest(self) -> Selftest:
        """The one of all parts of this unit; imported when somebody asks for it the first time, on the screen or at the socket."""
        from firmware.selftest.here import in_daemon
        from firmware.selftest.selftest import Selftest

        with self._making:
            if self._selftest is None:
                running = self._running()
                self._selftest = Selftest(
                    in_daemon(config=self.config, board=self.board, receiver=self.receiver, clock=self.clock, cab=self.cab, running=running)
                )
            return self._selftest

    @cached_property
    def commissioning(self) -> Commissioning:
        """Who signs what was found; imported when somebody asks for it the first time."""
        from firmware.selftest.commissioning import Commissioning, papers_of, vehicle_of

        config = self.config
        return Commissioning(
            unit=config.unit,
            vehicle=vehicle_of(Path(config.identity)),
            boot=self.boot,
            firmware=VERSION,
            papers=papers_of(config.evidence) if config.evidence else None,
            clock=self.clock,
            status=self.status.snapshot,
            diary=self.diary,
            folder=Path(config.journal.folder) / REPORTS,
        )

    @cached_property
    def answers(self) -> Answers:
        """To what is asked at the control socket."""
        from firmware.selftest.answers import Answers

        return Answers(self.selftest, self._running(), self.clock, sign=self._sign)

    def _answer(self, line: bytes, wait: Callable[[float], bool]) -> Generator[Answer, None, None]:
        return self.answers.to(line, wait)

    def _sign(self, findings: Sequence[Finding]) -> Paper:
        return self.commissioning.report(findings)

    def _running(self) -> Running:
        from firmware.selftest.place import Running

        return Running(status=self.status.snapshot, journal=self.journal, diary=self.diary, boot=self.boot)

    def _watch_the_box(self, config: Config, requests: Requests) -> None:
        """What asks the system for something: to switch the box off, to start the browser anew."""
        cab = self.cab
        self.power = Power(
            panel=self.board.panel,
            status=self.status,
            diary=self.diary,
            clock=self.clock,
            requests=requests,
            stay_on_s=config.power.stay_on_s,
            proving=(lambda: cab.terminal.is_proving) if cab else (lambda: False),
        )
        self.screen = cab and Screen(url=cab.web.url, status=self.status, diary=self.diary, clock=self.clock, requests=requests)

    @property
    def workers(self) -> list[Worker]:
        """In the order in which they end: who fills the journal before who empties it."""
        watchers = [self.power, self.screen] if self.screen else [self.power]
        return [self.control, *(self.cab.workers if self.cab else ()), *watchers, self.recorder, self.uplink, self.status_file]

    def _uplink(self, config: Config) -> Uplink:
        """What the fleet hears, and is heard to say."""
        return Uplink(
            unit=config.unit,
            boot=self.boot,
            link=BrokerLink(config.broker, config.unit, topics.unit_filters(config.unit)),
            journal=self.journal,
            reports=self.reports,
            diary=self.diary,
            clock=self.clock,
            status=self.status,
            settings=config.uplink,
            bound_m=config.track.bound_m,
            post=self.cab.post if self.cab else None,
            runs=self.cab.runs if self.cab else None,
        )

    def _cab(self, config: Config, boot: str) -> Cab | None:
        """The driver's place, None on a unit without a screen."""
        if not config.terminal.enabled or config.evidence is None:
            return None
        from firmware.terminal.cab import Cab

        return Cab(
            config=config,
            evidence=config.evidence,
            boot=boot,
            version=VERSION,
            clock=self.clock,
            status=self.status,
            diary=self.diary,
            journal=self.journal,
            board=self.board,
            tests=lambda: self.selftest,
            commissioning=lambda: self.commissioning,
        )

    def run(self) -> int:
        """Work until told to stop; the exit code."""
        self.diary.note("power.on", {"firmware": VERSION})
        if self.journal.salvaged is not None:
            saved = self.journal.salvaged
            self.diary.note("storage.salvaged", {"n_ok": saved.n_ok, "n_bad": saved.n_bad, "kept": saved.quarantined})
        self._settle_drill()
        gc.collect()
        gc.freeze()  # what was built lives as long as the process: no collection need look at it again
        try:
            return supervise(self.workers, status=lambda: self.status.snapshot().link_sentence)
        finally:
            self.journal.close()

    def _settle_drill(self) -> None:
        """Where the plug was pulled in a drill: count what is gone, before anything is sent."""
        if not (self.journal.path.parent / LEDGER).exists():
            return
        from firmware.selftest.drill import settle

        outcome = settle(journal=self.journal, diary=self.diary, boot=self.boot, clock=self.clock)
        if outcome is not None:
            level = logging.WARNING if outcome.lost else logging.INFO
            log.log(level, "after the drill with the plug %d of %d promised records are lost", outcome.lost, outcome.promised)
