"""Which fixes to send, so that those left out can be told from their neighbours. Pure.

The promise: whoever interpolates between two kept neighbours, linear in time, in latitude and in longitude (the short way round), comes
within the bound of every fix in between that was left out. An opening window, checked in full at each fix, keeps it by construction.
"""

from __future__ import annotations

import math

import msgspec

from firmware.driving.distance import distance_m
from firmware.driving.motion import GAP_S, WANDER_M
from mqtt.codec import TrackPoint

BOUND_M = 5.0  # what a receiver in a street errs by itself: finer says nothing more of the vehicle
LONGEST_MS = 60_000  # between two kept points while there are fixes: nobody waits longer for a position
GAP_MS = round(GAP_S * 1000)  # without a fix: both its ends are kept, so that nobody takes a line over it for a drive
HEARTBEAT_MS = 300_000  # parked; a fleet desk sees the unit live
WINDOW_LIMIT = 600  # fixes: 60 s at 10 Hz; bounds memory and time whatever the receiver does
RAD_PER_E7 = math.radians(1e-7)
M_PER_E7 = 6_399_594 * RAD_PER_E7  # with the pole's radius of curvature, the largest on WGS 84: errors are never told too small
HALF_TURN_E7 = 1_800_000_000


class _Seen(msgspec.Struct, frozen=True):
    """A fix as seen from the last kept point."""

    after_ms: int
    north_e7: int
    east_e7: int
    east_m_per_e7: float


class Simplifier:
    """Takes fixes one by one, gives back those to keep, in order, at most 60 s late. `bound_m` 0 keeps every fix."""

    def __init__(self, bound_m: float = BOUND_M) -> None:
        self._bound_m = bound_m
        self._kept: TrackPoint | None = None
        self._newest: TrackPoint | None = None  # the newest fix, when it is not kept (yet)
        self._window: list[_Seen] = []  # the fixes since the last kept one, the newest included
        self._parked = False

    def update(self, point: TrackPoint, *, parked: bool = False) -> list[TrackPoint]:
        """Advance by one fix; return what is kept now.

        While parked the place stays the one where the vehicle parked, repeated as a heart-beat, until a fix is farther away than a parked
        receiver errs: then it is carried, and that fix is the new place.
        """
        if self._bound_m <= 0:
            return [point]
        if parked and self._parked:
            return self._stay(point)
        begins, self._parked = parked != self._parked, parked
        if parked:
            return [*self._drive(point), *self.flush()]
        return [*self.flush(), *self._keep(point)] if begins else self._drive(point)

    def flush(self) -> list[TrackPoint]:
        """Return the newest fix if it was not kept yet: before the unit sleeps, or when somebody asks for the place now."""
        return [] if self._newest is None else self._keep(self._newest)

    def _keep(self, point: TrackPoint) -> list[TrackPoint]:
        self._kept, self._newest, self._window = point, None, []
        return [point]

    def _drive(self, point: TrackPoint) -> list[TrackPoint]:
        before = self._newest or self._kept
        if self._kept is None or before is None or not 0 < point.t_ms - before.t_ms <= GAP_MS:
            return [*self.flush(), *self._keep(point)]
        kept: list[TrackPoint] = []
        seen = _see(self._kept, point)
        if self._newest is not None and not self._reaches(seen):
            kept = self._keep(self._newest)
            seen = _see(kept[0], point)
        self._window.append(seen)
        self._newest = point
        return kept

    def _reaches(self, end: _Seen) -> bool:
        """Whether the line to this fix passes every fix of the window in time within the bound."""
        if end.after_ms > LONGEST_MS or len(self._window) >= WINDOW_LIMIT:
            return False
        north_per_ms, east_per_ms, limit = end.north_e7 / end.after_ms, end.east_e7 / end.after_ms, self._bound_m**2
        for seen in self._window:
            north_m = (north_per_ms * seen.after_ms - seen.north_e7) * M_PER_E7
            east_m = (east_per_ms * seen.after_ms - seen.east_e7) * seen.east_m_per_e7
            if north_m * north_m + east_m * east_m > limit:
                return False
        return True

    def _stay(self, point: TrackPoint) -> list[TrackPoint]:
        place = self._kept
        assert place is not None
        if _distance_m(place, point) > WANDER_M:
            return self._keep(point)
        if 0 <= point.t_ms - place.t_ms < HEARTBEAT_MS:
            return []
        beat = msgspec.structs.replace(
            place, tseq=point.tseq, t_ms=point.t_ms, speed_cms=0, course_cdeg=None, sats=point.sats, hdop_e1=point.hdop_e1
        )
        return self._keep(beat)


def _see(kept: TrackPoint, point: TrackPoint) -> _Seen:
    return _Seen(
        after_ms=point.t_ms - kept.t_ms,
        north_e7=point.lat_e7 - kept.lat_e7,
        east_e7=(point.lon_e7 - kept.lon_e7 + HALF_TURN_E7) % (2 * HALF_TURN_E7) - HALF_TURN_E7,
        east_m_per_e7=M_PER_E7 * math.cos(point.lat_e7 * RAD_PER_E7),
    )


def _distance_m(one: TrackPoint, other: TrackPoint) -> float:
    return distance_m(one.lat_e7 / 1e7, one.lon_e7 / 1e7, other.lat_e7 / 1e7, other.lon_e7 / 1e7)
