"""The unit's uplink on a thread, with a real journal and a real link, and without a daemon around it."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware.clock import Clock, boot_id
from firmware.config import UplinkSettings
from firmware.diary import Diary
from firmware.journal import Journal, Series
from firmware.reports import Reports
from firmware.status import PositionStatus, Status, StatusBoard
from firmware.uplink import Uplink
from mqtt import topics
from mqtt.backoff import Backoff
from mqtt.codec import TrackPoint
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from tests.journals import points

UNIT = "van-1"
FAST = Backoff(first_s=0.05, longest_s=0.3)


class UplinkRig:
    """Starts when entered; at its end it takes leave as the daemon does."""

    def __init__(self, folder: Path, broker: BrokerSettings, *, keep_ms: int = 0, **settings: object) -> None:
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
        self.uplink = Uplink(
            unit=UNIT, boot=self.boot, link=BrokerLink(broker, UNIT, topics.unit_filters(UNIT)), journal=self.journal,
            reports=self.reports, diary=self.diary, clock=self.clock, status=self.status,
            settings=UplinkSettings(**{"batch_s": 1, **settings}),  # type: ignore[arg-type]
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
