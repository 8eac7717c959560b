"""Two fast fixes are motion and three slow seconds are not, on a clock that may step and with fixes that may be missing."""

from __future__ import annotations

import pytest

from firmware.driving.motion import Motion


def after(*speeds: tuple[float, float], moving: bool = False) -> Motion:
    motion = Motion(moving=moving)
    for at_s, speed_mps in speeds:
        motion.update(at_s, speed_mps)
    return motion


def test_two_fast_fixes_are_motion_since_the_first() -> None:
    motion = after((10, 0), (11, 2), (12, 2))
    assert (motion.moving, motion.since_s) == (True, 11)


def test_a_fix_whose_line_came_late_does_not_delay_it() -> None:
    assert after((10.3, 2), (11, 2)).moving


def test_ten_fast_fixes_within_half_a_second_are_still_one_moment() -> None:
    assert not after(*((index / 20, 2) for index in range(10))).moving


def test_two_fast_fixes_with_a_minute_between_them_are_noise_twice() -> None:
    assert not after((10, 2), (70, 2)).moving


def test_three_slow_seconds_are_a_stop_since_the_first_slow_fix() -> None:
    motion = after((10, 0.4), (11, 0.4), (12, 0.4), (13, 0.4), moving=True)
    assert (motion.moving, motion.since_s) == (False, 10)


def test_slow_fixes_on_both_sides_of_a_gap_are_a_stop() -> None:
    assert not after((10, 0.1), (70, 0.1), moving=True).moving


@pytest.mark.parametrize("speed_mps", [0.5, 1.0, 1.39])
@pytest.mark.parametrize("moving", [False, True])
def test_between_the_two_speeds_it_stays_as_it_was(speed_mps: float, moving: bool) -> None:
    assert after(*((at_s, speed_mps) for at_s in range(100)), moving=moving).moving is moving


def test_a_clock_that_steps_back_begins_anew() -> None:
    assert after((100, 2), (10, 2), (11, 2)).since_s == 10
    stopped = after((100, 0.1), (10, 0.1), (12, 0.1), moving=True)
    assert stopped.moving
    stopped.update(13, 0.1)
    assert (stopped.moving, stopped.since_s) == (False, 10)
