"""A stretch of road between a client and a broker, with hands: cut it, let it swallow everything, mend it."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65_536
LOOK_S = 0.05


class Proxy:
    """Forwards a loopback port to another; `port` stays the same through every cut."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._open = True
        self._forwards = threading.Event()
        self._forwards.set()
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        self.cut()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def cut(self) -> None:
        """Break every connection, and each new one, until `restore`."""
        with self._lock:
            self._open = False
        self.break_connections()

    def break_connections(self) -> None:
        """Break what is connected now; who connects again gets through."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def black_hole(self) -> None:
        """Take every byte and deliver none; hang up on nobody."""
        self._forwards.clear()

    def restore(self) -> None:
        """The road is as it was; connections that went through a black hole are broken."""
        if not self._forwards.is_set():
            self.break_connections()
        self._forwards.set()
        with self._lock:
            self._open = True

    def _accept(self) -> None:
        while not self._end.is_set():
            if not select.select([self._listener], [], [], LOOK_S)[0]:
                continue
            client, _ = self._listener.accept()
            try:
                broker = socket.create_connection(("127.0.0.1", self._target_port), 2.0)
            except OSError:
                client.close()
                continue
            with self._lock:
                if self._open:
                    self._pairs.append((client, broker))
                    thread = threading.Thread(target=self._pump, args=(client, broker), daemon=True)
                    self._threads.append(thread)
                    thread.start()
                    continue
            client.close()
            broker.close()

    def _pump(self, client: socket.socket, broker: socket.socket) -> None:
        other = {client: broker, broker: client}
        with contextlib.suppress(OSError), client, broker:
            while not self._end.is_set():
                for end in select.select([client, broker], [], [], LOOK_S)[0]:
                    chunk = end.recv(CHUNK_BYTES)
                    if not chunk:
                        return
                    if self._forwards.is_set():
                        other[end].sendall(chunk)
