"""What the driver's place asks of the C library and of the network."""

from __future__ import annotations

import asyncio
import ctypes
import socket

import pytest

from firmware.kiosk.server import _bind
from firmware.terminal.memory import limit_arenas


def test_a_c_library_that_knows_no_such_limit_stops_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: object) -> object:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    limit_arenas()
    monkeypatch.setattr(ctypes, "CDLL", nothing)
    limit_arenas()


def test_the_limits_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        asked: list[tuple[int, int]] = []  # noqa: RUF012  one test's

        def mallopt(self, parameter: int, value: int) -> int:
            self.asked.append((parameter, value))
            return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda _: Library())
    limit_arenas()
    assert Library.asked == [(-3, 131_072), (-8, 2)]


def test_an_answer_to_the_page_does_not_wait_for_its_acknowledgement() -> None:
    async def accepted_without_delay() -> int:
        listener = _bind(0)
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(look, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            delayed = await found
            writer.close()
        return delayed

    assert asyncio.run(accepted_without_delay())
