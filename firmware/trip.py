"""Is the vehicle parked or driving, and when did that change. Pure."""

from __future__ import annotations

from enum import StrEnum

import msgspec

MOVING_MPS = 1.4  # walking pace; a parked receiver's Doppler noise stays under it
MOVING_FIXES = 2  # one fast fix is noise, two are motion
PARKED_AFTER_S = 180.0  # longer than a traffic light, shorter than a delivery


class TripState(StrEnum):
    """What the vehicle does."""

    PARKED = "parked"
    DRIVING = "driving"


class Started(msgspec.Struct, frozen=True):
    """A trip began."""

    at_s: float


class Ended(msgspec.Struct, frozen=True):
    """A trip ended, at the moment the wheels stopped."""

    at_s: float
    started_s: float


TripEvent = Started | Ended


class Trip:
    """With a wired ignition the ignition decides, else motion. Times are seconds of one clock that never steps."""

    def __init__(self) -> None:
        self.state = TripState.PARKED
        self._fast_fixes = 0
        self._moved_s = 0.0
        self._started_s = 0.0

    def update(self, at_s: float, speed_mps: float | None, ignition_on: bool | None) -> list[TripEvent]:
        """Advance by one look: speed None where there is no fix, ignition None where it is not wired."""
        moving = self._is_moving(speed_mps)
        if moving:
            self._moved_s = at_s
        if self.state is TripState.PARKED:
            return self._start(at_s) if ignition_on or (ignition_on is None and moving) else []
        if ignition_on is None:
            return self._end(self._moved_s) if at_s - self._moved_s >= PARKED_AFTER_S and speed_mps is not None else []
        return [] if ignition_on or moving else self._end(at_s)

    def _is_moving(self, speed_mps: float | None) -> bool:
        if speed_mps is not None:
            self._fast_fixes = self._fast_fixes + 1 if speed_mps >= MOVING_MPS else 0
        return self._fast_fixes >= MOVING_FIXES

    def _start(self, at_s: float) -> list[TripEvent]:
        self.state = TripState.DRIVING
        self._started_s = self._moved_s = at_s
        return [Started(at_s)]

    def _end(self, at_s: float) -> list[TripEvent]:
        self.state = TripState.PARKED
        self._fast_fixes = 0
        return [Ended(at_s, self._started_s)]
