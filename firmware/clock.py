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
AGREEING_FIXES = 3  # a wild date does not repeat itself; a receiver that is sure does
GOOD_SOURCES = ("gnss", "ntp")  # times that earlier records are re-dated by


class Moment(msgspec.Struct, frozen=True):
    """One instant in both clocks."""

    at_ms: int  # UTC, milliseconds since 1970
    src: str  # gnss | ntp | rtc | floor: the contract's words; floor is no time at all, only the build date
    mono_ms: int

    @property
    def is_good(self) -> bool:
        """Whether the time came from outside, from satellites or the network."""
        return self.src in GOOD_SOURCES


def boot_id() -> str:
    """Twelve hexadecimal digits that change with every start of the system."""
    return BOOT_ID.read_text(encoding="ascii").replace("-", "")[:12]


class Clock:
    """Tells the time by the best source it has; the system's clock is never touched. May be used by any thread.

    Satellites' time counts once three fixes in a row, dated after the build, agree with each other and with the monotonic clock;
    from then on a fix that contradicts moves nothing before two more agree with it.
    """

    def __init__(
        self, *, utc_s: Callable[[], float] = time.time, mono_s: Callable[[], float] = time.monotonic, ntp_mark: Path = NTP_MARK
    ) -> None:
        self._utc_s = utc_s
        self._mono_s = mono_s
        self._ntp_mark = ntp_mark
        self._floor_ms = int(datetime(BUILD_DATE.year, BUILD_DATE.month, BUILD_DATE.day, tzinfo=UTC).timestamp() * 1000)
        self._lock = threading.Lock()
        self._gnss: _Fix | None = None  # the newest believed fix
        self._candidate: _Fix | None = None  # the newest of those that agree with each other, not yet believed
        self._agreeing = 0

    def mono_s(self) -> float:
        """Seconds that only ever run forwards; the only clock for durations."""
        return self._mono_s()

    def system_s(self, mono_s: float) -> float:
        """What the system's clock showed, or will show, at a monotonic moment: seconds since 1970, right or wrong."""
        return self._utc_s() - (self._mono_s() - mono_s)

    def observe(self, at: datetime, mono_s: float) -> int | None:
        """Take the time of a fix; by how many milliseconds the believed time stepped because of it, None when it did not."""
        fix = _Fix(round(at.timestamp() * 1000), mono_s)
        with self._lock:
            before = self._gnss
            if before is not None and abs(fix.later_ms(before)) <= STEP_MS:
                self._believe(fix)
                return None
            if fix.at_ms < self._floor_ms or not self._convinces(fix):
                return None
            self._believe(fix)
            return None if before is None else fix.later_ms(before)

    def confirms(self, at: datetime, mono_s: float) -> bool:
        """Whether a fix shows the satellites' time that is believed: one to pass on to others."""
        with self._lock:
            return self._gnss is not None and abs(_Fix(round(at.timestamp() * 1000), mono_s).later_ms(self._gnss)) <= STEP_MS

    def now(self) -> Moment:
        """The present moment."""
        mono_s = self._mono_s()
        with self._lock:
            gnss = self._gnss
        if gnss is not None and mono_s - gnss.mono_s < GNSS_TRUST_S:
            return Moment(gnss.at_ms_at(mono_s), "gnss", round(mono_s * 1000))
        at_ms = round(self._utc_s() * 1000)
        if at_ms >= self._floor_ms and self._ntp_mark.exists():
            return Moment(at_ms, "ntp", round(mono_s * 1000))
        if gnss is not None:  # a quartz that was right once, as a battery clock is
            return Moment(gnss.at_ms_at(mono_s), "rtc", round(mono_s * 1000))
        return Moment(max(at_ms, self._floor_ms), "rtc" if at_ms >= self._floor_ms else "floor", round(mono_s * 1000))

    def _convinces(self, fix: _Fix) -> bool:
        """Whether this fix is the third that agrees. The same time twice is a receiver that stands still."""
        before, self._candidate = self._candidate, fix
        agrees = before is not None and fix.at_ms > before.at_ms and abs(fix.later_ms(before)) <= STEP_MS
        self._agreeing = self._agreeing + 1 if agrees else 1
        return self._agreeing >= AGREEING_FIXES

    def _believe(self, fix: _Fix) -> None:
        self._gnss, self._candidate, self._agreeing = fix, None, 0


class _Fix(msgspec.Struct, frozen=True):
    """The time of a fix, and when it came."""

    at_ms: int
    mono_s: float

    def at_ms_at(self, mono_s: float) -> int:
        """The UTC that follows from it for another moment."""
        return self.at_ms + round((mono_s - self.mono_s) * 1000)

    def later_ms(self, other: _Fix) -> int:
        """By how much its time is later than what follows from another fix."""
        return self.at_ms - other.at_ms_at(self.mono_s)
