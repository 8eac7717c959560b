from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gnss.fields import Position
from drivers.gnss.plausible import PlausibilityGate, distance_m, states_the_same

FINE = 1e-5 / 60
HOME = Position(51.05, 3.72, FINE)


def north(metres: float, resolution_deg: float = FINE) -> Position:
    return Position(HOME.lat_deg + metres / 111_195, HOME.lon_deg, resolution_deg)


def gate_at_home(epochs: int = 5) -> PlausibilityGate:
    gate = PlausibilityGate()
    for second in range(epochs):
        assert gate.choose(second, [HOME, HOME]) == HOME
    return gate


def test_distances_are_good_across_the_date_line() -> None:
    assert distance_m(Position(0, 179.9995, FINE), Position(0, -179.9995, FINE)) == pytest.approx(111.2, abs=0.1)


def test_the_first_position_is_believed() -> None:
    assert PlausibilityGate().choose(0, [HOME]) == HOME


def test_nothing_stated_is_nothing_chosen() -> None:
    assert PlausibilityGate().choose(0, []) is None


def test_of_two_roundings_the_finer_is_chosen() -> None:
    coarse = Position(51.0500003, 3.72, 1e-4 / 60)
    assert PlausibilityGate().choose(0, [coarse, HOME]) == HOME


def test_a_position_too_far_for_the_time_is_withheld() -> None:
    gate = gate_at_home()
    assert gate.choose(5, [north(50_000), north(50_000)]) is None
    assert gate.choose(6, [HOME]) == HOME


def test_a_real_jump_is_accepted_at_its_third_agreeing_fix() -> None:
    gate = gate_at_home()
    away = [north(50_000 + 20 * second) for second in range(4)]
    assert [gate.choose(5 + second, [away[second]]) for second in range(4)] == [None, None, away[2], away[3]]


def test_jumps_that_do_not_agree_with_each_other_are_never_accepted() -> None:
    gate = gate_at_home()
    assert [gate.choose(5 + second, [north(50_000 * (second % 2 + 1))]) for second in range(6)] == [None] * 6


def test_a_ferry_is_accepted_at_once_after_half_an_hour() -> None:
    assert gate_at_home().choose(1_800, [north(30_000)]) == north(30_000)


def test_of_two_sentences_far_apart_the_reachable_one_is_believed() -> None:
    gate = gate_at_home()
    assert gate.choose(5, [north(500_000), north(20)]) == north(20)
    assert gate.choose(6, [north(20), north(500_000)]) == north(20)


def test_of_three_sentences_the_majority_is_believed() -> None:
    assert PlausibilityGate().choose(0, [north(500_000), HOME, HOME]) == HOME


def test_without_history_two_sentences_far_apart_are_both_refused() -> None:
    assert PlausibilityGate().choose(0, [north(500_000), HOME]) is None


def test_the_last_digit_tells_damage_in_a_receiver_that_always_agrees() -> None:
    gate = gate_at_home()
    assert gate.choose(5, [north(0.2), HOME]) is None
    assert gate.choose(6, [HOME, HOME]) == HOME


def test_the_last_digit_is_settled_by_a_third_sentence() -> None:
    assert gate_at_home().choose(5, [north(0.2), HOME, HOME]) == HOME


def test_a_receiver_that_begins_to_smooth_one_sentence_is_believed_at_its_second_epoch() -> None:
    gate = gate_at_home()
    assert [gate.choose(5 + second, [north(0.2), HOME]) for second in range(3)] == [None, north(0.2), north(0.2)]


def test_a_receiver_whose_sentences_always_differ_a_little_is_believed() -> None:
    gate = PlausibilityGate()
    assert all(gate.choose(second, [north(0.1), HOME]) for second in range(10))


def test_a_first_position_by_one_sentence_alone_gives_way_to_two_that_agree() -> None:
    gate = PlausibilityGate()
    assert gate.choose(0, [north(900_000)]) == north(900_000)
    assert gate.choose(1, [HOME, HOME]) == HOME


def test_after_it_was_told_to_forget_any_place_is_believed() -> None:
    gate = gate_at_home()
    gate.forget()
    assert gate.choose(5, [north(900_000)]) == north(900_000)


@given(st.floats(-1e-7, 1e-7))
def test_a_cut_and_a_rounded_coordinate_are_the_same(offset_deg: float) -> None:
    assert states_the_same(HOME, Position(HOME.lat_deg + offset_deg, HOME.lon_deg, 1e-4 / 60))
    assert not states_the_same(HOME, Position(HOME.lat_deg + 2 * FINE, HOME.lon_deg, FINE))
