"""A road of TCP connections between a client and a broker of this machine, with hands: cut, black hole, restore, pace.

It needs no root. What it carries are streams, not packets: it can be slow and late, it can break and fall silent, but it
loses no single packet; for that there is the tunnel.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from types import TracebackType
from typing import Self

import msgspec

ADDRESS = "127.0.0.1"
FAST_READ_BYTES = 65_536
PACED_READ_BYTES = 1_400  # a packet's worth: two connections on a slow road take turns, and a short message follows soon
HELD_BYTES = 65_536  # what is on its way; who sends more waits, as before a modem that is full
LOOK_S = 0.1
CONNECT_S = 2.0


class Carried(msgspec.Struct, frozen=True):
    """What a road has carried since it was opened."""

    connections: int = 0
    up_bytes: int = 0  # from the client
    down_bytes: int = 0


class Road:
    """Leads connections to a port of this machine; its own `port` stays the same through everything. Use it in a `with`, or `close` it.

    `rate_bps` (bits a second, each way, shared by all connections; None: as fast as it goes) and `delay_s` (each way) may be
    changed by `pace` while it carries.
    """

    def __init__(self, target_port: int, *, rate_bps: float | None = None, delay_s: float = 0.0) -> None:
        self._target_port = target_port
        self._rate_bps, self._delay_s = rate_bps, delay_s
        self._listener = socket.create_server((ADDRESS, 0))
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()  # of all below: hands come from other threads
        self._open, self._swallows, self._ended = True, False, False
        self._ways: dict[socket.socket, _Way] = {}  # by the end that they are read from
        self._free_s = {True: 0.0, False: 0.0}  # until when the road upwards and downwards is busy
        self._carried = Carried()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="road", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    # --- hands; when they return it is so

    @property
    def is_cut(self) -> bool:
        """Whether nobody gets through and everybody is hung up on."""
        return not self._open

    @property
    def carried(self) -> Carried:
        """What it has taken so far, also what it swallowed."""
        return self._carried

    def cut(self) -> None:
        """Break every connection, and each new one, until `restore`."""
        with self._lock:
            self._open = False
            self._break()

    def break_connections(self) -> None:
        """Break what is connected now; who connects again gets through."""
        with self._lock:
            self._break()

    def black_hole(self) -> None:
        """Take every byte and deliver none, also of what is on its way; hang up on nobody."""
        with self._lock:
            self._swallows = True
            for way in self._ways.values():
                way.forget()

    def restore(self) -> None:
        """The road is as it was; connections that went through a black hole are broken."""
        with self._lock:
            if self._swallows:
                self._break()
            self._open, self._swallows = True, False

    def pace(self, *, rate_bps: float | None = None, delay_s: float = 0.0) -> None:
        """Carry so fast, and so late, from now on."""
        with self._lock:
            self._rate_bps, self._delay_s = rate_bps, delay_s

    def close(self) -> None:
        """Break everything and end."""
        with self._lock:
            if self._ended:
                return
            self._open, self._ended = False, True
            self._break()
        self._thread.join()
        for end in (*self._ways, self._listener):
            end.close()
        self._selector.close()

    def _break(self) -> None:
        """Hang up on both ends; the thread sees it and clears away."""
        for end, way in self._ways.items():
            way.forget()
            with contextlib.suppress(OSError):  # already hung up, as wanted
                end.shutdown(socket.SHUT_RDWR)

    # --- the thread

    def _run(self) -> None:
        while not self._ended:
            ready = self._selector.select(self._pause_s())
            with self._lock:
                for key, events in ready:
                    assert isinstance(key.fileobj, socket.socket)
                    self._serve(key.fileobj, events)
                self._deliver(time.monotonic())

    def _pause_s(self) -> float:
        with self._lock:
            ways = [] if self._swallows else self._ways.values()
            dues_s = [way.due_s for way in ways if way.due_s is not None and not way.sink_is_full]
        return max(0.0, min([LOOK_S, *(due_s - time.monotonic() for due_s in dues_s)]))

    def _serve(self, end: socket.socket, events: int) -> None:
        if end is self._listener:
            self._accept()
            return
        way = self._ways.get(end)
        if way is None:
            return  # closed with its other end a moment ago
        if events & selectors.EVENT_WRITE:
            self._ways[way.sink].sink_is_full = False
            self._attend(end)
        if events & selectors.EVENT_READ:
            self._read(way)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            broker = socket.create_connection((ADDRESS, self._target_port), CONNECT_S) if self._open else None
        except OSError:
            broker = None
        if broker is None:
            client.close()
            return
        self._carried = msgspec.structs.replace(self._carried, connections=self._carried.connections + 1)
        for end, other in ((client, broker), (broker, client)):
            end.settimeout(0)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ways[end] = _Way(end, other, up=end is client)
            self._selector.register(end, selectors.EVENT_READ)

    def _read(self, way: _Way) -> None:
        try:
            data = way.source.recv(PACED_READ_BYTES if self._rate_bps else FAST_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            way.ended = True
            self._attend(way.source)
            return
        self._count(len(data), up=way.up)
        if not self._swallows:
            way.take(self._due_s(len(data), up=way.up), data)
            self._attend(way.source)

    def _count(self, size: int, *, up: bool) -> None:
        told = self._carried
        self._carried = Carried(told.connections, told.up_bytes + up * size, told.down_bytes + (not up) * size)

    def _due_s(self, size: int, *, up: bool) -> float:
        """When so much has gone through: after all that is before it."""
        now_s = time.monotonic()
        takes_s = size * 8 / self._rate_bps if self._rate_bps else 0.0
        self._free_s[up] = max(now_s, self._free_s[up]) + takes_s if takes_s else now_s
        return self._free_s[up] + self._delay_s

    def _deliver(self, now_s: float) -> None:
        if self._swallows:
            return  # also the news that an end hung up
        for way in list(self._ways.values()):
            if way.source not in self._ways:
                continue  # closed with its other end in this round
            if way.deliver(now_s) and way.ended and not way.held:
                self._close(way)
            else:
                self._attend(way.source)
                self._attend(way.sink)

    def _attend(self, end: socket.socket) -> None:
        """Listen to an end while there is room for what it says, and for its readiness while it is full."""
        out, into = self._ways[end], self._ways[self._ways[end].sink]
        events = (0 if out.ended or out.held_bytes >= HELD_BYTES else selectors.EVENT_READ) | (
            selectors.EVENT_WRITE if into.sink_is_full else 0
        )
        known = self._selector.get_map().get(end)
        if known is not None and known.events == events:
            return
        if known is not None:
            self._selector.unregister(end)
        if events:
            self._selector.register(end, events)

    def _close(self, way: _Way) -> None:
        for end in (way.source, way.sink):
            if end in self._selector.get_map():
                self._selector.unregister(end)
            del self._ways[end]
            end.close()


class _Way:
    """One direction of one connection, and what is on its way in it."""

    def __init__(self, source: socket.socket, sink: socket.socket, *, up: bool) -> None:
        self.source, self.sink, self.up = source, sink, up
        self.held: deque[tuple[float, bytes]] = deque()
        self.held_bytes = 0
        self.ended = False  # its source said its last
        self.sink_is_full = False

    @property
    def due_s(self) -> float | None:
        """When something is to be done for it next, None while there is nothing."""
        return self.held[0][0] if self.held else 0.0 if self.ended else None

    def take(self, due_s: float, data: bytes) -> None:
        """This is to arrive then."""
        self.held.append((due_s, data))
        self.held_bytes += len(data)

    def forget(self) -> None:
        """What is on its way never arrives."""
        self.held.clear()
        self.held_bytes = 0

    def deliver(self, now_s: float) -> bool:
        """Hand over what has arrived; False while the sink takes no more."""
        while self.held and self.held[0][0] <= now_s and not self.sink_is_full:
            due_s, data = self.held.popleft()
            try:
                taken = self.sink.send(data)
            except BlockingIOError:
                taken, self.sink_is_full = 0, True
            except OSError:  # nobody there: the end of this way
                self.ended = True
                self.forget()
                return True
            self.held_bytes -= taken
            if taken < len(data):
                self.held.appendleft((due_s, data[taken:]))
        return not self.sink_is_full
