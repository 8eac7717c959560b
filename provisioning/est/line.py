"""The server's end of a line: TLS that asks for a certificate and takes none for an answer, and HTTP that knows whose certificate came."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger(__name__)

LINE_S = 30.0  # a unit asks one thing a line, and this is long for it: nobody keeps one open by saying nothing


class TellingTls(ssl.SSLObject):
    """Sends the alert that says why a client's certificate is refused: asyncio by itself closes without it (Python 3.11 to 3.13)."""

    _refusal: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        """As ssl has it, but for one more turn of asyncio's loop after a refusal, in which the alert leaves."""
        if self._refusal is not None:
            raise self._refusal
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            log.warning("refused a certificate: %s", error.verify_message)
            self._refusal = error
            raise ssl.SSLWantReadError from None


class PeerProtocol(H11Protocol):
    """uvicorn's HTTP with the client's certificate (DER, or None) as `request.state.peer`; a line lives for a while and ends."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Look whose line it is."""
        line = transport.get_extra_info("ssl_object")
        self.app_state: dict[str, Any] = {**self.app_state, "peer": line.getpeercert(binary_form=True) if line else None}
        super().connection_made(transport)
        self._end = self.loop.call_later(LINE_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the line."""
        self._end.cancel()
        super().connection_lost(exc)


def tls(certificate: Path, key: Path, authorities: bytes) -> ssl.SSLContext:
    """TLS of the server; a client's certificate may stay away, else it leads to the authorities (PEM). OSError: a file cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    context.sslobject_class = TellingTls
    # Nobody takes an old session up: with it comes an old look at the certificate, which may have run out since.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    context.load_verify_locations(cadata=authorities.decode())
    context.load_cert_chain(certificate, key)
    return context
