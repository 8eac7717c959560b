"""A tunnel of IP packets between this machine and its far side, carried by hand: late, slow, lossy, and counted. Needs root."""

from __future__ import annotations

import os
import random
import select
import threading
import time
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from cli.road import packets
from cli.road.far_side import FarSide

PACKET_BYTES = 65_536  # the largest that a device can hand over
QUEUE_BYTES = 64_000  # what a modem holds back before it drops
LOOK_S = 0.1
TURN_PACKETS = 64  # read from one end before the other has its turn


class PacketCount(msgspec.Struct):
    """What the ends have sent into a tunnel; bytes are those of whole IP packets."""

    up_packets: int = 0
    up_bytes: int = 0
    down_packets: int = 0
    down_bytes: int = 0
    lost: int = 0  # of those, the ones that did not arrive: dice, a full queue, a broken connection

    @property
    def bytes(self) -> int:
        """Both ways together: what a mobile contract counts."""
        return self.up_bytes + self.down_bytes


class Tunnel:
    """Carries packets from `near`, an address of this machine, to `far`, one on the far side, and back. Use it in a `with`, or `close` it.

    `rate_bps` (bits a second, each way; None: as fast as it goes), `delay_s` (each way) and `loss` (the part of packets that never
    arrive, each way, drawn from `seed`) may be changed by `pace` while it carries.
    """

    def __init__(self, side: FarSide, *, rate_bps: float | None = None, delay_s: float = 0.0, loss: float = 0.0, seed: int = 1) -> None:
        self._ends = side.connect()
        self.near, self.far = self._ends.near, self._ends.far
        self._lock = threading.Lock()  # of all below: hands come from other threads
        self._rate_bps, self._delay_s, self._loss = rate_bps, delay_s, loss
        self._dice = random.Random(seed)  # noqa: S311  weather, not a secret
        self._silent, self._ended = False, False
        self._count = PacketCount()
        self._lanes = (_Lane(self._ends.near_device, self._ends.far_device), _Lane(self._ends.far_device, self._ends.near_device))
        self._known: dict[bytes, tuple[_Lane, bytes]] = {}  # each flow's last packet, and where it came from
        self._broken: set[bytes] = set()
        self._thread = threading.Thread(target=self._run, name="tunnel", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    # --- hands; when they return it is so

    @property
    def count(self) -> PacketCount:
        """What was sent into it until now."""
        with self._lock:
            return msgspec.structs.replace(self._count)

    def pace(self, *, rate_bps: float | None = None, delay_s: float = 0.0, loss: float = 0.0) -> None:
        """Carry so fast, so late and so badly from now on."""
        with self._lock:
            self._rate_bps, self._delay_s, self._loss = rate_bps, delay_s, loss

    def black_hole(self) -> None:
        """Deliver no packet, also none of those on their way."""
        with self._lock:
            self._silent = True
            for lane in self._lanes:
                self._count.lost += lane.forget()

    def restore(self) -> None:
        """Packets get through again; connections go on, if their ends still want to."""
        with self._lock:
            self._silent = False

    def break_connections(self) -> None:
        """Reset every TCP connection at both ends, as a network does that has forgotten them; new ones get through."""
        with self._lock:
            for lane in self._lanes:
                self._count.lost += lane.forget()
            self._broken = set(self._known)
            for lane, packet in self._known.values():
                lane.send_back(packets.reset(packet))
            self._known.clear()

    def close(self) -> None:
        """The road is gone, with both devices."""
        if self._ended:
            return
        self._ended = True
        self._thread.join()
        self._ends.close()

    # --- the thread

    def _run(self) -> None:
        while not self._ended:
            ready, _, _ = select.select([lane.source for lane in self._lanes], [], [], self._pause_s())
            with self._lock:
                for lane in self._lanes:
                    if lane.source in ready:
                        self._take_turn(lane)
                now_s = time.monotonic()
                for lane in self._lanes:
                    lane.deliver(now_s)

    def _pause_s(self) -> float:
        dues_s = [lane.held[0][0] - time.monotonic() for lane in self._lanes if lane.held]
        return max(0.0, min([LOOK_S, *dues_s]))

    def _take_turn(self, lane: _Lane) -> None:
        for _ in range(TURN_PACKETS):
            try:
                packet = os.read(lane.source, PACKET_BYTES)
            except BlockingIOError:
                return
            if packets.is_ipv4(packet):
                self._take(lane, packet)

    def _take(self, lane: _Lane, packet: bytes) -> None:
        if lane is self._lanes[0]:
            self._count.up_packets, self._count.up_bytes = self._count.up_packets + 1, self._count.up_bytes + len(packet)
        else:
            self._count.down_packets, self._count.down_bytes = self._count.down_packets + 1, self._count.down_bytes + len(packet)
        flow = packets.flow_of(packet)
        if flow in self._broken:
            self._count.lost += 1
            if not packets.is_reset(packet):
                lane.send_back(packets.reset(packet))
            return
        if flow is not None:
            self._known[flow] = (lane, packet)
        if self._silent or self._dice.random() < self._loss or not lane.take(packet, self._rate_bps, self._delay_s):
            self._count.lost += 1


class _Lane:
    """One direction, and what is on its way in it."""

    def __init__(self, source: int, sink: int) -> None:
        self.source, self.sink = source, sink
        self.held: deque[tuple[float, bytes]] = deque()
        self._free_s = 0.0  # until when the line is busy with what is before

    def take(self, packet: bytes, rate_bps: float | None, delay_s: float) -> bool:
        """It is to arrive after all that is before it; False when the queue is full."""
        now_s = time.monotonic()
        if rate_bps is None:
            self._free_s = now_s
        else:
            waits_s = max(0.0, self._free_s - now_s)
            if waits_s * rate_bps / 8 > QUEUE_BYTES:
                return False
            self._free_s = now_s + waits_s + len(packet) * 8 / rate_bps
        self.held.append((self._free_s + delay_s, packet))
        return True

    def forget(self) -> int:
        """What is on its way never arrives; how many packets that were."""
        gone = len(self.held)
        self.held.clear()
        return gone

    def deliver(self, now_s: float) -> None:
        """Hand over what has arrived."""
        while self.held and self.held[0][0] <= now_s:
            _write(self.sink, self.held.popleft()[1])

    def send_back(self, packet: bytes) -> None:
        """Say this to who sends on this lane."""
        _write(self.source, packet)


def _write(device: int, packet: bytes) -> None:
    with suppress(BlockingIOError):  # the device's own queue is full: one more packet lost, as on any road
        os.write(device, packet)
