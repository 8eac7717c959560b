"""A page of the unit's own server with nothing on it but the map, and the invented city that it shows."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import BrowserContext, Page, Request, Route

from firmware.kiosk.guard import HEADERS
from tests.browser.city import at, write_city
from tests.eventually import eventually

Json = dict[str, Any]
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>map</title><link rel="stylesheet" href="/static/tokens.css">'
    '<link rel="icon" href="/static/icon.svg"><script type="module" src="/static/map/rp-map.js"></script><rp-map></rp-map></html>'
)
PLACES = ((-700, -300), (-200, 100), (300, 420), (700, -250), (900, 500), (1100, 800), (-900, 900), (-1200, -800))  # metres east, north
STATES = ("delivered", "open", "open", "open", "open", "open", "open", "failed")
SET = """async (wanted) => {
  const map = document.querySelector('rp-map');
  Object.assign(map, wanted);
  if (wanted.mm) document.documentElement.style.setProperty('--mm', `${wanted.mm}px`);
  if (wanted.theme) document.documentElement.dataset.theme = wanted.theme;
  map.style.cssText = 'position: fixed; inset: 0';
  await map.updateComplete;
  await map.renderRoot.querySelector('rp-strip').updateComplete;
}"""
STRIP = """() => {
  const svg = document.querySelector('rp-map').renderRoot.querySelector('rp-strip').renderRoot.querySelector('svg');
  const box = svg.getBoundingClientRect();
  return {
    width: box.width, height: box.height, visible: svg.checkVisibility({ opacityProperty: true }), told: svg.getAttribute('aria-label'),
    arrow: svg.querySelector('path.arrow')?.getAttribute('transform') ?? null,
    texts: [...svg.querySelectorAll('text')].map((text) => {
      const { left, right, top, bottom } = text.getBoundingClientRect();
      return { said: text.textContent, left, right, top, bottom };
    }).filter((text) => text.said),
    circles: [...svg.querySelectorAll('circle.next, circle.stop, circle.face')].map((circle) => {
      const { left, top, width } = circle.getBoundingClientRect();
      return { x: left + width / 2, y: top + width / 2, r: width / 2 };
    }),
  };
}"""


def write_maps(folder: Path) -> Path:
    """A folder with the city, and beside it a file that is no map."""
    (folder / "city.pmtiles").write_bytes(write_city())
    (folder / "broken.pmtiles").write_bytes(b"no map" * 5000)
    return folder


def place(east_m: float, north_m: float, course_deg: float | None = None) -> Json:
    lat_deg, lon_deg = at(east_m, north_m)
    return {"lat": lat_deg, "lon": lon_deg, "course_deg": course_deg}


def stops() -> list[Json]:
    return [
        {"stop_id": f"S{n}", "no": 16 + n, "state": state} | place(*where)
        for n, (where, state) in enumerate(zip(PLACES, STATES, strict=True))
    ]


class MapPage:
    """A page with nothing but the map; hears every request and every complaint."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page: Page = context.new_page()
        self.requests: list[Request] = []
        self.faults: list[str] = []
        self._url = url
        self.page.on("request", self._follow)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.page.route(f"{url}bench*", self._answer)

    def open(self, *, force: bool = False, **changes: Any) -> None:
        self.page.goto(f"{self._url}bench{'?map=force' if force else ''}")
        self.page.wait_for_load_state()
        self.set(here=place(-560, -180, 70), stops=stops(), current="S1", **changes)

    def set(self, **wanted: Any) -> None:
        self.page.evaluate(SET, wanted)

    def drawn(self) -> None:
        self.page.locator("rp-map[drawn]").wait_for(timeout=60_000)

    def shown(self) -> Json:
        """The map's names and camera once all is drawn."""
        self.drawn()
        ask = (
            "() => { const shown = document.querySelector('rp-map').map.shown(); return shown.idle && shown.names.length ? shown : null; }"
        )
        answer: Json = eventually(lambda: self.page.evaluate(ask), within_s=60)
        return answer

    def heard(self, ask: Callable[[], object]) -> None:
        """Wait for what the browser tells by itself; it is heard only while something is asked."""
        eventually(lambda: (self.page.evaluate("0"), ask())[1])

    def strip(self) -> Json:
        answer: Json = self.page.evaluate(STRIP)
        return answer

    def picture(self) -> Image.Image:
        return Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")

    def asked(self, part: str) -> list[Request]:
        return [request for request in self.requests if part in request.url]

    def _answer(self, route: Route) -> None:
        route.fulfill(body=PAGE, content_type="text/html", headers=HEADERS)

    def _follow(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith(self._url):
            self.faults.append(f"a request left the unit: {request.url}")
