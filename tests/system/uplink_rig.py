"""The unit's uplink on a thread, with a real journal and a real link, and without a daemon around it."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware.clock import Clock, boot_id
from firmware.config import UplinkSettings
from firmware.day.proof import Attachment
from firmware.diary import Diary
from firmware.evidence.attachments import Attachments
from firmware.evidence.book import EvidenceBook
from firmware.journal import Journal, Series
from firmware.status import PositionStatus, Status, StatusBoard
from firmware.terminal.answers import Answer
from firmware.uplink.post import ProofPost
from firmware.uplink.reports import Reports
from firmware.uplink.runs import RunInbox
from firmware.uplink.uplink import Uplink
from mqtt import topics
from mqtt.backoff import Backoff
from mqtt.codec import TrackPoint
from mqtt.evidence.sealing import Seal
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.messages import Run
from tests.journals import points
from tests.proofs import Keys, proof, write

UNIT = "van-1"


class UplinkRig:
    """Starts when entered; at its end it takes leave as the daemon does."""

    def __init__(self, folder: Path, broker: BrokerSettings, *, keep_ms: int = 0, keys: Keys | None = None, **settings: object) -> None:
        self.folder = folder
        self.boot = boot_id()
        self.clock = Clock()
        self.status = StatusBoard(Status(unit=UNIT))
        self.diary = Diary(unit=UNIT, boot=self.boot, clock=self.clock, status=self.status)
        self.journal = Journal(
            folder / "journal.db", quota_bytes=100_000_000, keep_ms=keep_ms, utc_ms=lambda: self.clock.now().at_ms,
            tombstone=self.diary.tombstone,
        )  # fmt: skip
        self.diary.open(self.journal)
        self.reports = Reports(unit=UNIT, boot=self.boot, firmware="0", journal=self.journal, clock=self.clock, status=self.status)
        self.arrived: list[Run] = []  # what a terminal would have got
        self.attachments: Attachments | None = None
        self.book: EvidenceBook | None = None
        self.post = self._post(keys, keep_ms) if keys else None
        self.uplink = Uplink(
            unit=UNIT, boot=self.boot, link=BrokerLink(broker, UNIT, topics.unit_filters(UNIT)), journal=self.journal,
            reports=self.reports, diary=self.diary, clock=self.clock, status=self.status,
            settings=UplinkSettings(**{"batch_s": 1, **settings}),  # type: ignore[arg-type]
            post=self.post, runs=RunInbox(unit=UNIT, boot=self.boot, journal=self.journal, diary=self.diary, worker=self),
        )  # fmt: skip
        self.uplink._backoff = Backoff(first_s=0.05, longest_s=0.3)
        self.uplink._outbox._batch_s = 0.2  # a tenth of a test's time is enough to wait for a batch
        self.failure: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self.journal.close()
        if kind is None and self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """End as at SIGTERM."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(30)

    @property
    def link(self) -> str:
        return self.status.snapshot().link

    @property
    def sentence(self) -> str:
        return self.status.snapshot().link_sentence

    def waiting(self) -> int:
        return sum(self.journal.waiting_count(series) for series in Series)

    def all_receipted(self) -> bool:
        assert self.failure is None, self.failure
        return self.waiting() == 0

    def run_arrived(self, run: Run) -> Answer:
        """In a terminal's place."""
        self.arrived.append(run)
        return Answer(ok=True)

    def deliver(self, *plain: bytes) -> list[str]:
        """A signed proof with these photos; their sealed names."""
        assert self.attachments is not None
        assert self.book is not None
        kept = [self.attachments.keep(one) for one in plain]
        made = [
            Attachment(kind="photo", mime="image/jpeg", sha256=one.sha256, len=one.len, enc_sha256=one.enc_sha256, enc_len=one.enc_len)
            for one in kept
        ]
        write(self.journal, self.book, proof(attachments=tuple(made), boot=self.boot))
        return [one.enc_sha256 for one in kept]

    def all_sent(self) -> bool:
        """Records receipted, and every attachment held whole and gone from here."""
        assert self.attachments is not None
        return self.all_receipted() and not self.attachments.names() and not self.journal.work("blob:")

    def _post(self, keys: Keys, keep_ms: int) -> ProofPost:
        self.attachments = Attachments(self.folder / "attachments", Seal((keys.folder / "receiver/seal.pub").read_bytes()).seal)
        self.book = EvidenceBook(
            unit=UNIT,
            boot=self.boot,
            firmware="0",
            signer=keys.signer,
            authorities=keys.authorities,
            journal=self.journal,
            diary=self.diary,
        )
        return ProofPost(
            boot=self.boot, journal=self.journal, attachments=self.attachments, evidence=self.book, diary=self.diary, status=self.status,
            keep_ms=keep_ms,
        )  # fmt: skip

    def drive(self, fixes: int, *, a_commit: int = 10) -> list[TrackPoint]:
        """Record fixes, each at a time of its own; the newest is the live position."""
        first = self.journal.issued(Series.TSEQ)
        made = points(fixes, 1_797_000_000_000 + first * 1_000)
        for n in range(0, fixes, a_commit):
            self.journal.append(self.boot, [], made[n : n + a_commit])
        newest = made[-1]
        self.status.change(
            moving=True,
            has_fix=True,
            position=PositionStatus(
                at_ms=newest.t_ms, mono_s=self.clock.mono_s(), lat_deg=newest.lat_e7 / 1e7, lon_deg=newest.lon_e7 / 1e7,
            ),
        )  # fmt: skip
        return made

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self.uplink.step(self._stop)
            self.uplink.finish()
        except BaseException as error:  # noqa: BLE001  told by the test
            self.failure = error
