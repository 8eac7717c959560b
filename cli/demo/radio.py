"""The mobile network between the van and the broker: a TCP relay that can fall silent like a valley."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

CHUNK_BYTES = 65_536


class Radio:
    """Relays connections to a port of this machine. `enter_dead_zone` cuts them and lets no new one in."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._dead = threading.Event()
        self._end = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._selector = selectors.DefaultSelector()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="radio", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where the unit connects to."""
        return int(self._listener.getsockname()[1])

    @property
    def is_dead(self) -> bool:
        """Whether there is no network."""
        return self._dead.is_set()

    def enter_dead_zone(self) -> None:
        """No network from now on."""
        self._dead.set()

    def leave_dead_zone(self) -> None:
        """The network is back."""
        self._dead.clear()

    def close(self) -> None:
        """End it all."""
        self._end.set()
        self._thread.join()
        for peer in [*self._peers, self._listener]:
            peer.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._end.is_set():
            for key, _ in self._selector.select(0.1):
                if isinstance(key.fileobj, socket.socket):
                    self._serve(key.fileobj)
            if self._dead.is_set():
                for peer in list(self._peers):
                    self._drop(peer)

    def _serve(self, ready: socket.socket) -> None:
        if ready is self._listener:
            self._accept()
            return
        if ready not in self._peers:
            return  # dropped with its peer a moment ago
        try:
            data = ready.recv(CHUNK_BYTES)
            self._peers[ready].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._drop(ready)

    def _accept(self) -> None:
        unit, _ = self._listener.accept()
        if self._dead.is_set():
            unit.close()
            return
        try:
            broker = socket.create_connection(("127.0.0.1", self._broker_port))
        except OSError:
            unit.close()
            return
        for one, other in ((unit, broker), (broker, unit)):
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _drop(self, peer: socket.socket) -> None:
        for end in (peer, self._peers.get(peer)):
            if end is not None and self._peers.pop(end, None) is not None:
                self._selector.unregister(end)
                with contextlib.suppress(OSError):
                    end.close()
