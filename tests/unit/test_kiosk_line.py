"""The line between page and unit."""

from __future__ import annotations

import asyncio
import socket

from firmware.kiosk.server import _bind


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
