"""Is the vehicle at the stop: distance against the stop's radius, with hysteresis. Pure."""

from __future__ import annotations

from firmware.driving.distance import distance_m

LEAVE_M = 50.0  # beyond the radius before a visit is over: a parked receiver wanders that far between houses
STALE_MS = 10_000  # at 50 km/h an older position is more than a radius away
VAGUE_M = 150.0  # a position that may be wrong by more opens no screen by itself


def inside(away_m: float, radius_m: float, *, was_inside: bool) -> bool:
    """Whether a vehicle `away_m` from the stop is at it, given whether it was before."""
    return away_m <= radius_m + (LEAVE_M if was_inside else 0.0)


def trustworthy(age_ms: int, accuracy_m: float | None) -> bool:
    """Whether a position is new and sharp enough to decide that the vehicle has arrived or left."""
    return age_ms <= STALE_MS and (accuracy_m is None or accuracy_m <= VAGUE_M)


def away_m(lat_deg: float, lon_deg: float, stop_lat_deg: float, stop_lon_deg: float) -> int:
    """Whole metres to the stop."""
    return round(distance_m(lat_deg, lon_deg, stop_lat_deg, stop_lon_deg))
