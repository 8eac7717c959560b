"""What a GNSS receiver says: one epoch, and the fix in it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Epoch(msgspec.Struct, frozen=True):
    """One navigation epoch as the receiver reported it; None where it said nothing usable."""

    at: datetime | None  # UTC from the satellites; None while the date is not known
    mode: int  # NMEA GSA: 0 unknown, 1 no fix, 2 two-dimensional, 3 three-dimensional
    lat_deg: float | None = None  # WGS 84, north positive
    lon_deg: float | None = None  # WGS 84, east positive
    alt_msl_m: float | None = None  # above mean sea level
    speed_mps: float | None = None  # over ground
    course_deg: float | None = None  # over ground, clockwise from true north
    hdop: float | None = None
    sats_used: int | None = None
    mono_s: float = 0.0  # monotonic time at which the epoch was complete
    offset_bytes: int = 0  # bytes of the stream read when it was published
    speed_age_s: float = 0.0  # not 0 where the line lost this epoch's speed: it is that of so long before (or, negative, after)

    @property
    def has_fix(self) -> bool:
        """A position with a date: what the recorder keeps."""
        return self.mode >= 2 and self.at is not None and self.lat_deg is not None and self.lon_deg is not None  # noqa: PLR2004
