"""Who answers in the authority's place: a server of any certificate and any answer, and a line that breaks after so many bytes."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from provisioning.authority.bench import make_broker

Behaviour = Callable[[socket.socket], None]
PIECE_BYTES = 1024


class Rogue:
    """Answers one connection after the other as its behaviour says; `heard` is what came in over all of them."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._work, name="rogue", daemon=True)

    def _work(self) -> None:
        with suppress(OSError):  # its listener was closed: the end
            while True:
                line, _ = self._listener.accept()
                line.settimeout(10)
                with line, suppress(OSError):  # a client that hangs up is what many of these tests are about
                    self._behave(line)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@contextmanager
def certificate_of_its_own(folder: Path) -> Iterator[ssl.SSLContext]:
    """TLS with a certificate that nobody issued."""
    make_broker(folder, ["127.0.0.1"])
    yield tls(folder / "broker.pem", folder / "broker.key")


def tls(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    """TLS of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def answering(context: ssl.SSLContext, answer: bytes, heard: list[bytes]) -> Behaviour:
    """Over TLS: hear one request, say this, hang up."""

    def behave(line: socket.socket) -> None:
        with context.wrap_socket(line, server_side=True) as secured:
            heard.append(secured.recv(65_536))
            secured.sendall(answer)

    return behave


def http(body: bytes, *, status: str = "200 OK", length: int | None = None, headers: str = "") -> bytes:
    """An answer in HTTP, its length as told."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n{headers}\r\n".encode() + body


def cut_after(count_bytes: int, port: int) -> Behaviour:
    """Relay to a port of this machine, and hang up when so many bytes have come back from there."""

    def behave(line: socket.socket) -> None:
        left = count_bytes
        with socket.create_connection(("127.0.0.1", port), 10) as there:
            while left > 0:
                for ready in select.select([line, there], [], [], 10)[0]:
                    piece = ready.recv(min(PIECE_BYTES, left) if ready is there else PIECE_BYTES)
                    if not piece:
                        return
                    left -= len(piece) if ready is there else 0
                    (line if ready is there else there).sendall(piece)

    return behave
