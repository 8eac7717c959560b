"""A peer at work: the road from it to the fleet's broker, that broker, and the shore behind it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from cli.errors import UsageError
from cli.faults.peers.broker import Broker
from cli.faults.peers.peer import Kind, Peer
from cli.faults.peers.shore import RULES, Shore
from cli.road.road import Road

FIRST = 10  # records that show that a peer gets through at all, before anything is done to it
FIRST_S = 60.0
# Faster than any vehicle drives, slower than each of them can take: in steps of 50 ms.
STEP, STEP_S = 10, 0.05
MANY = 500  # at once: fewer than the answers that wait in a link's inbox
QUIET_S = 30.0  # nothing new for so long after all is well again: nothing comes any more; the slowest waits 5 to 10 s between attempts
DONE_S = 3.0  # everything is there: what comes once more comes by then
LOOK_S = 0.05


class Count(msgspec.Struct, frozen=True):
    """What became of the records that a peer was fed."""

    fed: int
    lost: int
    twice: int  # came more than once: our receiver would store it once, a ThingsBoard overwrites, a plain subscriber has both


class Stage:
    """All but the peer is up when it is given out."""

    def __init__(self, kind: Kind, folder: Path, broker: Broker, road: Road, shore: Shore) -> None:
        self.broker, self.road, self._shore = broker, road, shore
        self._kind, self._folder = kind, folder
        self._fed = 0

    @contextmanager
    def peer_on(self, kept: Path) -> Iterator[Peer]:
        """The peer at work on what this folder holds; killed at the end."""
        kept.mkdir(exist_ok=True)
        peer = self._kind.make(kept, self._folder / "scratch", self.road.port)
        try:
            peer.start()
            yield peer
        finally:
            peer.close()

    @contextmanager
    def proven_on(self, kept: Path) -> Iterator[Peer]:
        """The same, of which the first records arrived; UsageError when they do not: then no fault would show anything."""
        with self.peer_on(kept) as peer:
            self.feed(peer, FIRST)
            if not self.waited_for(FIRST, FIRST_S):
                raise UsageError(f"{self._kind.name} does not get its first records to the broker; look at what it says with --keep DIR")
            yield peer

    def feed(self, peer: Peer, count: int) -> None:
        """The next records, at an even pace; returns when the peer took them."""
        last = self._fed + count
        while self._fed < last:
            began_s = time.monotonic()
            numbers = range(self._fed + 1, min(self._fed + STEP, last) + 1)
            peer.feed(numbers)
            self._fed = numbers.stop - 1
            time.sleep(max(0.0, began_s + STEP_S - time.monotonic()))

    def feed_at_once(self, peer: Peer, count: int) -> None:
        """The next records, as fast as the peer takes them."""
        while count > 0:
            taken = min(count, MANY)
            peer.feed(range(self._fed + 1, self._fed + taken + 1))
            self._fed, count = self._fed + taken, count - taken

    def arrived(self) -> int:
        """How many different records came."""
        return self._shore.count()

    def waited_for(self, count: int, seconds: float) -> bool:
        """Whether so many came in this time."""
        until_s = time.monotonic() + seconds
        while self.arrived() < count:
            if time.monotonic() > until_s:
                return False
            time.sleep(LOOK_S)
        return True

    def settled(self) -> Count:
        """Wait until everything came, or nothing comes any more."""
        seen, news_s = -1, time.monotonic()
        while (arrived := self.arrived()) < self._fed and time.monotonic() - news_s < QUIET_S:
            if arrived != seen:
                seen, news_s = arrived, time.monotonic()
            time.sleep(LOOK_S)
        time.sleep(DONE_S)
        return counted(self._fed, self._shore.arrived())


def counted(fed: int, arrived: Counter[int]) -> Count:
    """What became of the numbers from 1 on."""
    came = sum(number in arrived for number in range(1, fed + 1))
    return Count(fed=fed, lost=fed - came, twice=sum(times > 1 for times in arrived.values()))


@contextmanager
def staged(kind: Kind, folder: Path, *, keeps: bool = True) -> Iterator[Stage]:
    """The stage of one fault; without `keeps` the fleet's broker stores nothing, and nobody waits for its disk."""
    for name in ("scratch", "shore"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with ExitStack() as ends:
        broker = Broker(folder / "fleet", rules=RULES, keeps=keeps)
        ends.callback(broker.kill)
        broker.start()
        shore = kind.shore(folder / "shore")
        ends.callback(shore.close)
        shore.open(broker.port)
        yield Stage(kind, folder, broker, ends.enter_context(Road(broker.port)), shore)
