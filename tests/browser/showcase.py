"""The real web server before a stand-in for the driver's job, which shows whatever screen it is told to.

`python -m tests.browser.showcase --port 8123`, then open http://127.0.0.1:8123/?screen=photo&lang=ar&theme=night&hand=left;
`/showcase?screen=...` switches without reloading, `/showcase` alone lists the screens.
"""

from __future__ import annotations

import argparse
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, cast
from urllib.parse import parse_qs

import msgspec
from PIL import Image, ImageDraw
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from drivers.camera.photo import glance
from firmware.kiosk.server import Web
from firmware.kiosk.shell import Viewfinder
from firmware.status import PositionStatus, SeriesStatus, Status
from firmware.terminal.hints import Hint
from firmware.terminal.viewfinder import Mark, Picture
from tests.benches import Bench
from tests.browser import screens

SIZES = {"800x480": 800 / 155, "1024x600": 1024 / 154, "720x1280": 720 / 88}  # pixels to the millimetre


class Reply(NamedTuple):
    """What became of a command."""

    ok: bool = True
    key: str | None = None
    args: dict[str, Any] = {}  # noqa: RUF012  read only
    status: int = 200


class Command(NamedTuple):
    """What a page asked for."""

    name: str
    data: dict[str, Any]
    command_id: str


class StandIn:
    """Shows a screen, remembers every command, and does nothing else; `answers` may say otherwise for a command."""

    def __init__(self) -> None:
        self.seq = 1
        self._listeners: list[Callable[[], None]] = []
        self.reset()

    def reset(self) -> None:
        """As it was made; the pages stay."""
        self.commands: list[Command] = []
        self.pictures: list[bytes] = []
        self.answers: dict[str, Reply] = {}
        self.ballast = ""  # makes the views long
        self.on_command: Callable[[], None] = lambda: None  # what it does before it answers: it may wait, or break
        self.on_view: Callable[[], None] = lambda: None  # the same for a view
        self.wanted: Literal["scan", "photo"] | None = None
        self.shown: dict[str, str] = {"screen": "route", "lang": "en", "theme": "day", "hand": "right"}
        self.changed()

    def show(self, **choice: str) -> None:
        """Show another screen, language, theme or hand."""
        self.shown |= choice
        screen = screens.SCREENS[self.shown["screen"]][0]
        self.wanted = "scan" if screen in {"scan", "load"} else "photo" if screen in {"photo", "exception"} else None
        self.changed()

    def changed(self) -> None:
        """Tell the pages."""
        self.seq += 1
        for listener in self._listeners:
            listener()

    def command(self, name: str, data: dict[str, Any], *, command_id: str) -> Reply:
        self.commands.append(Command(name, data, command_id))
        self.on_command()
        if name in {"ui.theme", "ui.lang", "ui.hand"}:
            key = name.removeprefix("ui.")
            self.show(**{key: str(data.get(key))})
        return self.answers.get(name, Reply())

    def photo(self, jpeg: bytes) -> Reply:
        self.pictures.append(jpeg)
        return Reply()

    def picture(self, sha256: str) -> bytes | None:
        return scene(0) if sha256 == screens.PHOTO else None

    def view(self) -> dict[str, Any]:
        self.on_view()
        return screens.view(**self.shown) | {"ballast": self.ballast}

    def listen(self, callback: Callable[[], None]) -> None:
        self._listeners.append(callback)

    def wants(self) -> Literal["scan", "photo"] | None:
        return self.wanted


class StandInCamera:
    """A new picture each time somebody looks."""

    def __init__(self) -> None:
        self.dropped: list[bytes] = []
        self.looked = 0
        self.hint: Hint | None = None
        self._scenes = [scene(n) for n in range(8)]

    def latest(self) -> Picture:
        self.looked += 1
        left = 200 + 10 * (self.looked % 8)
        mark = Mark(((left, 180), (left + 220, 180), (left + 220, 290), (left, 290)), "00340123450000008812")
        return Picture(self.looked, self._scenes[self.looked % 8], () if self.hint else (mark,), self.hint)

    def drop(self, jpeg: bytes) -> None:
        glance(jpeg)
        self.dropped.append(jpeg)


