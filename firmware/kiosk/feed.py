"""The newest view, made once for all the pages that show it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from firmware.kiosk.bar import bar
from firmware.kiosk.shell import Terminal
from firmware.kiosk.threads import Threads
from firmware.status import Status

View = dict[str, Any]


class Feed:
    """What the pages show: whole views, of which only the newest counts, so that a slow page misses some and none waits in a queue."""

    def __init__(self, *, terminal: Terminal, threads: Threads, status: Callable[[], Status], panel: dict[str, Any]) -> None:
        self._terminal = terminal
        self._threads = threads
        self._status = status
        self._panel = panel
        self._pages: set[asyncio.Event] = set()
        self._making = asyncio.Lock()
        self._changes = 1
        self._seen = 0  # of the changes, by the newest view
        self._made: View = {}  # by the terminal, with a bar of what only it knows
        self._view: View = {"seq": 0}  # as the page gets it
        self._text = ""

    def changed(self) -> None:
        """Wake every page; on the loop."""
        self._changes += 1
        for page in self._pages:
            page.set()

    @contextmanager
    def page(self) -> Iterator[asyncio.Event]:
        """The bell of one page: rings for its first view and for each newer one."""
        bell = asyncio.Event()
        bell.set()
        self._pages.add(bell)
        try:
            yield bell
        finally:
            self._pages.discard(bell)

    @property
    def pages(self) -> int:
        """How many look."""
        return len(self._pages)

    @property
    def seq(self) -> int:
        """The number of the newest view that was made."""
        return int(self._view["seq"])

    async def view(self) -> View:
        """The newest view, with its number, the bar and the panel."""
        await self._renew()
        return self._view

    async def view_text(self) -> str:
        """The same as the message that a page gets."""
        await self._renew()
        return self._text

    def bar_text(self) -> str:
        """The bar alone, for a screen that has not changed."""
        return _text({"t": "bar", "seq": self._view["seq"], "d": bar(self._status(), self._made)})

    async def _renew(self) -> None:
        async with self._making:
            changes = self._changes  # counted before: a change while it is made asks for another
            if self._seen != changes:
                self._made, self._view, self._text = await self._threads.call(self._make)
                self._seen = changes  # after: the page that asked may go meanwhile, and the next one asks again

    def _make(self) -> tuple[View, View, str]:
        seq = self._terminal.seq  # before the view: it may be newer than its number says, never older
        made = self._terminal.view()
        view = made | {"seq": seq, "bar": bar(self._status(), made), "panel": self._panel}
        return made, view, _text({"t": "view", "seq": seq, "d": view})


def _text(message: dict[str, Any]) -> str:
    return msgspec.json.encode(message).decode()
