"""Is the vehicle parked, driving or paused, and when did that change. Pure."""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

from firmware.driving.motion import GAP_S, Motion

PAUSED_AFTER_S = 180.0  # without an ignition wire: longer than a traffic light, shorter than most deliveries
ENDED_AFTER_S = 600.0  # of pause: a driver with a parcel is back within five minutes
BLIND_LIMIT_S = 1_800.0  # without a fix or an ignition wire: the jam in the longest tunnel is over, this is an underground car park


class TripState(StrEnum):
    """What the vehicle does."""

    PARKED = "parked"
    DRIVING = "driving"
    PAUSED = "paused"  # stands for longer than at a light, may go on with its trip


class Started(msgspec.Struct, frozen=True):
    """A trip began: the key was turned or, where no ignition is wired, the wheels started."""

    at_s: float
    odometer_m: float = 0.0  # the reading before the first metre


class Ended(msgspec.Struct, frozen=True):
    """A trip ended, at the moment the wheels stopped, however much later that became certain."""

    at_s: float
    started_s: float
    odometer_m: float = 0.0  # the reading at that moment
    driven_m: float = 0.0  # in this trip


TripEvent = Started | Ended


class _Stop(msgspec.Struct, frozen=True):
    """A stop that may turn out to be the trip's end."""

    at_s: float  # the wheels stopped
    odometer_m: float
    ends_s: float  # the trip is over unless it goes on before


class Trip:
    """With a wired ignition the ignition decides, else motion. Times are seconds of one clock that never steps.

    `odometer_m` is the reading that the unit woke up with: what it missed belongs to the trip that it wakes up in.
    """

    def __init__(self, odometer_m: float = 0.0) -> None:
        self.state = TripState.PARKED
        self._motion = Motion()
        self._fix_s = -math.inf  # when the newest speed came
        self._odometer_m = odometer_m
        self._started = Started(0.0)
        self._stop: _Stop | None = None  # while paused

    def update(self, at_s: float, speed_mps: float | None, ignition_on: bool | None, odometer_m: float = 0.0) -> list[TripEvent]:
        """Advance by one look: speed None where there is no fix, ignition None where it is not wired. The odometer comes first."""
        events = self._run_out(at_s, ignition_on)
        if speed_mps is not None:
            self._motion.update(at_s, speed_mps)
            self._fix_s = at_s
        before_m, self._odometer_m = self._odometer_m, odometer_m
        goes = self.rolls(at_s) if ignition_on is None else ignition_on
        if goes and self.state is TripState.PARKED:
            events.append(self._start(at_s if ignition_on else self._motion.since_s or at_s, before_m))
        elif goes:
            self.state, self._stop = TripState.DRIVING, None
        elif self.state is TripState.DRIVING:
            self._stop = self._look_for_stop(at_s, ignition_on)
            self.state = TripState.PAUSED if self._stop else TripState.DRIVING
        return events

    def rolls(self, at_s: float) -> bool:
        """Whether a fix of the last seconds says that the wheels turn."""
        return self._motion.moving and self._sees(at_s)

    def _sees(self, at_s: float) -> bool:
        return at_s - self._fix_s <= GAP_S

    def _start(self, at_s: float, odometer_m: float) -> TripEvent:
        self.state = TripState.DRIVING
        self._started = Started(at_s, odometer_m)
        return self._started

    def _look_for_stop(self, at_s: float, ignition_on: bool | None) -> _Stop | None:
        """A pause, unless the wheels turn (a loose ignition wire) or, without a wire, may only wait at a light."""
        still_s = self._still_since_s()
        if ignition_on is None:
            paused = not self._motion.moving and at_s - still_s >= PAUSED_AFTER_S
            return _Stop(still_s, self._odometer_m, still_s + ENDED_AFTER_S) if paused else None
        if self.rolls(at_s):
            return None
        return _Stop(still_s if self._sees(at_s) else at_s, self._odometer_m, at_s + ENDED_AFTER_S)

    def _still_since_s(self) -> float:
        """When the wheels stopped; when the trip started if they have not turned in it."""
        return max(self._started.at_s, self._motion.since_s or 0.0)

    def _run_out(self, at_s: float, ignition_on: bool | None) -> list[TripEvent]:
        """End the trip whose time ran out before this look, whatever this look shows."""
        stop = self._stop
        if self.state is TripState.DRIVING and ignition_on is None:
            stopped_s, limit_s = (self._fix_s, BLIND_LIMIT_S) if self._motion.moving else (self._still_since_s(), ENDED_AFTER_S)
            stop = _Stop(stopped_s, self._odometer_m, stopped_s + limit_s)
        if stop is None or at_s < stop.ends_s:
            return []
        self.state, self._stop, self._motion = TripState.PARKED, None, Motion()
        return [Ended(stop.at_s, self._started.at_s, stop.odometer_m, stop.odometer_m - self._started.odometer_m)]
