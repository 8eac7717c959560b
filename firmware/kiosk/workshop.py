"""What the technician's page asks for: how far the self-test is, and to run it, to take a touch test, to sign the report."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from firmware.kiosk.commands import ILL_FORMED, refused
from firmware.kiosk.guard import BodyError, read_body
from firmware.kiosk.shell import Inspection, No
from firmware.kiosk.threads import Threads
from firmware.selftest.finding import Touch
from mqtt.evidence import EvidenceError

log = logging.getLogger(__name__)

LIMIT_BYTES = 1_000
NOT_NOW, CANNOT = 409, 422


class RunAll(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="run"):
    """Test every part."""


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="report"):
    """Sign what was found, and send it to the fleet."""


_decoder = msgspec.json.Decoder(RunAll | Sign | Touch)


class Workshop:
    """The answers; nothing here changes what a driver does."""

    def __init__(self, *, inspection: Inspection, threads: Threads) -> None:
        self._inspection = inspection
        self._threads = threads

    @property
    def all(self) -> list[BaseRoute]:
        """Every address and what answers there."""
        return [Route("/api/v1/selftest", self._look), Route("/api/v1/selftest", self._ask, methods=["POST"])]

    async def _look(self, _: Request) -> Response:
        return _json(await self._threads.call(self._inspection.state))

    async def _ask(self, request: Request) -> Response:
        try:
            wish = _decoder.decode(await read_body(request, LIMIT_BYTES))
        except BodyError:
            return _json(refused(None, "command.ill_formed", 413))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            return _json(refused(None, "command.ill_formed", ILL_FORMED, sentence=str(error)))
        return _json(await self._threads.call(lambda: self._do(wish)))

    def _do(self, wish: RunAll | Sign | Touch) -> dict[str, Any]:
        """How far it is now, or why not."""
        try:
            why = self._done(wish)
        except EvidenceError as error:
            log.warning("the report cannot be signed: %s", error)
            return refused(None, "diag.unsigned", CANNOT, sentence=str(error))
        return self._inspection.state() if why is None else refused(None, why.value, NOT_NOW)

    def _done(self, wish: RunAll | Sign | Touch) -> No | None:
        if isinstance(wish, RunAll):
            return self._inspection.start()
        return self._inspection.report() if isinstance(wish, Sign) else self._inspection.touch(wish)


def _json(value: dict[str, Any]) -> Response:
    status = value["status"] if "err" in value else 200
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