def scene(n: int) -> bytes:
    """A parcel with a label, 640 x 480."""
    picture = Image.new("RGB", (640, 480), (96, 88, 80))
    pen = ImageDraw.Draw(picture)
    left = 200 + 10 * n
    pen.rectangle((left - 60, 100, left + 300, 380), fill=(176, 138, 94))
    pen.rectangle((left, 180, left + 220, 290), fill="white")
    for bar in range(20):
        pen.rectangle((left + 10 + 10 * bar, 190, left + 12 + 10 * bar + bar % 5, 280), fill="black")
    written = io.BytesIO()
    picture.save(written, "JPEG")
    return written.getvalue()


class Switch:
    """Chooses the screen by the address."""

    def __init__(self, app: ASGIApp, standin: StandIn, panel: dict[str, Any]) -> None:
        self._app = app
        self._standin = standin
        self._panel = panel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in {"/", "/showcase"}:
            asked = {key: values[-1] for key, values in parse_qs(scope["query_string"].decode()).items()}
            size = asked.pop("size", None)
            if asked.get("screen", "route") not in screens.SCREENS or asked.get("lang", "en") not in screens.PLACES:
                await PlainTextResponse("no such screen or language\n", 404)(scope, receive, send)
                return
            if size in SIZES:
                self._panel["px_per_mm"] = SIZES[size]
            if asked or size:
                self._standin.show(**asked)
        if scope["type"] == "http" and scope["path"] == "/showcase":
            await PlainTextResponse(json.dumps({"shown": self._standin.shown, "screens": list(screens.SCREENS)}, indent=1))(
                scope, receive, send
            )
            return
        await self._app(scope, receive, send)


class Showcase:
    """A running server; `web.url` is its address, `standin` the hands."""

    def __init__(
        self, *, port: int = 0, maps: Path | None = None, px_per_mm: float = SIZES["1024x600"], viewfinder: Viewfinder | None = None
    ) -> None:
        self.standin = StandIn()
        self.camera = StandInCamera()
        self.bench = Bench()
        self.alive = 0
        self._status = Status(
            unit="VAN-042",
            at_ms=screens.NOW_MS,
            has_fix=True,
            link="online",
            seq=SeriesStatus(waiting=3),
            position=PositionStatus(at_ms=screens.NOW_MS, mono_s=1.0, lat_deg=52.52, lon_deg=13.405, alt_m=34.0, sats=11),
        )
        self.web = Web(
            terminal=self.standin,
            viewfinder=viewfinder or self.camera,
            inspection=self.bench.inspection,
            status=lambda: self._status,
            alive=self._note,
            port=port,
            px_per_mm=px_per_mm,
            version="0.1.0",
            maps=maps,
        )
        config = self.web._server.config
        config.app = Switch(cast("ASGIApp", config.app), self.standin, self.web._feed._panel)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self.failure: BaseException | None = None

    def reset(self) -> None:
        """Forget what was done to it; the pages stay."""
        self.standin.reset()
        self.camera.dropped.clear()
        self.camera.hint = None
        self.bench.end()
        self.bench.reset()
        self.alive = 0

    def status(self, **changes: Any) -> None:
        """Change the unit's status."""
        self._status = msgspec.structs.replace(self._status, **changes)

    def panel(self, px_per_mm: float) -> None:
        """Serve another panel from the next view on."""
        self.web._feed._panel["px_per_mm"] = px_per_mm

    def __enter__(self) -> Showcase:  # noqa: PYI034  no heirs
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive(), "the web worker does not end"

    def wait(self) -> None:
        """Until the server ends."""
        self._thread.join()

    def _note(self) -> None:
        self.alive += 1

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self.web.step(self._stop)
        except Exception as error:  # noqa: BLE001  kept for the test that looks
            self.failure = error
        self.web.finish()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--maps", type=Path, help="a folder with .pmtiles files")
    chosen = parser.parse_args()
    with Showcase(port=chosen.port, maps=chosen.maps) as showcase:
        print(showcase.web.url)
        showcase.wait()


if __name__ == "__main__":
    main()
