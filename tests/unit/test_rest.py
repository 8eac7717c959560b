"""The box switches itself off when the key was turned long ago or the supply is gone, and never because a wire is missing."""

from __future__ import annotations

from itertools import product

import pytest

from firmware.driving.rest import SUPPLY_LOST_S, Reason, Rest

STAY_ON_S = 600.0


class Box:
    """A look every second."""

    def __init__(self) -> None:
        self.rest = Rest(STAY_ON_S)
        self.now_s = 5.0

    def look(
        self, for_s: float, *, ignition: bool | None = None, good: bool | None = None, moving: bool = False, proving: bool = False
    ) -> list[Reason | None]:
        answers = []
        for _ in range(int(for_s)):
            answers.append(self.rest.update(self.now_s, ignition=ignition, supply_good=good, moving=moving, proving=proving))
            self.now_s += 1
        return answers


@pytest.fixture
def box() -> Box:
    return Box()


def test_the_driver_may_work_with_the_engine_off_for_as_long_as_is_set(box: Box) -> None:
    box.look(10, ignition=True)
    assert set(box.look(STAY_ON_S, ignition=False)) == {None}
    assert box.look(1, ignition=False) == [Reason.IGNITION]
    assert box.rest.off_s == STAY_ON_S


def test_a_key_that_is_turned_again_begins_the_time_anew(box: Box) -> None:
    box.look(STAY_ON_S - 1, ignition=False)
    box.look(1, ignition=True)
    assert set(box.look(STAY_ON_S, ignition=False)) == {None}


def test_a_box_that_starts_with_the_key_off_does_not_empty_the_battery(box: Box) -> None:
    assert box.look(STAY_ON_S + 1, ignition=False)[-1] is Reason.IGNITION


def test_a_broken_ignition_wire_switches_no_moving_vehicle_off(box: Box) -> None:
    assert set(box.look(5 * STAY_ON_S, ignition=False, moving=True)) == {None}
    assert set(box.look(STAY_ON_S, ignition=False)) == {None}


def test_a_proof_that_is_being_made_is_waited_for_once_as_long(box: Box) -> None:
    assert set(box.look(2 * STAY_ON_S, ignition=False, proving=True)) == {None}
    assert box.look(1, ignition=False, proving=True) == [Reason.IGNITION]


def test_a_proof_that_is_finished_is_waited_for_no_longer(box: Box) -> None:
    box.look(STAY_ON_S + 10, ignition=False, proving=True)
    assert box.look(1, ignition=False) == [Reason.IGNITION]


def test_a_lost_supply_switches_off_at_once_also_in_the_middle_of_a_proof(box: Box) -> None:
    box.look(1, ignition=True, good=True)
    answers = box.look(SUPPLY_LOST_S + 1, ignition=True, good=False, moving=True, proving=True)
    assert answers == [None, None, Reason.SUPPLY]
    assert box.rest.off_s == SUPPLY_LOST_S


def test_cranking_is_no_lost_supply(box: Box) -> None:
    for _ in range(5):
        assert set(box.look(1, ignition=True, good=True) + box.look(SUPPLY_LOST_S, ignition=True, good=False)) == {None}


def test_a_supply_that_was_never_seen_good_is_not_wired(box: Box) -> None:
    assert set(box.look(STAY_ON_S, ignition=True, good=False)) == {None}


@pytest.mark.parametrize(("moving", "proving"), list(product([False, True], repeat=2)))
def test_lines_that_nobody_knows_switch_nothing_off(box: Box, *, moving: bool, proving: bool) -> None:
    assert set(box.look(10 * STAY_ON_S, moving=moving, proving=proving)) == {None}
