"""Arriving needs a sharp, fresh position; leaving needs more distance than arriving."""

from __future__ import annotations

from firmware.driving.geofence import away_m, inside, trustworthy


def test_the_edge_of_the_radius_is_inside() -> None:
    assert inside(100, 100, was_inside=False)
    assert not inside(101, 100, was_inside=False)


def test_a_parked_receiver_that_wanders_does_not_leave() -> None:
    assert inside(149, 100, was_inside=True)
    assert not inside(151, 100, was_inside=True)


def test_an_old_or_vague_position_decides_nothing() -> None:
    assert trustworthy(300, 5.0)
    assert trustworthy(300, None)
    assert not trustworthy(11_000, 5.0)
    assert not trustworthy(300, 400.0)


def test_a_minute_of_latitude_is_a_nautical_mile() -> None:
    assert abs(away_m(51.0, 3.7, 51.0 + 1 / 60, 3.7) - 1_853) < 3
