"""From fixes to the points that the journal keeps, every one. Pure."""

from __future__ import annotations

from drivers.gnss.fix import Epoch
from mqtt.codec import TrackPoint

RANGE_ERROR_M = 2.5  # what one unit of HDOP stands for with a single-frequency receiver in the open (u-blox M8 data sheet: CEP 2.5 m)


def to_point(epoch: Epoch) -> TrackPoint:
    """The fix in whole numbers, not numbered yet; only for an epoch with a fix."""
    assert epoch.at is not None
    assert epoch.lat_deg is not None
    assert epoch.lon_deg is not None
    return TrackPoint(
        tseq=0,
        t_ms=round(epoch.at.timestamp() * 1000),
        lat_e7=round(epoch.lat_deg * 1e7),
        lon_e7=round(epoch.lon_deg * 1e7),
        alt_m=_scaled(epoch.alt_msl_m, 1),
        speed_cms=_scaled(epoch.speed_mps, 100),
        course_cdeg=None if epoch.course_deg is None else round(epoch.course_deg * 10) * 10 % 36_000,  # finer is noise, and costs
        sats=epoch.sats_used,
        hdop_e1=_scaled(epoch.hdop, 10),
    )


def accuracy_m(hdop: float | None) -> float | None:
    """About two thirds of fixes lie nearer than this."""
    return None if hdop is None else round(hdop * RANGE_ERROR_M, 1)


def _scaled(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)
