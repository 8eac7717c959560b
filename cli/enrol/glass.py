"""The screen of a box that waits for its enrolment code, where it has one: a page on its own address, and the browser told where."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from drivers import hardware
from drivers.board import BoardSettings, screen_of
from firmware.box.requests import show_page
from firmware.config import TerminalSettings
from firmware.kiosk.reception import Box, Reception
from firmware.kiosk.server import Web, WebError
from firmware.status import Status
from firmware.terminal.viewfinder import Viewfinder
from firmware.version import VERSION

RUNTIME = Path("/run/roadproof-provision")  # RuntimeDirectory of roadproof-provision.service
READ_S = 30.0  # for the last screen, when nobody taps on: a fingerprint is compared
END_S = 10.0
Tell = Callable[[str], None]


def reception_of(settings: TerminalSettings) -> Reception:
    """What the screen shows, whether there is one or not."""
    box = Box(serial=hardware.serial(), version=VERSION, page_follows=settings.enabled)
    return Reception(box, settings.language)


class Glass:
    """The page being served; `linger` leaves the technician time with the last screen."""

    def __init__(self, web: Web, reception: Reception) -> None:
        self._web = web
        self._reception = reception
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)
        self._thread.start()

    def linger(self) -> None:
        """Until the technician taps on, has gone, or READ_S are over."""
        until_s = time.monotonic() + READ_S
        while self._web.pages and time.monotonic() < until_s:
            if self._reception.went_on.wait(0.2):
                return

    def close(self) -> None:
        """Leave the address to the daemon."""
        self._stop.set()
        self._thread.join(END_S)

    def _serve(self) -> None:
        try:
            while not self._stop.is_set():
                self._web.step(self._stop)
        finally:
            self._web.finish()


@contextmanager
def lit(
    reception: Reception, viewfinder: Viewfinder, board: BoardSettings, settings: TerminalSettings, tell: Tell
) -> Iterator[Glass | None]:
    """The page, where the settings switch it on or a screen is connected; None on a box that has only its console."""
    web = _web(reception, viewfinder, board, settings, tell) if settings.enabled or any(hardware.displays()) else None
    if web is None:
        yield None
        return
    glass = Glass(web, reception)
    with suppress(OSError):  # no folder of the service: then no browser waits for it either
        show_page(RUNTIME, web.url)
    try:
        yield glass
    finally:
        glass.close()


def _web(reception: Reception, viewfinder: Viewfinder, board: BoardSettings, settings: TerminalSettings, tell: Tell) -> Web | None:
    screen = screen_of(board)
    try:
        return Web(
            terminal=reception,
            viewfinder=viewfinder,
            inspection=None,
            status=lambda: Status(at_ms=time.time_ns() // 1_000_000),
            port=settings.port,
            px_per_mm=settings.px_per_mm or screen.width_px / screen.width_mm,
            version=VERSION,
        )
    except WebError as error:  # the console and the stick do without
        tell(str(error))
        return None
