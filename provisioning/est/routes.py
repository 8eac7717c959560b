"""What may be asked of the authority over the network, and who may ask it: RFC 7030's paths, the unit's settings, the revocation list."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from cryptography import x509
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from provisioning.authority import CodeError, FleetError
from provisioning.authority.folder import Fleet
from provisioning.est import refusal, wire
from provisioning.est.guesses import Guesses
from provisioning.est.login import Login, typed
from provisioning.est.refusal import RefusedError
from provisioning.est.renewal import Renewal
from provisioning.est.wire import Purpose, WireError

log = logging.getLogger(__name__)

LABELS: tuple[tuple[str, Purpose], ...] = (("", "tls"), ("/tls", "tls"), ("/evidence", "evidence"))
Answer = TypeVar("Answer")
CRL = "application/pkix-crl"  # RFC 2585


def application(fleet: Fleet, *, mono_s: Callable[[], float] = time.monotonic) -> Starlette:
    """The authority as a web application; `request.state.peer` is the client's certificate, DER or None."""
    return Starlette(routes=Routes(fleet, mono_s=mono_s).all, exception_handlers={RefusedError: refusal.answer})


class Routes:
    """The requests that the authority answers. What reads files or signs does so in a thread of its own."""

    def __init__(self, fleet: Fleet, *, mono_s: Callable[[], float]) -> None:
        self._fleet, self._mono_s = fleet, mono_s
        self._renewal = Renewal(fleet)
        self._guesses = Guesses()

    @property
    def all(self) -> list[Route]:
        """Every path, with what answers it."""
        routes = [Route(wire.SETTINGS, self._settings, methods=["GET"]), Route("/crl", self._crl, methods=["GET"])]
        for label, purpose in LABELS:
            root = wire.ROOT + label
            routes += [
                Route(f"{root}/cacerts", self._cacerts, methods=["GET"]),
                Route(f"{root}/simpleenroll", partial(self._enrol, purpose), methods=["POST"]),
                Route(f"{root}/simplereenroll", partial(self._reenrol, purpose), methods=["POST"]),
            ]
        return routes

    async def _cacerts(self, _: Request) -> Response:
        return _certificates(await _done(self._fleet.cacerts))

    async def _enrol(self, purpose: Purpose, request: Request) -> Response:
        login = typed(request)
        with self._counted(request):
            body = await _body(request)
            chain = await _done(partial(self._issued, purpose, login, body))
        log.info("enrolled %s: its certificate for %s", login.unit, purpose)
        return _certificates(x509.load_pem_x509_certificates(chain)[:1])

    def _issued(self, purpose: Purpose, login: Login, body: bytes) -> bytes:
        key = wire.read_csr(body)
        self._renewal.check_one_use(login.unit, purpose, key)
        return self._fleet.enrol(login.unit, login.code, purpose, key)

    async def _reenrol(self, purpose: Purpose, request: Request) -> Response:
        unit = await self._holder(request)
        body = await _body(request)
        chain = await _done(lambda: self._renewal.renewed(unit, purpose, wire.read_csr(body)))
        log.info("renewed %s: its certificate for %s", unit, purpose)
        return _certificates(x509.load_pem_x509_certificates(chain)[:1])

    async def _settings(self, request: Request) -> Response:
        unit = await (self._holder(request) if request.state.peer else self._enrolling(request))
        return Response(await _done(lambda: self._fleet.unit_settings(unit)), media_type="application/json")

    async def _crl(self, _: Request) -> Response:
        return Response(await _done(self._fleet.crl), media_type=CRL)

    async def _enrolling(self, request: Request) -> str:
        """Who logs in with a code that has had a certificate: a unit whose enrolment is under way."""
        login, now = typed(request), datetime.now(UTC)
        with self._counted(request):
            if not await _done(lambda: self._fleet.register.claimed(login.unit, login.code, now)):
                raise RefusedError(HTTPStatus.UNAUTHORIZED, "code_unknown", "no certificate was enrolled with this code by this unit")
        return login.unit

    @contextmanager
    def _counted(self, request: Request) -> Iterator[None]:
        """Wrong codes, by the address that they come from; RefusedError when there were too many."""
        address = request.client.host if request.client else ""
        if self._guesses.enough(address, self._mono_s()):
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "busy", "too many wrong codes from this address: wait a minute")
        try:
            yield
        except RefusedError as refused:
            if refused.kind == "code_unknown":
                self._guesses.wrong(address, self._mono_s())
            raise

    async def _holder(self, request: Request) -> str:
        """Whose certificate the line was opened with."""
        unit = await _done(lambda: self._renewal.holder(request.state.peer))
        request.state.asked = unit
        return unit


async def _done(work: Callable[[], Answer]) -> Answer:
    """Work in a thread; what the authority says no to becomes a refusal."""
    try:
        return await run_in_threadpool(work)
    except CodeError as error:
        raise refusal.of_code(error) from None
    except WireError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "protocol", str(error)) from None
    except FleetError as error:
        log.error("%s", error)  # noqa: TRY400  a sentence for the office; strangers need not know what ails the machine
        raise RefusedError(
            HTTPStatus.INTERNAL_SERVER_ERROR, "protocol", "the authority has trouble of its own: its log says which"
        ) from None


async def _body(request: Request) -> bytes:
    """A certificate request as it came; RefusedError when it says that it is something else, or is too long."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != wire.PKCS10:
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "protocol", f"a certificate request is expected, as {wire.PKCS10}")
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > wire.REQUEST_LIMIT_BYTES:
                raise RefusedError(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "protocol", f"a request has {wire.REQUEST_LIMIT_BYTES} bytes at most"
                )
    except ClientDisconnect:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "protocol", "the line broke off in the middle of the request") from None
    return bytes(body)


def _certificates(certificates: Sequence[x509.Certificate]) -> Response:
    return Response(wire.certs_only(certificates), media_type=wire.CERTS_ONLY, headers={"Content-Transfer-Encoding": "base64"})
