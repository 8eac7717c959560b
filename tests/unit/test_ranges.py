"""Ranges behave as the set of their numbers, whatever is done to them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.ranges import Ranges, Span

TOP = 40  # small numbers, so that spans meet, touch and overlap
number = st.integers(1, TOP)
span = st.tuples(number, number).map(lambda pair: (min(pair), max(pair)))
step = st.tuples(st.sampled_from(["add", "remove"]), span)
steps = st.lists(step, max_size=12)


def played(played_steps: Iterable[tuple[str, Span]]) -> tuple[Ranges, set[int]]:
    """The same steps done to ranges and to a plain set."""
    ranges, numbers = Ranges(), set[int]()
    for name, (first, last) in played_steps:
        some = set(range(first, last + 1))
        if name == "add":
            ranges.add(first, last)
            numbers |= some
        else:
            ranges.remove(first, last)
            numbers -= some
    return ranges, numbers


def spelled(spans: Iterable[Span]) -> list[int]:
    return [number for first, last in spans for number in range(first, last + 1)]


@given(steps)
def test_they_hold_the_numbers_of_a_set(done: list[tuple[str, Span]]) -> None:
    ranges, numbers = played(done)
    assert spelled(ranges) == sorted(numbers)
    assert ranges.count() == len(numbers)
    assert bool(ranges) == bool(numbers)
    assert ranges.top == max(numbers, default=0)
    assert {number for number in range(TOP + 2) if number in ranges} == numbers


@given(steps)
def test_they_are_sorted_and_never_touch(done: list[tuple[str, Span]]) -> None:
    ranges, _ = played(done)
    assert all(first <= last for first, last in ranges)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(ranges))


@given(steps, span)
def test_covers_says_whether_every_number_is_held(done: list[tuple[str, Span]], asked: Span) -> None:
    ranges, numbers = played(done)
    assert ranges.covers(*asked) == (set(spelled([asked])) <= numbers)


@given(steps, span)
def test_missing_and_held_make_up_what_was_asked_for(done: list[tuple[str, Span]], asked: Span) -> None:
    ranges, numbers = played(done)
    missing = ranges.missing(*asked)
    assert spelled(missing) == [number for number in spelled([asked]) if number not in numbers]
    assert all(before[1] + 1 < after[0] for before, after in pairwise(missing))


@given(steps, number)
def test_next_outside_is_the_first_number_from_there_on_that_is_not_held(done: list[tuple[str, Span]], start: int) -> None:
    ranges, numbers = played(done)
    assert ranges.next_outside(start) == next(number for number in range(start, TOP + 2) if number not in numbers)


@given(steps)
def test_upto_is_the_last_number_before_the_first_gap(done: list[tuple[str, Span]]) -> None:
    ranges, numbers = played(done)
    assert ranges.upto() == next(number for number in range(1, TOP + 2) if number not in numbers) - 1


@given(steps, step)
def test_a_copy_is_equal_and_goes_its_own_way(done: list[tuple[str, Span]], another: tuple[str, Span]) -> None:
    ranges, numbers = played(done)
    copy = ranges.copy()
    assert copy == ranges
    getattr(copy, another[0])(*another[1])
    assert spelled(ranges) == sorted(numbers)


@given(st.lists(span, max_size=8), st.randoms())
def test_the_order_in_which_spans_come_makes_no_difference(spans: list[Span], dice: Random) -> None:
    shuffled = list(spans)
    dice.shuffle(shuffled)
    assert Ranges(shuffled) == Ranges(spans)


def test_neighbours_become_one() -> None:
    assert list(Ranges([(1, 3), (7, 9), (4, 6)])) == [(1, 9)]


def test_a_span_that_runs_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="from 5 to 4"):
        Ranges().add(5, 4)


def test_they_may_be_changed_while_they_are_walked_through() -> None:
    ranges = Ranges([(1, 2), (5, 6)])
    for first, last in ranges:
        ranges.remove(first, last)
    assert not ranges


def test_they_cannot_be_a_dictionarys_key() -> None:
    with pytest.raises(TypeError):
        hash(Ranges())


def test_numbers_added_one_by_one_are_one_span() -> None:
    ranges = Ranges((number, number) for number in range(1, 100_001))
    assert list(ranges) == [(1, 100_000)]
    assert repr(ranges) == "Ranges([(1, 100000)])"
