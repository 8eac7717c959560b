"""The worker that serves the page, on this unit's own address only."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from firmware.kiosk import commands
from firmware.kiosk.commands import Commands
from firmware.kiosk.feed import Feed
from firmware.kiosk.guard import Guard
from firmware.kiosk.routes import Routes
from firmware.kiosk.shell import Inspection, Terminal, Viewfinder
from firmware.kiosk.sockets import CameraSocket, PageSocket
from firmware.kiosk.threads import Threads
from firmware.kiosk.workshop import Workshop
from firmware.status import Status

ADDRESS = "127.0.0.1"  # nothing else: a phone in the vehicle's network is no terminal
SLICE_S = 0.5  # how long a step lets the loop run
CLOSE_S = 3  # for the pages to hear the end


class WebError(Exception):
    """The page cannot be served; one sentence."""


class Web:
    """Serves the page; its loop runs on the worker's own thread, a slice a step.

    `status` gives the unit's status and returns at once; `inspection` is None where there is no self-test; `alive` is called when a page
    says that it still draws. With port 0 the system chooses one. WebError when the port is taken.
    """

    name = "web"
    stall_s = 30.0
    may_be_left = True

    def __init__(
        self,
        *,
        terminal: Terminal,
        viewfinder: Viewfinder,
        inspection: Inspection | None,
        status: Callable[[], Status],
        alive: Callable[[], None] = lambda: None,
        port: int,
        px_per_mm: float,
        version: str,
        maps: Path | None = None,
    ) -> None:
        self._terminal = terminal
        self._socket = _bind(port)
        self.port: int = self._socket.getsockname()[1]
        self._threads = Threads()
        panel = {"px_per_mm": px_per_mm, "version": version}
        self._feed = Feed(terminal=terminal, threads=self._threads, status=status, panel=panel)
        orders = Commands(terminal=terminal, threads=self._threads, alive=alive)
        routes = Routes(
            terminal=terminal,
            viewfinder=viewfinder,
            threads=self._threads,
            feed=self._feed,
            commands=orders,
            status=status,
            maps=maps,
        )
        sockets = [
            WebSocketRoute("/ws", PageSocket(self._feed, orders).serve),
            WebSocketRoute("/ws/camera", CameraSocket(viewfinder).serve),
        ]
        workshop = Workshop(inspection=inspection, threads=self._threads).all if inspection else []
        app = Starlette(routes=[*routes.all, *workshop, *sockets])
        self._server = uvicorn.Server(_config(Guard(app, port=self.port)))
        self._runner: asyncio.Runner | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.port}/"

    @property
    def pages(self) -> int:
        """How many look."""
        return self._feed.pages

    def step(self, stop: threading.Event) -> None:
        """Serve for a moment; an error of the server or of a command is raised here and ends the program."""
        runner, serving = self._open()
        if not stop.is_set():
            runner.run(_wait(serving, SLICE_S))
        if self._threads.failure is not None:
            raise self._threads.failure
        if serving.done():
            raise WebError("the page's server has ended by itself") from serving.exception()

    def finish(self) -> None:
        """Say goodbye to the pages, and wait for the command that is under way."""
        if self._runner is not None and self._serving is not None:
            self._server.should_exit = True
            self._runner.run(_wait(self._serving, CLOSE_S + 1))
            self._threads.close()
            self._runner.close()
        self._threads.close()
        self._socket.close()

    def _open(self) -> tuple[asyncio.Runner, asyncio.Task[None]]:
        if self._runner is None or self._serving is None:
            self._runner = asyncio.Runner()
            loop = self._runner.get_loop()
            self._serving = loop.create_task(self._server.serve(sockets=[self._socket]))
            self._terminal.listen(lambda: _tell(loop, self._feed.changed))
        return self._runner, self._serving


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="wsproto",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=commands.LIMIT_BYTES,
        ws_per_message_deflate=False,  # the wire is this machine's memory
        timeout_graceful_shutdown=CLOSE_S,
    )


def _bind(port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only where the protocol is named: without it an answer waits 40 ms for the page's delayed ACK
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
        listener.listen()  # who asks before the first step waits for it
    except OSError as error:
        listener.close()
        why = "another program uses it" if error.errno == errno.EADDRINUSE else error.strerror
        raise WebError(
            f"the terminal's page cannot be served on port {port} of {ADDRESS}: {why}; end that one or set another port"
        ) from error
    return listener


def _tell(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    """Have the loop do it; nothing when it has just closed."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(work)


async def _wait(task: asyncio.Task[None], within_s: float) -> None:
    await asyncio.wait({task}, timeout=within_s)
