"""The strip that is shown where there is no street map: what it says, and that it can be read at every size."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.map_page import PLACES, Json, MapPage, place, stops
from tests.browser.showcase import Showcase


@pytest.fixture
def glass(browser: Browser, one_showcase: Showcase) -> Iterator[MapPage]:
    context = browser.new_context(viewport={"width": 800, "height": 300}, locale="en-GB", reduced_motion="reduce")
    opened = MapPage(context, one_showcase.web.url)
    yield opened
    context.close()
    assert opened.faults == []


def test_strip_says_how_far_where_and_what_comes_next(glass: MapPage) -> None:
    glass.open()
    strip = glass.strip()
    said = [text["said"] for text in strip["texts"]]
    assert {"460 m", "17", "18", "19", "20", "21", "+1"} <= set(said)
    assert "16" not in said
    assert "23" not in said
    assert strip["arrow"].startswith("rotate(345)")  # the stop lies at 52 degrees, the vehicle goes at 70
    glass.set(here=place(-560, -180))
    assert glass.strip()["arrow"].startswith("rotate(45)")  # no course: north is up


def test_strip_without_a_position_at_the_stop_and_at_the_end(glass: MapPage) -> None:
    glass.open()
    glass.set(here=None)
    assert "?" in [text["said"] for text in glass.strip()["texts"]]
    glass.set(here=place(*PLACES[1], course_deg=10))
    assert glass.strip()["arrow"] is None
    assert "0 m" not in [text["said"] for text in glass.strip()["texts"]]
    glass.set(stops=[stop | {"state": "delivered"} for stop in stops()])
    assert len(glass.strip()["texts"]) == 1


def test_strip_runs_with_the_language(glass: MapPage) -> None:
    def next_stop() -> Json:
        return next(text for text in glass.strip()["texts"] if text["said"] == "17")

    glass.open()
    before, arrow = next_stop(), glass.strip()["arrow"]
    glass.set(dir="rtl")
    assert next_stop()["left"] == pytest.approx(800 - before["right"], abs=1)
    assert glass.strip()["arrow"] == arrow  # the world is not mirrored


@pytest.mark.parametrize(
    ("width", "height", "mm"),
    [
        (776, 128, 5.16),
        (355, 300, 5.16),
        (992, 146, 6.65),
        (455, 370, 6.65),
        (680, 410, 8.18),
        (680, 278, 8.18),
        (520, 200, 5.16),
        (800, 480, 5.16),
    ],
)
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_texts_of_the_strip_neither_leave_it_nor_meet(glass: MapPage, width: int, height: int, mm: float, direction: str) -> None:
    addresses = ("", "شارع النخيل 12، الطابق الثاني", "Donaudampfschifffahrtsstraße 112 b, Hinterhaus", "Łąkowa 4", "", "", "", "")
    glass.page.set_viewport_size({"width": width, "height": height})
    glass.open(dir=direction, mm=mm)
    named = [stop | {"address": address} for stop, address in zip(stops(), addresses, strict=True)]
    far = [stop | {"lat": stop["lat"] + n % 2 * 0.2} for n, stop in enumerate(named)]
    for run in (stops(), stops()[:4], stops()[:2], named, far):
        glass.set(stops=run)
        strip = glass.strip()
        texts = strip["texts"]
        assert [text["said"] for text in texts if outside(text, width, height)] == []
        assert [(a["said"], b["said"]) for n, a in enumerate(texts) for b in texts[:n] if meet(a, b)] == []
        assert [text["said"] for text in texts for circle in strip["circles"] if touches(text, circle)] == []


def outside(text: Json, width: float, height: float) -> bool:
    """Whether a text leaves the box; a line's box is higher than its letters."""
    spare = 0.2 * (text["bottom"] - text["top"])
    return bool(text["left"] < -1 or text["right"] > width + 1 or text["top"] < -spare or text["bottom"] > height + spare)


def meet(a: Json, b: Json) -> bool:
    """Whether two texts are drawn over each other."""
    high = 0.25 * min(a["bottom"] - a["top"], b["bottom"] - b["top"])
    beside = a["right"] <= b["left"] + 1 or b["right"] <= a["left"] + 1
    return not beside and min(a["bottom"], b["bottom"]) - max(a["top"], b["top"]) > 2 * high


def touches(text: Json, circle: Json) -> bool:
    """Whether a text, but for the circle's own, reaches into the circle."""
    spare = 0.2 * (text["bottom"] - text["top"])
    x = min(max(circle["x"], text["left"]), text["right"])
    y = min(max(circle["y"], text["top"] + spare), text["bottom"] - spare)
    middle = math.hypot((text["left"] + text["right"]) / 2 - circle["x"], (text["top"] + text["bottom"]) / 2 - circle["y"])
    return bool(middle > circle["r"] > math.hypot(x - circle["x"], y - circle["y"]) + 1)
