"""How far the vehicle has driven: the integral of the receiver's Doppler speed. Pure.

Positions wander while Doppler speeds do not, so positions count only across gaps. docs/track-and-odometer.md has the measurements.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from drivers.gnss.fix import Epoch
from firmware.driving.distance import distance_m
from firmware.driving.motion import GAP_S, MOVING_MPS, STILL_MPS, WANDER_M, Motion

DRIVEN_ON_S = 1_800.0  # a vehicle that drove into the gap drives out of it: a jam in the longest road tunnel takes so long
SET_OFF_S = 180.0  # one that stood before may have set off while the unit started; a ferry takes longer
FASTEST_MPS = 50.0  # no van drives 180 km/h
NEARBY_M = 1_000.0  # after longer gaps: driven while the receiver found its satellites; a ferry or a tow truck carries farther


class OdometerState(msgspec.Struct, frozen=True):
    """What outlives a power cut: the reading, and the fix up to which it is complete."""

    distance_m: float = 0.0
    at: datetime | None = None  # UTC, from the satellites; None before the first fix, then the rest says nothing
    lat_deg: float = 0.0  # WGS 84
    lon_deg: float = 0.0
    moving: bool = False


class Odometer:
    """The reading never falls. `state` is for the journal, to be given back after a restart."""

    def __init__(self, state: OdometerState | None = None) -> None:
        self.state = state or OdometerState()
        self._motion = Motion(moving=self.state.moving)
        self._last: tuple[float, float] | None = None  # time and speed of the newest fix that had one
        self._held_m = 0.0  # driven since `state` if the vehicle is driving, noise if it stands

    @property
    def distance_m(self) -> float:
        """The reading."""
        return self.state.distance_m

    def update(self, epoch: Epoch) -> float:
        """Advance by one epoch, with or without a fix; return the reading in metres."""
        if epoch.has_fix and epoch.at is not None:
            if epoch.speed_mps is None:
                self._take_position(epoch, epoch.at.timestamp())
            else:
                self._take_speed(epoch, epoch.at.timestamp(), epoch.speed_mps)
        return self.state.distance_m

    def _take_speed(self, epoch: Epoch, at_s: float, speed_mps: float) -> None:
        self._motion.update(at_s, speed_mps)
        if self._last is None or not self._joins(at_s):
            turning = self._motion.moving or speed_mps >= MOVING_MPS
            self._count(epoch, _bridge_m(self.state, epoch, turning=turning) or 0.0)
        else:
            before_s, before_mps = self._last
            self._held_m += (before_mps + speed_mps) / 2 * (at_s - before_s)
            crawling = speed_mps < STILL_MPS
            if self._motion.moving != crawling:
                self._count(epoch, self._held_m if self._motion.moving else 0.0)
        self._last = at_s, speed_mps

    def _take_position(self, epoch: Epoch, at_s: float) -> None:
        """Without a speed only a way that cannot be noise counts, and until there is one the place stays where the last one ended."""
        way_m = None if self._joins(at_s) else _bridge_m(self.state, epoch, turning=False)
        if way_m is not None:
            self._count(epoch, way_m)

    def _joins(self, at_s: float) -> bool:
        return self._last is not None and 0 <= at_s - self._last[0] <= GAP_S

    def _count(self, epoch: Epoch, way_m: float) -> None:
        assert epoch.lat_deg is not None
        assert epoch.lon_deg is not None
        self._held_m = 0.0
        self.state = OdometerState(self.state.distance_m + way_m, epoch.at, epoch.lat_deg, epoch.lon_deg, self._motion.moving)


def _bridge_m(start: OdometerState, end: Epoch, *, turning: bool) -> float | None:
    """The straight line across a gap; 0 where something else carried the vehicle, None where the line is noise."""
    if start.at is None:
        return 0.0
    assert end.at is not None
    assert end.lat_deg is not None
    assert end.lon_deg is not None
    line_m = distance_m(start.lat_deg, start.lon_deg, end.lat_deg, end.lon_deg)
    if not turning and line_m < WANDER_M:
        return None
    gap_s = (end.at - start.at).total_seconds()
    drove = 0 < gap_s <= (DRIVEN_ON_S if start.moving else SET_OFF_S)
    return line_m if line_m <= (FASTEST_MPS * gap_s if drove else NEARBY_M) else 0.0
