"""UTC, monotonic time, and how far UTC can be trusted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

BUILD_DATE = date(2026, 11, 1)  # no honest clock is before the day this version was made
NTP_MARK = Path("/run/systemd/timesync/synchronized")  # systemd-timesyncd makes it once the clock is right
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
GNSS_TRUST_S = 3_600  # a quartz drifts some 0.1 s in this time
STEP_MS = 2_000  # a smaller difference is delay on the serial line


class Moment(msgspec.Struct, frozen=True):
    """One instant in both clocks."""

    at_ms: int  # UTC, milliseconds since 1970
    src: str  # gnss | ntp | rtc | floor
    mono_ms: int


def boot_id() -> str:
    """Twelve hexadecimal digits that change with every start of the system."""
    return BOOT_ID.read_text(encoding="ascii").replace("-", "")[:12]


class Clock:
    """Tells the time by the best source it has; the system's clock is never touched. May be used by any thread."""

    def __init__(
        self, *, utc_s: Callable[[], float] = time.time, mono_s: Callable[[], float] = time.monotonic, ntp_mark: Path = NTP_MARK
    ) -> None:
        self._utc_s = utc_s
        self._mono_s = mono_s
        self._ntp_mark = ntp_mark
        self._floor_ms = int(datetime(BUILD_DATE.year, BUILD_DATE.month, BUILD_DATE.day, tzinfo=UTC).timestamp() * 1000)
        self._lock = threading.Lock()
        self._gnss: tuple[float, int] | None = None  # monotonic seconds and UTC milliseconds of the newest dated fix

    def mono_s(self) -> float:
        """Seconds that only ever run forwards; the only clock for durations."""
        return self._mono_s()

    def observe(self, at: datetime, mono_s: float) -> int | None:
        """Take the time of a fix; returns by how many milliseconds the satellites' time stepped, None when it did not."""
        at_ms = round(at.timestamp() * 1000)
        with self._lock:
            before, self._gnss = self._gnss, (mono_s, at_ms)
        if before is None:
            return None
        step_ms = at_ms - (before[1] + round((mono_s - before[0]) * 1000))
        return step_ms if abs(step_ms) > STEP_MS else None

    def now(self) -> Moment:
        """The present moment."""
        mono_s = self._mono_s()
        with self._lock:
            gnss = self._gnss
        if gnss is not None and mono_s - gnss[0] < GNSS_TRUST_S:
            return Moment(gnss[1] + round((mono_s - gnss[0]) * 1000), "gnss", round(mono_s * 1000))
        at_ms = round(self._utc_s() * 1000)
        if at_ms < self._floor_ms:
            return Moment(self._floor_ms, "floor", round(mono_s * 1000))
        return Moment(at_ms, "ntp" if self._ntp_mark.exists() else "rtc", round(mono_s * 1000))
