"""A browser whose page draws no more is started anew, and never one that draws or does not run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from firmware.box.requests import PAGE, RESTART_KIOSK
from firmware.box.screen import SILENT_S, START_S, Silence
from tests.box import Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    box.journal.close()


def test_the_browser_is_told_where_the_page_is(box: Box) -> None:
    box.new_screen()
    assert (box.folder / PAGE).read_text(encoding="utf-8") == "ROADPROOF_PAGE=http://127.0.0.1:8080/\n"


def test_a_page_that_draws_no_more_has_its_browser_started_anew(box: Box) -> None:
    screen = box.new_screen()
    box.kiosk.mkdir()
    box.wait(10, screen)
    box.status.change(kiosk_seen_s=box.mono_s)
    box.wait(SILENT_S - 1, screen)
    assert not box.asked(RESTART_KIOSK)
    box.wait(2, screen)
    assert box.asked(RESTART_KIOSK)
    (event,) = box.events()
    assert (event.event, event.data) == ("kiosk.restarted", {"silent_s": 30})


def test_a_unit_whose_browser_does_not_run_restarts_none(box: Box) -> None:
    screen = box.new_screen()
    box.status.change(kiosk_seen_s=box.mono_s)  # a technician's own browser
    box.wait(10 * START_S, screen)
    assert not box.asked(RESTART_KIOSK)
    assert box.events() == []


def test_a_wish_that_cannot_be_written_does_not_end_the_recording(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    shutil.rmtree(box.folder)
    screen = box.new_screen()
    box.kiosk.mkdir()
    box.wait(START_S + 2, screen)
    assert "the browser is not told where the page is: no such file or directory" in caplog.text
    assert "the browser is not started anew: no such file or directory" in caplog.text


def restarts(silence: Silence, for_s: int, *, seen_every_s: int | None = None, running: bool = True) -> list[int]:
    """At which seconds a browser is started anew; a page may draw again every so often."""
    seen_s: float | None = None
    found = []
    for now_s in range(for_s):
        if seen_every_s is not None and now_s % seen_every_s == 0:
            seen_s = float(now_s)
        if silence.update(float(now_s), running=running, seen_s=seen_s) is not None:
            found.append(now_s)
    return found


def test_a_browser_has_two_minutes_to_draw_for_the_first_time() -> None:
    assert restarts(Silence(), int(START_S) + 1) == [int(START_S)]


def test_a_screen_that_is_broken_for_good_is_tried_ever_more_rarely() -> None:
    tries = restarts(Silence(), 86_400)
    assert [later - earlier for earlier, later in pairwise(tries)][:6] == [60, 120, 240, 480, 960, 1_800]
    assert len(tries) < 60


def test_a_page_that_draws_is_left_alone() -> None:
    assert restarts(Silence(), 3_600, seen_every_s=5) == []


def test_a_browser_that_has_just_been_started_is_not_judged_by_its_predecessor() -> None:
    silence = Silence()
    assert silence.update(100.0, running=True, seen_s=99.0) is None
    assert silence.update(140.0, running=False, seen_s=99.0) is None
    assert silence.update(141.0, running=True, seen_s=99.0) is None
    assert silence.update(141.0 + START_S - 1, running=True, seen_s=99.0) is None
    assert silence.update(141.0 + START_S, running=True, seen_s=99.0) == START_S
