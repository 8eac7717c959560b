"""Who may talk to the page's server, and what every answer says about itself."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = (
    "default-src 'self'; img-src 'self' blob: data:; worker-src 'self' blob:; style-src 'self'; "
    "object-src 'none'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",  # no other page may even show a photo of ours
}
NAMES = ("127.0.0.1", "localhost")
FOREIGN = "this address is not the terminal's; open http://127.0.0.1:{port}/ on the unit itself"


class BodyError(Exception):
    """A body is longer than it may be."""


class Guard:
    """Lets in only what was addressed to this unit, by a page of its own.

    A name that an attacker points at 127.0.0.1 (DNS rebinding) comes with a foreign Host; a page of another site comes with a
    foreign Origin. Programs that are no browsers send no Origin.
    """

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self._app = app
        self._port = port
        self._hosts = set(_hosts(port))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse with one sentence."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif self._is_ours(scope):
            await self._app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        answer = self._app if self._is_ours(scope) else PlainTextResponse(FOREIGN.format(port=self._port), status_code=403)
        await answer(scope, receive, signed)

    def _is_ours(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        return len(hosts) == 1 and hosts[0].lower() in self._hosts and all(self._is_our_origin(origin) for origin in origins)

    def _is_our_origin(self, origin: str) -> bool:
        scheme, _, host = origin.partition("://")
        return scheme == "http" and host in self._hosts


def _hosts(port: int) -> Iterator[str]:
    for name in NAMES:
        yield f"{name}:{port}"
        if port == 80:  # noqa: PLR2004  the port that a browser leaves out
            yield name


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The whole body; BodyError as soon as it is longer than `limit_bytes`."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit_bytes:
        raise BodyError
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise BodyError
    return bytes(body)
