"""The pictures of the documentation: the demo's day, worked in the real page, and the page of a proof as the fleet prints it.

`python -m tests.browser.album` writes docs/pictures anew. The day is decided by firmware/day at a fixed hour, so that the same program
gives the same pictures.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from cli.demo.aide import printed, wanted_scene
from cli.demo.day import plan
from drivers.barcode import Decoder
from drivers.camera.photo import view
from drivers.sim import scenes
from drivers.sim.route import ghent
from firmware.day.machine import wants
from firmware.day.work import Command
from firmware.kiosk.server import Web
from firmware.kiosk.shell import Corners
from firmware.status import PositionStatus, SeriesStatus, Status
from mqtt.messages import Run, utc_text
from tests.browser.rig import PANELS, Finger, Glass, launch
from tests.browser.showcase import Reply
from tests.runs import NINE_MS, Shift, at

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PANEL = PANELS[1]
COLOURS = 96
MINUTE_S = 60.0


class Understudy:
    """The terminal of a shift that is played in a script; of the page's own taps it takes only the words that it is alive."""

    def __init__(self, shift: Shift) -> None:
        self.seq = 1
        self._shift = shift
        self._listeners: list[Callable[[], None]] = []

    def changed(self) -> None:
        """The script has gone on: draw again."""
        self.seq += 1
        for listener in self._listeners:
            listener()

    def command(self, name: str, data: dict[str, Any], *, command_id: str) -> Reply:
        raise AssertionError(f"nobody taps while the pictures are taken: {name}")

    def photo(self, jpeg: bytes) -> Reply:
        raise AssertionError("nobody drops a picture while the pictures are taken")

    def picture(self, sha256: str) -> bytes | None:
        return view(scenes.doorstep("12"))

    def view(self) -> dict[str, Any]:
        return self._shift.page()

    def listen(self, callback: Callable[[], None]) -> None:
        self._listeners.append(callback)

    def wants(self) -> Literal["scan", "photo"] | None:
        return wants(self._shift.work, self._shift.now)


class Eye:
    """What the demo's driver holds before the camera, with a frame round the codes that the decoder reads in it."""

    def __init__(self, shift: Shift) -> None:
        self._shift = shift
        self._decoder = Decoder()
        self._seen: tuple[str, str] | None = None
        self._n = 0
        self._shown: tuple[bytes, Sequence[Corners]] = (b"", ())

    def latest(self) -> tuple[int, bytes, Sequence[Corners]] | None:
        scene = wanted_scene(self._shift.page())
        if scene != self._seen:
            self._seen = scene
            self._n += 1
            self._shown = self._look(*scene)
        return self._n, *self._shown

    def drop(self, jpeg: bytes) -> None:
        raise AssertionError("nobody drops a picture while the pictures are taken")

    def close(self) -> None:
        self._decoder.close()

    def _look(self, kind: str, text: str) -> tuple[bytes, Sequence[Corners]]:
        if kind == "doorstep":
            return view(scenes.doorstep(text)), ()
        jpeg = view(scenes.parcel([printed(text)], lines=["ROADPROOF DEMO", text]))
        return jpeg, [barcode.corners for barcode in self._decoder.read_picture(jpeg)]


class Album:
    """Takes each picture when the script says so."""

    def __init__(self, folder: Path, shift: Shift, understudy: Understudy, glass: Glass) -> None:
        self.taken: list[str] = []
        self._folder = folder
        self._shift = shift
        self._understudy = understudy
        self._glass = glass

    def take(self, name: str, *, lang: str = "en", theme: str = "day", sign: bool = False) -> None:
        """One picture of the screen as it is now."""
        self._shift.tap("ui.lang", lang=lang)
        self._shift.tap("ui.theme", theme=theme)
        self._understudy.changed()
        self._glass.drawn()
        if self._understudy.wants():
            self._glass.page.wait_for_function(VIEWFINDER)
        if sign:
            _sign(self._glass)
        path = self._folder / f"{name}.png"
        self._glass.page.screenshot(path=path)
        _shrink(path)
        self.taken.append(name)


VIEWFINDER = """() => {
  const deep = (root) => [...root.querySelectorAll('*')].flatMap((one) => one.shadowRoot ? [one, ...deep(one.shadowRoot)] : [one]);
  const canvas = deep(document).find((one) => one instanceof HTMLCanvasElement);
  if (!canvas || !canvas.width) return false;
  const pixels = canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
  return pixels[0] + pixels[1] + pixels[2] > 60;
}"""


def _sign(glass: Glass) -> None:
    """A name, as a finger writes it."""
    box = glass.page.locator("rp-signature").bounding_box()
    assert box is not None
    finger: Finger = glass.finger()
    left, middle, high = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.55, box["height"] * 0.28
    for stroke in STROKES:
        finger.stroke([(left + x * 2 * high, middle + y * high) for x, y in stroke])


