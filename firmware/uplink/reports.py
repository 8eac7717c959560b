"""What the unit says of its state: birth, live position, health. Built from the status, the journal and the system."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path
from typing import Any, Literal

from firmware.clock import Clock
from firmware.journal import Journal, Series
from firmware.status import SeriesStatus, StatusBoard
from mqtt import messages

CPU_TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")  # millidegrees Celsius
FIX_TOO_OLD_S = 86_400.0


class Reports:
    """Builds the messages that nobody journals."""

    def __init__(self, *, unit: str, boot: str, firmware: str, journal: Journal, clock: Clock, status: StatusBoard) -> None:
        self._unit = unit
        self._boot = boot
        self._firmware = firmware
        self._journal = journal
        self._clock = clock
        self._status = status

    def state(self, state: Literal["online", "asleep", "offline"], session: int) -> messages.State:
        """Birth, leave, or (offline) the last will, which knows neither time nor ledger."""
        will = state == "offline"
        return messages.State(
            unit=self._unit,
            boot=self._boot,
            log=self._journal.log,
            session=session,
            state=state,
            t=None if will else messages.utc_text(self._clock.now().at_ms),
            fw=self._firmware,
            ledger=None if will else self.ledgers(),
        )

    def live(self) -> messages.Live:
        """The live position; there must have been a fix."""
        return messages.Live(**self._position())

    def last(self) -> messages.Last:
        """The same for the retained topic."""
        return messages.Last(**self._position())

    def health(self) -> messages.Health:
        """How the unit is."""
        status, now = self._status.snapshot(), self._clock.now()
        source: Any = now.src
        return messages.Health(
            unit=self._unit,
            boot=self._boot,
            log=self._journal.log,
            t=messages.utc_text(now.at_ms),
            src=source,
            uptime_s=now.mono_ms // 1000,
            ledger=self.ledgers(),
            journal=messages.JournalHealth(
                used_bytes=self._journal.used_bytes,
                quota_bytes=self._journal.quota_bytes,
                disk_free_bytes=shutil.disk_usage(self._journal.path.parent).free,
            ),
            link=status.link,
            connects=status.connects,
            gnss=status.gnss,
            sentences_good=status.sentences_good,
            sentences_bad=status.sentences_bad,
            cpu_temp_c10=_cpu_temp_c10(),
            memory_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )

    def ledgers(self) -> messages.Ledgers:
        """What the journal has given numbers to and what was receipted."""
        dropped = self._journal.dropped
        return messages.Ledgers(
            seq=self._ledger(Series.SEQ, dropped.seq),
            tseq=self._ledger(Series.TSEQ, dropped.tseq + dropped.refused),
        )

    def series(self, series: Series) -> SeriesStatus:
        """The same for the status file."""
        return SeriesStatus(
            issued=self._journal.issued(series),
            receipted=self._journal.receipted(series).upto(),
            waiting=self._journal.waiting_count(series),
        )

    def _ledger(self, series: Series, dropped: int) -> messages.Ledger:
        status = self.series(series)
        return messages.Ledger(issued=status.issued, receipted=status.receipted, waiting=status.waiting, dropped=dropped)

    def _position(self) -> dict[str, Any]:
        status = self._status.snapshot()
        fix = status.position
        assert fix is not None
        return {
            "unit": self._unit,
            "boot": self._boot,
            "log": self._journal.log,
            "t": messages.utc_text(fix.at_ms),
            "latitude": round(fix.lat_deg, 7),
            "longitude": round(fix.lon_deg, 7),
            "gps_accuracy": fix.accuracy_m,
            "altitude_m": None if fix.alt_m is None else round(fix.alt_m, 1),
            "speed_mps": None if fix.speed_mps is None else round(fix.speed_mps, 2),
            "course_deg": None if fix.course_deg is None else round(fix.course_deg, 1) % 360,
            "satellites": fix.sats,
            "fix_age_s": round(min(max(0.0, self._clock.mono_s() - fix.mono_s), FIX_TOO_OLD_S), 1),
            "ignition": status.ignition,
            "moving": status.moving,
            "trip": status.trip,
            "odometer_m": round(status.odometer_m),
        }


def _cpu_temp_c10() -> int | None:
    try:
        return int(CPU_TEMPERATURE.read_text(encoding="ascii")) // 100
    except (OSError, ValueError):
        return None
