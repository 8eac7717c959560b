from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gnss.calendar import Calendar, moment, step_s

NOON_S = 43_200.0


def rmc_day(year: int, month: int, day: int) -> date:
    """As the sentence is read: the century is not said."""
    return date(2000 + year % 100, month, day)


def test_steps_go_the_shorter_way_round_midnight() -> None:
    assert (step_s(86_399, 1), step_s(1, 86_399), step_s(10, 20)) == (2, -2, 10)


@given(st.floats(0, 86_399), st.floats(-43_000, 43_000))
def test_a_step_is_found_again(tod_s: float, step: float) -> None:
    assert step_s(tod_s, (tod_s + step) % 86_400) == pytest.approx(step, abs=1e-6)


def test_a_moment_is_exact_to_the_microsecond() -> None:
    assert moment(date(2024, 5, 1), 13 * 3600 + 56 * 60 + 51.997) == datetime(2024, 5, 1, 13, 56, 51, 997_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("floor", "said", "meant"),
    [
        (date(2026, 11, 1), rmc_day(2026, 11, 2), date(2026, 11, 2)),
        (date(2026, 11, 1), rmc_day(2079, 1, 1), date(2079, 1, 1)),
        (date(2004, 12, 25), rmc_day(2005, 3, 13), date(2005, 3, 13)),
        (date(1999, 8, 22), rmc_day(1999, 9, 1), date(1999, 9, 1)),
    ],
)
def test_the_century_follows_from_the_floor(floor: date, said: date, meant: date) -> None:
    assert Calendar(floor).repaired(said, has_century=False) == meant


def test_the_century_of_zda_is_believed() -> None:
    calendar = Calendar(date(2026, 1, 1))
    assert calendar.repaired(date(2101, 1, 1), has_century=True) == date(2101, 1, 1)
    assert calendar.repaired(rmc_day(2001, 1, 1), has_century=False) == date(2101, 1, 1)


@given(st.dates(date(2027, 1, 1), date(2060, 1, 1)), st.integers(0, 2))
def test_any_number_of_rollovers_is_repaired(today: date, rollovers: int) -> None:
    behind = today - rollovers * timedelta(weeks=1024)
    calendar = Calendar(today - timedelta(days=30))
    if behind.year >= 1981:
        assert calendar.repaired(rmc_day(behind.year, behind.month, behind.day), has_century=False) == today
        assert calendar.repaired(behind, has_century=True) == today


def test_a_day_beyond_all_calendars_is_none() -> None:
    assert Calendar(date(9990, 1, 1)).repaired(date(9989, 1, 1), has_century=True) is None


def test_one_odd_date_is_not_believed() -> None:
    calendar = Calendar(date(2024, 1, 1))
    today, odd = date(2024, 5, 1), date(2024, 5, 9)
    days = [today, odd, today, odd, odd]
    found = [calendar.date(NOON_S + second, [day], certain=True) for second, day in enumerate(days)]
    assert [at.date() for at in found if at] == [today] * 5


def test_a_date_that_persists_is_believed_at_its_third_time() -> None:
    calendar = Calendar(date(2024, 1, 1))
    today, other = date(2024, 5, 1), date(2024, 5, 9)
    found = [calendar.date(NOON_S + second, [day], certain=True) for second, day in enumerate([today, other, other, other])]
    assert [at.date() for at in found if at] == [today, today, today, other]


def test_a_date_that_two_sentences_state_is_believed_at_once() -> None:
    calendar = Calendar(date(2024, 1, 1))
    calendar.date(NOON_S, [date(2024, 5, 1)], certain=True)
    other = date(2024, 5, 9)
    assert calendar.date(NOON_S + 1, [other, other], certain=True) == moment(other, NOON_S + 1)


def test_of_two_dates_the_expected_one_is_believed() -> None:
    calendar = Calendar(date(2024, 1, 1))
    today, odd = date(2024, 5, 1), date(2024, 5, 9)
    found = [calendar.date(NOON_S + second, [today, odd], certain=True) for second in range(5)]
    assert [at.date() for at in found if at] == [today] * 5


def test_after_a_jump_of_time_the_next_date_is_believed() -> None:
    calendar = Calendar(date(2024, 1, 1))
    calendar.date(NOON_S, [date(2024, 5, 1)], certain=True)
    calendar.jump(NOON_S - 3_600)
    assert not calendar.is_running
    assert calendar.date(NOON_S - 3_600, [date(2024, 5, 3)], certain=True) == moment(date(2024, 5, 3), NOON_S - 3_600)
