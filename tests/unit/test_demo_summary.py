"""The demo's count must be able to say that something was lost."""

from __future__ import annotations

import msgspec
import pytest

from cli.demo import duration
from cli.demo.braille import Canvas
from cli.demo.story import ACTS, Story
from cli.demo.summary import summarise
from firmware.journal.look import SeriesLook
from fleet.store import Counts

WRITTEN = (
    SeriesLook(series="seq", rows=4, first=1, last=4, receipted=4, waiting=0, oldest_ms=None),
    SeriesLook(series="tseq", rows=10, first=1, last=100, receipted=90, waiting=10, oldest_ms=None),
)
ALL_THERE = Counts(fixes=100, records=4, fixes_distinct_time=100, records_distinct=4)


def test_everything_stored_once_is_nothing_lost() -> None:
    summary = summarise(WRITTEN, ALL_THERE, 110)
    assert (summary.lost, summary.stored_twice) == (0, 0)
    assert (summary.records_written, summary.records_received, summary.records_receipted) == (104, 104, 94)


def test_a_fix_missing_in_the_store_is_lost() -> None:
    summary = summarise(WRITTEN, msgspec.structs.replace(ALL_THERE, fixes=99, fixes_distinct_time=99), 110)
    assert summary.lost == 1


def test_a_fix_stored_under_two_numbers_is_stored_twice_and_hides_no_loss() -> None:
    summary = summarise(WRITTEN, msgspec.structs.replace(ALL_THERE, fixes=100, fixes_distinct_time=99), 110)
    assert (summary.lost, summary.stored_twice) == (1, 1)


def test_an_unreadable_store_counts_as_all_lost() -> None:
    assert summarise(WRITTEN, None, 110).lost == 104


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("5m", 300), ("1.5m", 90), ("90", 90), ("1h", 3600)])
def test_a_time_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert duration(text) == seconds


def test_the_story_has_a_tunnel_a_dead_zone_and_a_pulled_plug_in_any_length() -> None:
    story = Story(20)
    names: list[str] = []
    for second in range(21):
        while (act := story.due(second, len(names))) is not None:
            names.append(act.name)
    assert names == [act.name for act in ACTS]
    assert {"tunnel", "dead zone", "pulled plug"} <= set(names)


def test_the_map_puts_north_up_and_the_van_where_it_is() -> None:
    canvas = Canvas(10, 5)
    canvas.draw([(51.0, 3.0), (51.001, 3.0)], van=(51.001, 3.0))
    rows = canvas.render().plain.splitlines()
    assert "●" in rows[0]
    assert any("\u2801" <= sign <= "\u28ff" for sign in rows[-1])


def test_an_empty_map_says_so() -> None:
    canvas = Canvas(10, 5)
    canvas.draw([], van=None)
    assert canvas.render().plain == "nothing yet"
