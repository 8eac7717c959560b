"""What the page can ask for by HTTP."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from drivers.errors import PictureError
from firmware.kiosk import commands, texts
from firmware.kiosk.commands import Commands, answered, refused
from firmware.kiosk.feed import Feed
from firmware.kiosk.guard import BodyError, read_body
from firmware.kiosk.shell import Terminal, Viewfinder
from firmware.kiosk.threads import Threads
from firmware.status import Status
from firmware.terminal.surroundings import checks

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
PICTURE_BYTES = 12_000_000  # a phone's photo
REVALIDATE = {"cache-control": "no-cache"}  # after an update the page must be the new one, all of it
SHA256 = re.compile(r"[0-9a-f]{64}")
MAP_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*\.pmtiles")


class StaticPages(StaticFiles):
    """The page's own files, asked for again each time and answered with 304 while they are the same."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """One of them."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(REVALIDATE)
        return response


class Routes:
    """The answers, one method each."""

    def __init__(
        self,
        *,
        terminal: Terminal,
        viewfinder: Viewfinder,
        threads: Threads,
        feed: Feed,
        commands: Commands,
        status: Callable[[], Status],
        maps: Path | None,
    ) -> None:
        self._terminal = terminal
        self._viewfinder = viewfinder
        self._threads = threads
        self._feed = feed
        self._commands = commands
        self._status = status
        self._maps = maps
        self._texts = {lang: msgspec.json.encode(texts.load(lang)) for lang in texts.LANGUAGES}

    @property
    def all(self) -> list[BaseRoute]:
        """Every address and what answers there."""
        return [
            Route("/", self._index),
            Route("/favicon.ico", _nothing),
            Route("/i18n/{lang}.json", self._language),
            Route("/api/v1/state", self._state),
            Route("/api/v1/diag", self._diag),
            Route("/api/v1/command", self._command, methods=["POST"]),
            Route("/api/v1/picture", self._picture, methods=["POST"]),
            Route("/media/{sha256}", self._media),
            Route("/maps/", self._map_names),
            Route("/maps/{name}", self._map),
            Mount("/static", StaticPages(directory=STATIC)),
        ]

    async def _index(self, _: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers=REVALIDATE)

    async def _language(self, request: Request) -> Response:
        found = self._texts.get(request.path_params["lang"])
        return _not_found("language") if found is None else Response(found, media_type="application/json", headers=REVALIDATE)

    async def _state(self, _: Request) -> Response:
        return _json(await self._feed.view())

    async def _diag(self, _: Request) -> Response:
        status = self._status()
        return _json(msgspec.to_builtins(status) | {"checks": checks(status)})

    async def _command(self, request: Request) -> Response:
        try:
            body = await read_body(request, commands.LIMIT_BYTES)
        except BodyError:
            return _json(refused(None, "command.ill_formed", 413))
        return _json(await self._commands.obey(body))

    async def _picture(self, request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("image/"):
            return _json(refused(None, "picture.not_one", 415))
        try:
            picture = await read_body(request, PICTURE_BYTES)
        except BodyError:
            return _json(refused(None, "picture.too_large", 413))
        return _json(await self._threads.call(lambda: self._use(picture)))

    def _use(self, picture: bytes) -> dict[str, Any]:
        """Give a dropped picture to whoever waits for one."""
        wanted = self._terminal.wants()
        if wanted is None:
            return refused(None, "picture.not_now", 409)
        if wanted == "photo":
            return answered(None, self._terminal.photo(picture), self._terminal.seq)
        try:
            self._viewfinder.drop(picture)
        except PictureError as error:
            log.warning("a dropped picture was not used: %s", error)
            return refused(None, "photo.unreadable", 422)
        return {"id": None, "ok": True, "seq": self._terminal.seq}

    async def _media(self, request: Request) -> Response:
        name = request.path_params["sha256"]
        photo = await self._threads.call(lambda: self._terminal.picture(name)) if SHA256.fullmatch(name) else None
        return _not_found("picture") if photo is None else Response(photo, media_type="image/jpeg")

    async def _map_names(self, _: Request) -> Response:
        folder = self._maps
        found = await self._threads.call(lambda: sorted(path.stem for path in folder.glob("*.pmtiles"))) if folder else []
        return _json({"maps": found})

    async def _map(self, request: Request) -> Response:
        name = request.path_params["name"]
        if self._maps is None or not MAP_NAME.fullmatch(name):
            return _not_found("map")
        path = self._maps / name
        if not await self._threads.call(path.is_file):
            return _not_found("map")
        return FileResponse(path, media_type="application/octet-stream", headers=REVALIDATE)


async def _nothing(_: Request) -> Response:
    return Response(status_code=204)


def _not_found(what: str) -> Response:
    return PlainTextResponse(f"there is no such {what} here", status_code=404)


def _json(value: Any) -> Response:
    """The value as JSON; what was refused says so in the HTTP status too."""
    status = value.get("status", 200) if isinstance(value, dict) and "err" in value else 200
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
