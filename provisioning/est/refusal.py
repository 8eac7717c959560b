"""No, as the authority says it over HTTP: a status for any EST client, a kind for ours, a sentence for people, a line for the log."""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from provisioning.authority.errors import CodeError, Why
from provisioning.est import wire
from provisioning.est.errors import Kind

log = logging.getLogger(__name__)

CODES: dict[Why, tuple[HTTPStatus, Kind]] = {
    "unknown": (HTTPStatus.UNAUTHORIZED, "code_unknown"),
    "used": (HTTPStatus.FORBIDDEN, "code_used"),
    "expired": (HTTPStatus.FORBIDDEN, "code_expired"),
    "other_unit": (HTTPStatus.FORBIDDEN, "other_unit"),
    "revoked": (HTTPStatus.FORBIDDEN, "revoked"),
}
WAIT_S = 60


class RefusedError(Exception):
    """A request that is not done; the sentence never holds a code, nor a path of this machine."""

    def __init__(self, status: HTTPStatus, kind: Kind, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.kind = status, kind


def of_code(error: CodeError) -> RefusedError:
    """What a code that is not taken means on the wire."""
    return RefusedError(*CODES[error.why], str(error))


async def answer(request: Request, refusal: Exception) -> Response:
    """The refusal, told and logged; who asked is in the log, what was typed is not."""
    assert isinstance(refusal, RefusedError)
    asked = getattr(request.state, "asked", "somebody")
    address = request.client.host if request.client else "nowhere"
    log.warning("refused %s %s for %s from %s: %s", request.method, request.url.path[:80], asked, address, refusal)
    headers: dict[str, str] = {wire.WHY: refusal.kind}
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="roadproof", charset="UTF-8"'
    if refusal.kind == "busy":
        headers["Retry-After"] = str(WAIT_S)
    return PlainTextResponse(f"{refusal}\n", refusal.status, headers)
