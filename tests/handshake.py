"""A handshake of TLS in memory: whether a client believes a server, without a port or a wait."""

from __future__ import annotations

import ssl
from contextlib import suppress


def shaken(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> str | None:
    """The handshake of the two in memory; the version of TLS that they agreed on."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=host)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for end in (here, there, here, there):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    return here.version()
