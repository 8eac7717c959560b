"""The screen locks when the vehicle moves and stays locked while nothing says that it stands."""

from __future__ import annotations

import pytest

from firmware.driving.lockout import Lockout

KMH = 1 / 3.6


def after(*speeds: tuple[float, float], lockout: Lockout | None = None) -> Lockout:
    lockout = lockout or Lockout()
    for at_s, speed_kmh in speeds:
        lockout.update(at_s, speed_kmh * KMH)
    return lockout


def test_two_seconds_over_eight_kilometres_an_hour_lock() -> None:
    assert after((0, 9), (1, 9)).moving is None
    assert after((0, 9), (1, 9), (2, 9)).moving is True


def test_one_wild_fix_does_not_take_the_screen_away() -> None:
    assert after((0, 0), (3, 0), (4, 60), (5, 0)).moving is False


def test_three_slow_seconds_unlock() -> None:
    driving = after((0, 50), (2, 50))
    assert after((3, 2), (5, 2), lockout=driving).moving is True
    assert after((6, 2), lockout=driving).moving is False


@pytest.mark.parametrize("speed_kmh", [3.1, 5.0, 8.0])
def test_between_the_two_speeds_it_stays_as_it_was(speed_kmh: float) -> None:
    steady = [(at_s, speed_kmh) for at_s in range(10, 40)]
    assert after((0, 50), (2, 50), *steady).moving is True
    assert after((0, 0), (3, 0), *steady).moving is False


def test_a_short_gap_in_the_fixes_changes_nothing() -> None:
    lockout = after((0, 50), (2, 50))
    assert lockout.update(6, None, ignition_on=False) is True


def test_without_fixes_an_engine_that_is_off_means_standing() -> None:
    lockout = after((0, 50), (2, 50))
    assert lockout.update(8, None, ignition_on=False) is False


def test_without_fixes_shaking_decides_while_the_engine_runs() -> None:
    lockout = after((0, 50), (2, 50))
    assert lockout.update(8, None, ignition_on=True, shaking=False) is False
    assert lockout.update(9, None, ignition_on=True, shaking=True) is True


def test_with_nothing_but_a_running_engine_it_counts_as_moving() -> None:
    assert Lockout().update(0, None, ignition_on=True) is True


def test_with_nothing_at_all_it_stays_as_it_was() -> None:
    assert Lockout().update(0, None) is None
    assert after((0, 50), (2, 50)).update(60, None) is True


def test_the_count_of_slow_seconds_begins_anew_after_a_gap() -> None:
    lockout = after((0, 50), (2, 50), (3, 0), (20, 0))
    assert lockout.moving is True
    assert after((23, 0), lockout=lockout).moving is False
