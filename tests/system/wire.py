"""A wire between a client and a broker, with hands: counts the bytes, and can fall silent without hanging up."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

RECEIVE_BYTES = 4096  # a small buffer: what a silent wire still takes in must not look like an answer for long


class Wire:
    """Forwards a loopback port to another one."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self.up_bytes = 0  # from the client to the broker
        self._flows = threading.Event()
        self._flows.set()
        self._ends: list[socket.socket] = [self._listener]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def fall_silent(self) -> None:
        """Forward nothing any more, and hang up on nobody."""
        self._flows.clear()

    def close(self) -> None:
        """Hang up on everybody."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._flows.set()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed, as wanted
            while True:
                client, _ = self._listener.accept()
                broker = socket.create_connection(("127.0.0.1", self._target_port))
                self._ends += [client, broker]
                for source, sink in ((client, broker), (broker, client)):
                    thread = threading.Thread(target=self._pump, args=(source, sink, source is client), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket, up: bool) -> None:
        with contextlib.suppress(OSError):  # one end hung up: so do we
            while chunk := source.recv(RECEIVE_BYTES):
                self._flows.wait()
                self.up_bytes += len(chunk) if up else 0
                sink.sendall(chunk)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """A wire for the length of a test."""
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()
