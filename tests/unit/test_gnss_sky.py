"""The satellites in view: whose, how well they are heard, and when they are looked at again."""

from __future__ import annotations

import pytest

from drivers.gnss.sentences import parse
from drivers.gnss.sky import LASTS_S, RENEWED_S, Sky

ONE = "GPGSV,2,1,05,02,34,300,41,05,61,214,44,07,18,046,30,13,27,172,35"
TWO = "GPGSV,2,2,05,16,44,101,40"
LOUDER = "GPGSV,2,2,05,16,44,101,45"
FIRST_BAND, SECOND_BAND = TWO + ",1", TWO + ",5"
USED = "GPGSA,A,3,02,05,,,,,,,,,,,1.5,0.8,1.2"


def sky(*texts: str, at_s: float = 100.0) -> Sky:
    made = Sky()
    hear(made, *texts, at_s=at_s)
    return made


def hear(one: Sky, *texts: str, at_s: float) -> None:
    for text in texts:
        value = parse(text)
        assert value is not None
        one.add(value, at_s)


def test_satellites_are_in_view_until_nothing_was_heard_of_them_for_some_time() -> None:
    seen = sky(ONE, TWO, USED)
    assert [one.number for one in seen.satellites(100.0)] == [2, 5, 7, 13, 16]
    assert [one.number for one in seen.satellites(100.0) if one.used] == [2, 5]
    hear(seen, TWO, at_s=100.0 + LASTS_S)
    assert [one.number for one in seen.satellites(100.1 + LASTS_S)] == [16]


def test_an_unchanged_sky_is_the_same_tuple() -> None:
    seen = sky(ONE, TWO)
    shown = seen.satellites(100.0)
    assert seen.satellites(101.0) is shown
    hear(seen, LOUDER, at_s=101.0)
    assert [one.cn0_dbhz for one in seen.satellites(101.0)][-1] == 45


def test_a_page_is_read_once_a_second() -> None:
    seen = Sky()
    assert [seen.is_fresh(TWO, at_s) for at_s in (100.0, 100.1, 100.8, 100.0 + RENEWED_S, 101.0)] == [False, True, True, False, True]


def test_a_page_that_says_something_else_is_the_same_page() -> None:
    seen = Sky()
    assert not seen.is_fresh(TWO, 100.0)
    assert seen.is_fresh(LOUDER, 100.1)


def test_another_page_and_another_band_are_read_too() -> None:
    seen = Sky()
    assert [seen.is_fresh(text, 100.0) for text in (ONE, TWO, FIRST_BAND, SECOND_BAND, "GL" + TWO[2:])] == [False] * 5


@pytest.mark.parametrize("text", [USED, "GPRMC,,V,,,,,,,,,,N", "GPTXT,01,01,02,ANTSTATUS=OK", ""])
def test_only_satellites_in_view_wait(text: str) -> None:
    seen = Sky()
    assert not seen.is_fresh(text, 100.0)
    assert not seen.is_fresh(text, 100.0)


def test_damaged_pages_fill_no_memory() -> None:
    seen = Sky()
    for number in range(10_000):
        seen.is_fresh(f"{number % 90 + 10}GSV,{number:08d}", 100.0)
    assert len(seen._pages) <= 64
