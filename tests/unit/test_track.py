"""A fix in whole numbers."""

from __future__ import annotations

from datetime import UTC, datetime

from drivers.gnss.fix import Epoch
from firmware.driving.track import accuracy_m, to_point

AT = datetime(2026, 11, 21, 8, 0, 0, 200_000, tzinfo=UTC)


def test_a_whole_fix_keeps_its_precision() -> None:
    epoch = Epoch(
        at=AT, mode=3, lat_deg=51.05432109, lon_deg=-3.7250001, alt_msl_m=8.6, speed_mps=13.888, course_deg=359.996, hdop=0.84, sats_used=11
    )
    point = to_point(epoch)
    assert (point.tseq, point.t_ms) == (0, 1_795_248_000_200)
    assert (point.lat_e7, point.lon_e7) == (510_543_211, -37_250_001)
    assert (point.alt_m, point.speed_cms, point.course_cdeg, point.sats, point.hdop_e1) == (9, 1_389, 0, 11, 8)


def test_what_the_receiver_did_not_say_stays_unsaid() -> None:
    point = to_point(Epoch(at=AT, mode=2, lat_deg=0.0, lon_deg=0.0))
    assert (point.alt_m, point.speed_cms, point.course_cdeg, point.sats, point.hdop_e1) == (None, None, None, None, None)
    assert accuracy_m(None) is None


def test_accuracy_grows_with_dilution() -> None:
    assert (accuracy_m(1.0), accuracy_m(4.0)) == (2.5, 10.0)
