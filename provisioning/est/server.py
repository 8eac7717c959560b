"""The authority's server: one socket, TLS, and a web server that runs on a thread of its own until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from typing import Any

import uvicorn

from provisioning.authority import FleetError
from provisioning.authority.folder import Fleet
from provisioning.est import line
from provisioning.est.doorway import Doorway
from provisioning.est.routes import application

log = logging.getLogger(__name__)

LINES = 64  # at once; the next one is told to come again
QUIET_S = 5  # how long a line stays open for a second request
HANDSHAKE_S = 15.0  # long for a poor radio network
CLOSE_S = 5  # for the requests that are under way at the end


class Server:
    """Serves a fleet's authority at a port, of one address or (with "") of all; with port 0 the system chooses one.

    FleetError when the port is taken, or the server's certificate cannot be used.
    """

    def __init__(self, fleet: Fleet, port: int, *, address: str = "") -> None:
        self._fleet = fleet
        self._tls = self._context()
        self._socket = Doorway(_bind(address, port))
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                application(fleet),
                http=line.PeerProtocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                log_level=logging.WARNING,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # who the client is says its certificate, on this very line
                limit_concurrency=LINES,
                h11_max_incomplete_event_size=16 * 1024,
                timeout_keep_alive=QUIET_S,
                timeout_graceful_shutdown=CLOSE_S,
                ssl_context_factory=lambda *_: self._tls,
            )
        )

    def serve(self) -> None:
        """Answer until `stop`."""
        try:
            with asyncio.Runner(loop_factory=_Loop) as runner:
                runner.run(self._server.serve(sockets=[self._socket]))
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Let the requests that are under way end, and no new ones begin."""
        self._server.should_exit = True

    def take_certificate(self) -> None:
        """Show the certificate that lies in the fleet's folder now, to whoever comes from now on; FleetError leaves the one there was."""
        self._context()  # not into the one at work before it is known to be whole
        self._tls.load_cert_chain(self._fleet.est_pem, self._fleet.est_key)

    def _context(self) -> ssl.SSLContext:
        fleet = self._fleet
        try:
            return line.tls(fleet.est_pem, fleet.est_key, fleet.issuing_pem + fleet.root_pem)
        except OSError as error:  # ssl.SSLError is one too
            told = f"the server's certificate {fleet.est_pem} cannot be used with its key: {error.strerror or error}"
            raise FleetError(f"{told}; make a new one with `roadproof fleet renew-access`") from None


class _Loop(asyncio.SelectorEventLoop):
    """Gives nobody the minute for a handshake that asyncio gives by itself, and uvicorn has no setting for."""

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        return await super().create_server(*args, **options, ssl_handshake_timeout=HANDSHAKE_S)


def _bind(address: str, port: int) -> socket.socket:
    try:
        if address or not socket.has_dualstack_ipv6():
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listener = socket.create_server((address, port), family=family)
        else:
            listener = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError as error:
        why = "another program uses it" if error.errno == errno.EADDRINUSE else (error.strerror or str(error)).lower()
        raise FleetError(f"the authority cannot be served on port {port}: {why}; end that one, or choose another with --port") from None
    # asyncio sets it only where the protocol is named: without it an answer's second packet waits 40 ms for a delayed ACK
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
