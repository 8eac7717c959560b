"""A command of the page: read, checked, carried out, and answered in JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from firmware.kiosk.shell import Answer, Terminal
from firmware.kiosk.threads import Threads

LIMIT_BYTES = 1_000_000  # a signature of ten minutes has a tenth of it
ILL_FORMED = 400
ALIVE = "ui.alive"


class Order(msgspec.Struct, frozen=True):
    """What the page asks for."""

    id: Annotated[str, Meta(pattern=r"^[0-9A-Za-z-]{8,64}$(?!\n)")]
    cmd: Annotated[str, Meta(pattern=r"^[a-z]+(\.[a-z_]+)+$(?!\n)", max_length=64)]
    d: dict[str, Any] = {}


class OrderError(ValueError):
    """A message is no command; the sentence says why."""


_decoder = msgspec.json.Decoder(Order)


def read(text: str | bytes) -> Order:
    """The command in one message; OrderError when it is none."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise OrderError(f"this is not a command: {error}") from error
    except RecursionError as error:
        raise OrderError("this is not a command: it is nested too deeply") from error


def refused(order_id: str | None, key: str, status: int, **args: Any) -> dict[str, Any]:
    """What the page hears when it was not done: the key of a text and what goes into it."""
    return {"id": order_id, "err": key, "args": args, "status": status}


def answered(order_id: str | None, answer: Answer, seq: int) -> dict[str, Any]:
    """What became of it; a view with at least this `seq` shows it."""
    if answer.ok:
        return {"id": order_id, "ok": True, "seq": seq}
    return refused(order_id, answer.key or "command.not_now", answer.status, **answer.args)


class Commands:
    """Carries out what the page asks for, whichever way it came."""

    def __init__(self, *, terminal: Terminal, threads: Threads, alive: Callable[[], None]) -> None:
        self._terminal = terminal
        self._threads = threads
        self._alive = alive

    async def obey(self, message: str | bytes) -> dict[str, Any]:
        """The answer to one message, after it was done or refused."""
        try:
            order = read(message)
        except OrderError as error:
            return refused(None, "command.ill_formed", ILL_FORMED, sentence=str(error))
        if order.cmd == ALIVE:
            self._alive()
            return {"id": order.id, "ok": True, "seq": 0}
        return await self._threads.call(lambda: self._carry_out(order))

    def _carry_out(self, order: Order) -> dict[str, Any]:
        answer = self._terminal.command(order.cmd, order.d, command_id=order.id)
        return answered(order.id, answer, self._terminal.seq)
