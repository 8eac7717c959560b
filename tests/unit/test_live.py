"""When the live lane speaks."""

from __future__ import annotations

import pytest

from firmware.uplink.live import LiveSchedule


@pytest.fixture
def schedule() -> LiveSchedule:
    return LiveSchedule(moving_s=60, parked_s=300)


def sent(schedule: LiveSchedule, start_s: int, end_s: int, *, moving: bool = True) -> list[int]:
    return [at_s for at_s in range(start_s, end_s) if schedule.due(at_s, moving=moving)]


def test_the_first_look_sends(schedule: LiveSchedule) -> None:
    assert schedule.due(1_000.0, moving=False)
    assert not schedule.due(1_000.1, moving=False)


@pytest.mark.parametrize(("moving", "times"), [(True, [0, 60, 120, 180, 240, 300]), (False, [0, 300])])
def test_sparse_by_default(schedule: LiveSchedule, moving: bool, times: list[int]) -> None:
    assert sent(schedule, 0, 330, moving=moving) == times


def test_dense_while_somebody_looks_and_it_ends_by_itself(schedule: LiveSchedule) -> None:
    assert schedule.due(0.0, moving=True)
    schedule.watch(10.0, every_s=2, for_s=10)
    assert sent(schedule, 11, 200) == [11, 13, 15, 17, 19, 79, 139, 199]


def test_a_watch_of_no_time_ends_an_earlier_one(schedule: LiveSchedule) -> None:
    schedule.watch(0.0, every_s=1, for_s=600)
    schedule.watch(5.0, every_s=1, for_s=0)
    assert sent(schedule, 6, 60) == [6]


def test_hurry_sends_once(schedule: LiveSchedule) -> None:
    assert sent(schedule, 0, 10) == [0]
    schedule.hurry()
    assert sent(schedule, 10, 20) == [10]


def test_the_retained_position_is_renewed_every_quarter_of_an_hour_at_most(schedule: LiveSchedule) -> None:
    assert [at_s for at_s in range(0, 2_800, 5) if schedule.last_due(at_s)] == [0, 900, 1_800, 2_700]


def test_it_says_how_long_nothing_is_due(schedule: LiveSchedule) -> None:
    assert schedule.due_in_s(0, moving=True) == 0
    assert schedule.due(0, moving=True)
    assert (schedule.due_in_s(10, moving=True), schedule.due_in_s(10, moving=False)) == (50, 290)
    schedule.hurry()
    assert schedule.due_in_s(10, moving=True) == 0