STROKES = (
    [(0.0, 1.0), (0.05, -1.0), (0.25, 0.5), (0.45, -1.0), (0.5, 1.0)],
    [(0.6, 0.9), (0.65, 1.0)],
    [(0.85, -1.0), (0.83, 0.0), (0.85, 1.0)],
    [(1.25, -0.9), (0.88, 0.1), (1.0, 0.3), (1.3, 1.0), (1.45, 0.4), (1.55, 0.3), (1.6, 0.8), (1.5, 1.0), (1.42, 0.7), (1.6, 0.4), (1.7, 0.9),
     (1.8, 0.4), (1.95, 0.9), (2.1, 0.4), (2.2, 0.9), (2.4, 0.3), (2.6, 0.5), (2.9, 0.2)],
)  # fmt: skip


def _shrink(path: Path) -> None:
    """Fewer colours: a page is flat, and a repository keeps every version of a picture."""
    with Image.open(path) as drawn:
        small = drawn.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def work_the_day(shift: Shift, album: Album) -> None:
    """The demo's five stops, as far as there is something to see."""
    stops = {stop.stop_id: stop for stop in shift.work.run.plan.stops} if shift.work.run else {}

    def come_to(stop_id: str) -> None:
        place = stops[stop_id].place
        assert place is not None
        shift.be(position=at(place, speed_mps=0.0), moving=False)
        shift.tick(MINUTE_S)
        assert shift.screen == "stop", shift.screen

    def scan_all(stop_id: str, leave: int = 0) -> None:
        codes = [code for line in stops[stop_id].lines for code in line.codes]
        shift.scan(*codes[: len(codes) - leave])

    album.take("sign-in")
    shift.tap("session.pin", driver="d1", pin="1234")
    for name in ("brakes", "parking_brake", "steering", "lights"):
        shift.tap("check.item", item_id=name, ok=True)
    shift.tap("check.item", item_id="wipers", ok=False)
    album.take("check")
    shift.tap("check.submit", all_ok=True)
    for stop_id in ("s1", "s2", "s3", "s5"):
        scan_all(stop_id)
    shift.tap("load.done")
    first = stops["s1"].place
    assert first is not None
    shift.be(position=at(replace(first, latitude=first.latitude - 0.006, longitude=first.longitude - 0.004), course_deg=30.0, speed_mps=11.0))
    album.take("route")
    shift.be(moving=True)
    album.take("driving-at-night", theme="night")
    come_to("s1")
    album.take("stop")
    shift.tap("pod.start")
    scan_all("s1", leave=1)
    album.take("scan")
    scan_all("s1")
    album.take("photo")
    shift.shoot()
    album.take("signature", sign=True)
    shift.sign()
    shift.tap("pod.rate", stars=5)
    shift.tap("pod.name", relation="recipient", name="M. Kowalska")
    album.take("confirm")
    shift.tap("pod.confirm")
    album.take("undo")
    come_to("s2")
    shift.tap("pod.start")
    shift.shoot()
    shift.tap("pod.name", relation="safe_place")
    shift.tap("pod.confirm")
    shift.tick(MINUTE_S)
    come_to("s3")
    album.take("arabic", lang="ar")
    shift.tap("pod.start")
    scan_all("s3")
    shift.shoot("lamp")
    shift.tap("cash.amount", given=3000)
    shift.tap("cash.method", method="cash")
    album.take("cash")
    shift.tap("pod.back")
    shift.tap("ui.back")
    shift.tap("ui.back")
    shift.tap("exception.start", scope="stop")
    album.take("cannot-deliver")


@contextmanager
def page_of(browser: Browser, shift: Shift) -> Iterator[tuple[Understudy, Glass]]:
    """The real page before that shift."""
    understudy, eye, stop = Understudy(shift), Eye(shift), threading.Event()
    here = at(_depot())
    status = Status(
        unit="van-017",
        at_ms=NINE_MS,
        has_fix=True,
        link="online",
        seq=SeriesStatus(),
        position=PositionStatus(at_ms=NINE_MS, mono_s=1.0, lat_deg=here.lat_deg, lon_deg=here.lon_deg, alt_m=9.0, sats=11),
    )
    web = Web(terminal=understudy, viewfinder=eye, status=lambda: replace(status, at_ms=shift.now.at_ms), port=0,
              px_per_mm=PANEL.px_per_mm, version="0.1.0")  # fmt: skip
    thread = threading.Thread(target=_serve, args=(web, stop), name="web", daemon=True)
    thread.start()
    try:
        glass = Glass(browser, web.url, lambda: understudy.seq, PANEL)
        yield understudy, glass
        glass.close()
    finally:
        stop.set()
        thread.join(10)
        eye.close()
