"""The real page before a shift that a script plays: the day decides, nothing is stored, and nobody taps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NoReturn

from playwright.sync_api import Browser

from cli.demo.aide import printed, wanted_scene
from drivers.barcode import Decoder
from drivers.camera.photo import view
from drivers.sim import scenes
from firmware.day.machine import wants
from firmware.kiosk.server import Web
from firmware.status import PositionStatus, Status
from firmware.terminal.viewfinder import Mark, Picture
from tests.benches import Bench
from tests.browser.rig import Glass, Panel
from tests.runs import Shift


def nobody(what: str) -> NoReturn:
    """Fail: what is shown is the script's."""
    raise AssertionError(f"nobody {what} while a script plays")


class Understudy:
    """The terminal before the page, of a shift that is played in a script."""

    def __init__(self, shift: Shift) -> None:
        self.seq = 1
        self._shift = shift
        self._listeners: list[Callable[[], None]] = []

    def changed(self) -> None:
        """The script has gone on: draw again."""
        self.seq += 1
        for listener in self._listeners:
            listener()

    def command(self, name: str, data: dict[str, Any], *, command_id: str) -> NoReturn:
        nobody(f"sends {name} {data} as {command_id}")

    def photo(self, jpeg: bytes) -> NoReturn:
        nobody(f"drops a photo of {len(jpeg)} bytes")

    def picture(self, sha256: str) -> NoReturn:
        nobody(f"looks at photo {sha256} again")

    def view(self) -> dict[str, Any]:
        return self._shift.page()

    def listen(self, callback: Callable[[], None]) -> None:
        self._listeners.append(callback)

    def wants(self) -> Literal["scan", "photo"] | None:
        return wants(self._shift.work, self._shift.now)


class Eye:
    """What the demo's driver holds before the camera, with the corners of the codes that the decoder reads in it."""

    def __init__(self, shift: Shift) -> None:
        self._shift = shift
        self._decoder = Decoder()
        self._n = 0
        self._scene: tuple[str, str] | None = None
        self._shown: tuple[bytes, tuple[Mark, ...]] = (b"", ())
        self.asked = threading.Event()  # again, after the newest picture: the page has drawn it

    def latest(self) -> Picture:
        scene = wanted_scene(self._shift.page())
        if scene != self._scene:
            self._scene, self._shown = scene, self._look(*scene)
            self._n += 1
        elif self._n:
            self.asked.set()
        return Picture(self._n, *self._shown)

    def drop(self, jpeg: bytes) -> NoReturn:
        nobody(f"drops a picture of {len(jpeg)} bytes")

    def close(self) -> None:
        self._decoder.close()

    def _look(self, kind: str, text: str) -> tuple[bytes, tuple[Mark, ...]]:
        if kind == "doorstep":
            return view(scenes.doorstep(text)), ()
        jpeg = view(scenes.parcel([printed(text)], lines=["ROADPROOF DEMO", text]))
        return jpeg, tuple(Mark(barcode.corners, barcode.text) for barcode in self._decoder.read_picture(jpeg))


@contextmanager
def staged(browser: Browser, shift: Shift, panel: Panel) -> Iterator[tuple[Understudy, Eye, Glass]]:
    """The page on a panel, who stands in for the terminal, and who for the camera."""
    understudy, eye, stop = Understudy(shift), Eye(shift), threading.Event()
    web = Web(
        terminal=understudy,
        viewfinder=eye,
        inspection=Bench().inspection,
        status=lambda: _status(shift),
        port=0,
        px_per_mm=panel.px_per_mm,
        version="0.1.0",
    )
    thread = threading.Thread(target=_serve, args=(web, stop), name="web", daemon=True)
    thread.start()
    try:
        glass = Glass(browser, web.url, lambda: understudy.seq, panel)
        yield understudy, eye, glass
        glass.close()
    finally:
        stop.set()
        thread.join(10)
        eye.close()


def _status(shift: Shift) -> Status:
    where = shift.now.position
    assert where is not None
    place = PositionStatus(at_ms=shift.now.at_ms, mono_s=1.0, lat_deg=where.lat_deg, lon_deg=where.lon_deg, alt_m=9.0, sats=11)
    return Status(unit="van-017", at_ms=shift.now.at_ms, has_fix=True, link="online", position=place)


def _serve(web: Web, stop: threading.Event) -> None:
    while not stop.is_set():
        web.step(stop)
    web.finish()
