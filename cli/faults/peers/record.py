"""What every peer is fed: the same numbered fixes of a drive."""

from __future__ import annotations

from typing import Any

import msgspec

from drivers.sim.van import VirtualVan
from mqtt.codec import TrackPoint

FIRST_MS = 1_797_000_000_000  # December 2026; a number is told again by its fix's time
EVERY_MS = 1_000
TOPIC = "up/fix"  # of who sends records as they are
JSON = msgspec.json.Encoder()
_VAN, _DRIVEN = VirtualVan(1), list[TrackPoint]()


def point(number: int) -> TrackPoint:
    """The fix of a number, as our journal takes it: a van in a town, with the noise of a real receiver, the same in every process."""
    while len(_DRIVEN) <= number:
        _DRIVEN.append(_next(len(_DRIVEN)))
    return _DRIVEN[number]


def _next(number: int) -> TrackPoint:
    epoch = _VAN.step()
    return TrackPoint(
        tseq=0,
        t_ms=FIRST_MS + number * EVERY_MS,
        lat_e7=round(epoch.lat_deg * 1e7),
        lon_e7=round(epoch.lon_deg * 1e7),
        alt_m=round(epoch.alt_msl_m),
        speed_cms=round(epoch.speed_mps * 100),
        course_cdeg=round(epoch.course_deg * 10) * 10,
        sats=12,
        hdop_e1=8,
    )


def values(number: int) -> dict[str, Any]:
    """The same as everybody writes it: the numbers of a fix by their names."""
    fix = point(number)
    return {
        "n": number,
        "ts": fix.t_ms,
        "lat": fix.lat_e7 / 1e7,
        "lon": fix.lon_e7 / 1e7,
        "alt": fix.alt_m,
        "speed": (fix.speed_cms or 0) / 100,
        "course": (fix.course_cdeg or 0) / 100,
        "sats": fix.sats,
        "hdop": 0.8,
    }


def message(number: int) -> bytes:
    """The same as a message of JSON."""
    return JSON.encode(values(number))


def number_of(fix: TrackPoint) -> int:
    """The number of a fix that was stored."""
    return (fix.t_ms - FIRST_MS) // EVERY_MS
