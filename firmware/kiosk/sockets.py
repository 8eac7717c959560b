"""The two sockets of a page: views out and commands in; the camera's pictures out and an ack for each."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from firmware.kiosk.commands import Commands
from firmware.kiosk.feed import Feed
from firmware.kiosk.shell import Picture, Viewfinder

BAR_S = 1.0  # the status bar's clock
SEND_S = 20.0  # a page that takes nothing for so long is gone
ACK_S = 10.0  # a picture that is not drawn by then never will be
LOOK_S = 0.04  # a camera gives at most 25 pictures a second here
PAGES = 8  # the screen, a technician's, and some that were left open
TRY_LATER = 1013
NOTHING_SAID = '{"marks":[],"hint":null}'


class PageSocket:
    """`/ws`: sends each newest view and once a second the bar; obeys one command after the other."""

    def __init__(self, feed: Feed, commands: Commands) -> None:
        self._feed = feed
        self._commands = commands

    async def serve(self, socket: WebSocket) -> None:
        """Serve one page until it goes."""
        await socket.accept()
        if self._feed.pages >= PAGES:
            await socket.close(TRY_LATER)
        else:
            await _until_one_ends(self._tell(socket), self._hear(socket))

    async def _tell(self, socket: WebSocket) -> None:
        sent = None
        with self._feed.page() as bell:
            while True:
                rang = await _rings(bell, BAR_S)
                text = await self._feed.view_text() if rang else self._feed.bar_text()
                if rang:
                    if self._feed.seq == sent:
                        continue  # the bell of a change that the view before this one had seen already
                    sent = self._feed.seq
                await asyncio.wait_for(socket.send_text(text), SEND_S)

    async def _hear(self, socket: WebSocket) -> None:
        while (message := await _receive(socket)) is not None:
            answer = await self._commands.obey(message)
            await asyncio.wait_for(socket.send_text(msgspec.json.encode(answer).decode()), SEND_S)


class CameraSocket:
    """`/ws/camera`: the newest picture, then nothing until the page has drawn it: a slow screen drops pictures instead of queueing them."""

    def __init__(self, viewfinder: Viewfinder) -> None:
        self._viewfinder = viewfinder

    async def serve(self, socket: WebSocket) -> None:
        """Serve one page until it goes."""
        await socket.accept()
        drawn = asyncio.Event()
        await _until_one_ends(self._show(socket, drawn), self._hear(socket, drawn))

    async def _show(self, socket: WebSocket, drawn: asyncio.Event) -> None:
        seen, said = -1, NOTHING_SAID
        while True:
            picture = await self._after(seen)
            seen, new = picture.n, _said(picture)
            if new != said:
                await asyncio.wait_for(socket.send_text(new), SEND_S)
                said = new
            drawn.clear()
            await asyncio.wait_for(socket.send_bytes(picture.jpeg), SEND_S)
            await asyncio.wait_for(drawn.wait(), ACK_S)

    async def _after(self, seen: int) -> Picture:
        while True:
            newest = self._viewfinder.latest()
            if newest is not None and newest.n != seen:
                return newest
            await asyncio.sleep(LOOK_S)

    async def _hear(self, socket: WebSocket, drawn: asyncio.Event) -> None:
        while (message := await _receive(socket)) is not None:
            if message == "ack":
                drawn.set()


def _said(picture: Picture) -> str:
    """What is drawn over it, as the message before it."""
    marks = [{"corners": mark.corners, "text": mark.text} for mark in picture.marks]
    return msgspec.json.encode({"marks": marks, "hint": picture.hint}).decode()


async def _receive(socket: WebSocket) -> str | bytes | None:
    """The next message; None when the page has gone."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        return None
    text: str | bytes | None = message.get("text")
    return (message.get("bytes") or b"") if text is None else text


async def _rings(bell: asyncio.Event, within_s: float) -> bool:
    """Whether it has rung by then; it is silent afterwards."""
    with suppress(TimeoutError):
        await asyncio.wait_for(bell.wait(), within_s)
    rang = bell.is_set()  # it may have rung just when the time was over
    bell.clear()
    return rang


async def _until_one_ends(*talks: Coroutine[Any, Any, None]) -> None:
    """Run both sides of a conversation; when one ends, or the page goes or stays silent, so does the other."""
    tasks = [asyncio.create_task(talk) for talk in talks]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, WebSocketDisconnect | TimeoutError | asyncio.CancelledError):
            raise end
