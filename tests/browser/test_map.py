"""The street map in a real browser, served by the unit's own server under its own security policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Browser, BrowserContext

from tests.browser.map_page import Json, MapPage, place, stops, write_maps
from tests.browser.showcase import Showcase
from tests.eventually import eventually

NO_WEBGL2 = """
  const get = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    return /webgl/.test(kind) ? null : get.call(this, kind, ...rest);
  };"""
LOSE = """() => {
  const canvas = document.querySelector('rp-map').renderRoot.querySelector('canvas');
  canvas.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext();
}"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showcase]:
    with Showcase(maps=write_maps(tmp_path_factory.mktemp("maps"))) as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 800, "height": 300}, locale="en-GB", reduced_motion="reduce")
    yield opened
    opened.close()


@pytest.fixture
def glass(context: BrowserContext, city: Showcase) -> Iterator[MapPage]:
    opened = MapPage(context, city.web.url)
    yield opened
    assert opened.faults == []


def luminance(picture: Image.Image) -> float:
    return ImageStat.Stat(picture.convert("L")).mean[0]


def test_city_is_drawn_with_names_of_every_script_and_from_parts_of_its_file(glass: MapPage) -> None:
    glass.open(force=True)
    names = set(glass.shown()["names"])
    assert {"Łąkowa", "Bahnhofstraße", "شارع النخيل", "Проспект Миру"} <= names
    assert len(glass.picture().getcolors(1_000_000) or []) > 500
    assert glass.page.locator("rp-map .owed").inner_text() == "© OpenStreetMap"
    assert glass.page.locator("rp-map .owed").is_visible()
    parts = glass.asked("city.pmtiles")
    assert parts
    assert all("range" in request.headers for request in parts)
    assert {response.status for request in parts if (response := request.response())} == {206}


def test_night_is_dark_and_day_is_light(glass: MapPage) -> None:
    glass.open(force=True)
    glass.shown()
    assert luminance(glass.picture()) > 180
    glass.set(theme="night")
    eventually(lambda: glass.shown() and luminance(glass.picture()) < 50, within_s=60)


def test_stops_carry_their_numbers_and_what_became_of_them(glass: MapPage) -> None:
    glass.open(force=True, overview=True)
    glass.drawn()
    marks = glass.page.locator("rp-map div.stop").evaluate_all(
        "all => all.map((e) => [e.textContent, e.dataset.state, e.dataset.mark ?? ''])"
    )
    assert ["16", "delivered", "✓"] in marks
    assert ["23", "failed", "✕"] in marks
    assert glass.page.locator("rp-map div.stop[data-current]").inner_text() == "17"
    glass.set(stops=stops()[2:], current="S2")
    eventually(lambda: glass.page.locator("rp-map div.stop[data-current]").all_inner_texts() == ["18"])
    assert glass.page.locator("rp-map div.stop").count() == 6


def test_map_moves_in_steps_of_a_second_and_not_with_every_fix(glass: MapPage) -> None:
    glass.open(force=True)
    glass.shown()
    first, second = place(-500, -150, 70), place(-450, -120, 70)
    seen = glass.page.evaluate(
        """async ([first, second]) => {
          const map = document.querySelector('rp-map');
          const at = () => map.map.shown().camera.center[0];
          map.here = first;
          while (at() !== first.lon) await new Promise(requestAnimationFrame);
          map.here = second;
          await map.updateComplete;
          const kept = at();
          while (at() !== second.lon) await new Promise(requestAnimationFrame);
          return kept;
        }""",
        [first, second],
    )
    assert seen == first["lon"]


def test_leaving_the_screen_gives_back_the_workers_and_the_canvas(glass: MapPage) -> None:
    glass.open(force=True)
    glass.drawn()
    assert glass.page.workers
    glass.page.evaluate("() => { window.left = document.querySelector('rp-map'); left.remove(); }")
    glass.heard(lambda: not glass.page.workers)
    assert glass.page.evaluate("() => left.renderRoot.querySelector('canvas')") is None
    glass.page.evaluate("() => document.body.append(left)")
    glass.drawn()


def test_renderer_without_hardware_is_not_given_a_map(glass: MapPage) -> None:
    glass.open()
    assert glass.strip()["visible"]
    assert not glass.page.evaluate("async () => (await import('/static/map/webgl.js')).webgl().usable")
    assert glass.asked("maplibre") == []


@pytest.mark.parametrize("force", [False, True])
def test_browser_without_webgl2_shows_the_strip(context: BrowserContext, city: Showcase, *, force: bool) -> None:
    context.add_init_script(NO_WEBGL2)
    glass = MapPage(context, city.web.url)
    glass.open(force=force)
    if force:
        glass.heard(lambda: glass.asked("maplibre-gl.mjs"))
    assert glass.page.evaluate("async () => (await import('/static/map/webgl.js')).webgl().renderer") is None
    assert glass.strip()["visible"]
    glass.set(here=place(-540, -170, 70))
    assert "430 m" in [text["said"] for text in glass.strip()["texts"]]


def test_picture_that_the_driver_loses_becomes_the_strip(glass: MapPage) -> None:
    glass.open(force=True)
    glass.drawn()
    glass.page.evaluate(LOSE)
    eventually(lambda: glass.strip()["visible"])


def test_outside_every_map_the_strip_is_shown_and_inside_the_map_again(glass: MapPage) -> None:
    glass.open(force=True)
    glass.drawn()
    glass.set(here={"lat": 10.0, "lon": 10.0, "course_deg": None})
    eventually(lambda: glass.strip()["visible"])
    glass.set(here=place(0, 0))
    glass.drawn()
    assert not glass.strip()["visible"]


def test_camera_keeps_its_zoom_and_turns_late(glass: MapPage) -> None:
    glass.open()
    ask = """async (scenes) => {
      const { following } = await import('/static/map/camera.js');
      const cameras = [];
      const size = { width: 800, height: 300 };
      for (const scene of scenes) cameras.push(following({ size, before: cameras.at(-1) ?? null, turning: true, ...scene }));
      return cameras.map((camera) => [camera.zoom, camera.bearing]);
    }"""
    far = place(2000, 0)
    scenes: list[Json] = [{"here": place(0, 0, course), "next": far} for course in (2, 30, 40, None)]
    scenes += [{"here": place(100, 0, 350), "next": far}, {"here": place(1700, 0, 0), "next": far}, {"here": place(0, 0, 0), "next": None}]
    zooms, bearings = zip(*glass.page.evaluate(ask, scenes), strict=True)
    assert bearings[:5] == (0, 0, 45, 45, 0)
    assert zooms[0] == zooms[4]
    assert 12 <= zooms[0] < zooms[5] <= 16
    assert zooms[6] == zooms[5]
