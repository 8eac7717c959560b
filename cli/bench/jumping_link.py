"""The unit's link on a clock that jumps: it stands still while anything is under way, and what each message cost is counted."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import cast

import msgspec

from mqtt import topics
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.session import Delivery, Happening, Nudge, Published, Session, Will

ANSWER_S = 5.0  # real seconds: what the receiver may take before the day goes on without its receipt
QUIET_S = 0.05  # real seconds: a kernel that has nothing to send with it acknowledges after 40 ms
ASKS_RECEIPT = (topics.STATE, topics.TRACK, topics.EVENT)
PING_BYTES = 2 * (52 + 22 + 2) + 52  # request and answer, each in a TLS record of its own, and the last acknowledgement
CONNECTING = ("connecting", 0)  # and leaving: said without a payload of ours
RECEIPTS, PINGS = "receipt", "ping"
PING_LOOK_S = 1.0  # how often paho looks whether one is due


class Sent(msgspec.Struct, frozen=True):
    """One publish of the day."""

    at_s: float
    channel: str
    payload_bytes: int


class Part(msgspec.Struct, frozen=True):
    """What one kind of message cost of the day, its share of segments, acknowledgements and TLS records included."""

    name: str  # its channel; or what is none
    bytes: float


class Now:
    """Seconds of the day's own clock."""

    def __init__(self) -> None:
        self.s = 0.0


class JumpingLink(BrokerLink):
    """A link that lets the clock jump as soon as nothing is under way: to what the uplink waits for, or to `due_s`.

    `counted` says how many bytes have passed.
    """

    def __init__(self, unit: str, broker: BrokerSettings, now: Now, due_s: Callable[[], float], counted: Callable[[], int]) -> None:
        super().__init__(broker, unit, topics.unit_filters(unit))
        self.shares = _Shares(counted)
        self.sent: list[Sent] = []
        self.receipts: list[int] = []
        self._heard_s: list[float] = []
        self._now = now
        self._due_s = due_s
        self._owed: set[int] = set()
        self._asked = False  # for a receipt
        self._spoken = False  # something was said since the clock jumped
        self._said: list[tuple[str, int]] = []  # since then: channels, and bytes of payload

    def connect(self, will: Will | None = None) -> Session:
        """Start a session; what comes in it goes through the clock."""
        session = super().connect(will)
        self.inbox = cast("queue.Queue[Happening]", _Inbox(self.inbox, self))
        self.shares.share([CONNECTING])
        return session

    def publish(
        self, topic: str, payload: bytes, qos: int, *, retain: bool = False, expiry_s: int | None = None, content_type: str | None = None
    ) -> int:
        """Publish, and note it."""
        address = topics.parse(topic)
        assert address is not None
        self.sent.append(Sent(self._now.s, address.name, len(payload)))
        self._said.append((address.name, len(payload)))
        mid = super().publish(topic, payload, qos, retain=retain, expiry_s=expiry_s, content_type=content_type)
        self._spoken = True
        if qos:
            self._owed.add(mid)
        self._asked = self._asked or address.channel in ASKS_RECEIPT
        return mid

    def take(self, happening: Happening) -> None:
        """Note what came."""
        if isinstance(happening, Nudge):
            return  # by the unit itself
        self._spoken = True
        self._heard_s.append(self._now.s)
        if isinstance(happening, Published):
            self._owed.discard(happening.mid)
        elif isinstance(happening, Delivery):
            self.receipts.append(len(happening.payload))
            self._said.append((RECEIPTS, len(happening.payload)))
            self._asked = bool(self._owed)

    def wait(self, inbox: queue.Queue[Happening], timeout_s: float) -> Happening:
        """What comes while something is under way, in real time; else Empty, and the clock has jumped."""
        patience_s = ANSWER_S if self._owed or self._asked else QUIET_S if self._spoken else 0.0
        with suppress(queue.Empty):
            return inbox.get(block=patience_s > 0, timeout=patience_s)
        if self._said:
            self.shares.share(self._said)
            self._said = []
        self._owed.clear()
        self._asked = self._spoken = False
        self._now.s = max(self._now.s, min(self._now.s + timeout_s, self._due_s()))
        raise queue.Empty

    def pings(self, keepalive_s: float) -> int:
        """How many paho would have sent: it does when for so long nothing went out, or nothing came in."""
        return _pings(sorted(one.at_s for one in self.sent), sorted(self._heard_s), keepalive_s)


class _Shares:
    """Who brought about which bytes of the tunnel: a message its payload, and an equal share of all that went with it."""

    def __init__(self, counted: Callable[[], int]) -> None:
        self._counted, self._before = counted, counted()
        self._bytes: dict[str, float] = {}

    def share(self, said: Sequence[tuple[str, int]]) -> None:
        """What was counted since the last time is theirs."""
        now = self._counted()
        around = (now - self._before - sum(payload for _, payload in said)) / len(said)
        for name, payload in said:
            self._bytes[name] = self._bytes.get(name, 0.0) + payload + around
        self._before = now

    def told(self) -> list[Part]:
        """Everybody's."""
        return [Part(name, count) for name, count in self._bytes.items()]


class _Inbox:
    """What the uplink takes for its link's inbox."""

    def __init__(self, inbox: queue.Queue[Happening], link: JumpingLink) -> None:
        self._inbox, self._link = inbox, link

    def get(self, timeout: float) -> Happening:
        happening = self._link.wait(self._inbox, timeout)
        self._link.take(happening)
        return happening

    def put_nowait(self, happening: Happening) -> None:
        self._inbox.put_nowait(happening)

    def get_nowait(self) -> Happening:
        happening = self._inbox.get_nowait()
        self._link.take(happening)
        return happening

    def empty(self) -> bool:
        return self._inbox.empty()


def _pings(out_s: Sequence[float], in_s: Sequence[float], keepalive_s: float) -> int:
    """Pings that both silences bring about; a ping ends both."""
    last_s, ends_s = {"out": 0.0, "in": 0.0}, max([*out_s[-1:], *in_s[-1:]], default=0.0)
    heard = sorted([(at_s, "out") for at_s in out_s] + [(at_s, "in") for at_s in in_s])
    pings, at_s, index = 0, 0.0, 0
    while at_s < ends_s:
        at_s += PING_LOOK_S
        while index < len(heard) and heard[index][0] <= at_s:
            last_s[heard[index][1]] = heard[index][0]
            index += 1
        if at_s - min(last_s.values()) >= keepalive_s:
            pings += 1
            last_s = dict.fromkeys(last_s, at_s)
    return pings
