"""The parts list of the driver's place: imported only where there is one, so that a unit without a screen loads none of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from drivers.barcode import Decoder
from drivers.board import Board
from drivers.camera import open_camera
from drivers.wedge import Wedges
from firmware.clock import Clock
from firmware.config import Config, EvidenceSettings, SettingsError, TerminalSettings
from firmware.day.work import Face
from firmware.diary import Diary
from firmware.evidence.attachments import FOLDER, AttachmentError, Attachments
from firmware.evidence.book import EvidenceBook
from firmware.evidence.receivers import Authorities
from firmware.journal import Journal
from firmware.kiosk.server import Web, WebError
from firmware.selftest.commissioning import Commissioning
from firmware.status import StatusBoard
from firmware.terminal.inspection import Inspection, Tests
from firmware.terminal.memory import limit_arenas
from firmware.terminal.scanner import Scanner
from firmware.terminal.surroundings import Surroundings
from firmware.terminal.terminal import Terminal
from firmware.terminal.viewfinder import Viewfinder
from firmware.uplink.post import ProofPost
from firmware.uplink.runs import RunInbox
from firmware.worker import Worker
from mqtt.evidence import EvidenceError
from mqtt.evidence.certificates import holder, split
from mqtt.evidence.keys import open_signer
from mqtt.evidence.sealing import Seal

Part = TypeVar("Part")
SETTLE_S = 8.0  # what a driver watches the self-test for, before he may sign in all the same


class Cab:
    """Screen, camera, scanner, keys. SettingsError, a sentence each, for files and a port that cannot be used."""

    def __init__(
        self,
        *,
        config: Config,
        evidence: EvidenceSettings,
        boot: str,
        version: str,
        clock: Clock,
        status: StatusBoard,
        diary: Diary,
        journal: Journal,
        board: Board,
        tests: Callable[[], Tests],
        commissioning: Callable[[], Commissioning],
    ) -> None:
        limit_arenas()
        settings = config.terminal
        check_holder(config.unit, evidence.certificate)
        seal = _usable("evidence.seal_to", lambda: Seal(_content(evidence.seal_to)))
        self.attachments = _usable("journal.folder", lambda: Attachments(journal.path.parent / FOLDER, seal.seal))
        self.evidence = EvidenceBook(
            unit=config.unit,
            boot=boot,
            firmware=version,
            signer=_usable("evidence.key", lambda: open_signer(evidence.key, Path(evidence.certificate))),
            authorities=Authorities(
                receiver=_usable("evidence.receiver", lambda: b"".join(split(_content(evidence.receiver), "receiver"))),
                issuing=_usable("evidence.issuing", lambda: _content(evidence.issuing)),
                root=_usable("evidence.root", lambda: _content(evidence.root)),
                receiver_file=Path(evidence.receiver),
            ),
            journal=journal,
            diary=diary,
        )
        self.camera = camera = open_camera(board.camera)
        self.wedges = Wedges(board.wedges)
        self.terminal = Terminal(
            boot=boot,
            journal=journal,
            diary=diary,
            evidence=self.evidence,
            attachments=self.attachments,
            surroundings=Surroundings(
                boot=boot, clock=clock, status=status, journal=journal, camera=camera, version=version, settle_s=SETTLE_S
            ),
            camera=camera,
            panel=board.panel,
            face=Face(lang=settings.language, theme=settings.theme, hand=settings.hand),
            signature_dynamics=settings.signature_dynamics,
        )
        self.viewfinder = Viewfinder()
        self.scanner = Scanner(
            camera=camera,
            decoder=Decoder(),
            wedges=self.wedges,
            terminal=self.terminal,
            viewfinder=self.viewfinder,
            tell=lambda camera, scanners: status.change(camera=camera, scanners=scanners),
        )
        self.post = ProofPost(
            boot=boot,
            journal=journal,
            attachments=self.attachments,
            evidence=self.evidence,
            diary=diary,
            status=status,
            keep_ms=config.journal.keep_hours * 3_600_000,
            utc_ms=lambda: clock.now().at_ms,
        )
        self.runs = RunInbox(unit=config.unit, boot=boot, journal=journal, diary=diary, worker=self.terminal)
        self.inspection = Inspection(tests=tests, commissioning=commissioning, status=status.snapshot)
        self.web = _usable("terminal.port", lambda: self._web(settings, board, status, version))

    @property
    def workers(self) -> list[Worker]:
        """In the order in which they end: who asks before who answers."""
        return [self.web, self.inspection, self.scanner, self.terminal]

    def _web(self, settings: TerminalSettings, board: Board, status: StatusBoard, version: str) -> Web:
        return Web(
            terminal=self.terminal,
            viewfinder=self.viewfinder,
            inspection=self.inspection,
            status=status.snapshot,
            alive=lambda: status.change(kiosk_seen_s=time.monotonic()),
            port=settings.port,
            px_per_mm=settings.px_per_mm or board.screen.width_px / board.screen.width_mm,
            version=version,
            maps=Path(settings.map_folder) if settings.map_folder else None,
        )


def check_holder(unit: str, certificate: str) -> None:
    """SettingsError when the certificate names another unit: nobody would accept what this one signs."""
    named = _usable("evidence.certificate", lambda: holder(_content(certificate), "unit"))
    if named != unit:
        raise SettingsError(
            [f"evidence.certificate: {certificate} is the certificate of unit {named}, not of {unit}; have one issued for {unit}"]
        )


def _content(path: str) -> bytes:
    return Path(path).read_bytes()


def _usable(setting: str, make: Callable[[], Part]) -> Part:
    """What a setting names; SettingsError says which setting it is that names nothing usable."""
    try:
        return make()
    except OSError as error:
        raise SettingsError([f"{setting}: {error.filename} cannot be read: {(error.strerror or str(error)).lower()}"]) from None
    except (EvidenceError, AttachmentError, WebError) as error:
        raise SettingsError([f"{setting}: {error}"]) from None
