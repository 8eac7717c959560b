"""A unit as the receiver sees it: it publishes by hand and checks every receipt against the contract."""

from __future__ import annotations

import queue
from collections.abc import Callable

from mqtt import codec, schema, topics
from mqtt.codec import TrackPoint
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.messages import Event, Health, JournalHealth, Ledger, Ledgers, Message, Receipt, State, Track, decode, encode
from mqtt.session import Delivery
from tests.eventually import eventually

BOOT, LOG = "abcdef01", "0000a001"
START_MS = 1_777_000_000_000
T = "2026-05-04T08:00:00.000Z"


def ledgers(*, seq: tuple[int, int] = (0, 0), tseq: tuple[int, int] = (0, 0)) -> Ledgers:
    """What a unit knows: for each series the number issued and the number receipted."""
    made = [Ledger(issued=issued, receipted=receipted, waiting=issued - receipted) for issued, receipted in (seq, tseq)]
    return Ledgers(seq=made[0], tseq=made[1])


class HandVan:
    """One unit on the broker; nothing is sent unless the test says so."""

    def __init__(self, settings: BrokerSettings, unit: str = "van-12") -> None:
        self.unit = unit
        self.receipts: list[Receipt] = []
        self._link = BrokerLink(settings, unit, topics.unit_filters(unit))
        self._link.connect()

    def close(self) -> None:
        self._link.close(orderly=True)

    def reconnect(self) -> None:
        self._link.connect()

    def send(self, name: str, payload: bytes, qos: int = 1) -> None:
        """Anything, on any topic below the unit's own."""
        self._link.publish(f"{topics.ROOT}/{self.unit}/{name}", payload, qos)

    def send_message(self, channel: topics.Channel, message: Message) -> None:
        """A message of the contract."""
        payload = codec.pack(message) if isinstance(message, Track) else encode(message)
        assert schema.check(channel.topic(self.unit), payload) == []
        self.send(channel.name, payload)

    def send_track(self, first: int, last: int) -> None:
        points = [TrackPoint(n, START_MS + 1000 * n, 520_000_000 + 10 * n, 134_000_000, speed_cms=900) for n in range(first, last + 1)]
        columns = codec.to_columns(points)
        self.send_message(topics.TRACK, Track(unit=self.unit, boot=BOOT, log=LOG, tseq=first, span=last - first + 1, cols=columns))

    def send_event(self, seq: int) -> None:
        self.send_message(
            topics.EVENT, Event(unit=self.unit, boot=BOOT, log=LOG, seq=seq, t=T, src="gnss", mono_ms=seq, event="trip.start")
        )

    def send_birth(self, session: int = 1, told: Ledgers | None = None) -> None:
        state = State(unit=self.unit, boot=BOOT, log=LOG, session=session, state="online", t=T, ledger=told)
        self.send_message(topics.STATE, state)

    def send_health(self, told: Ledgers, link: str = "online") -> None:
        journal = JournalHealth(used_bytes=1, quota_bytes=2, disk_free_bytes=3)
        health = Health(unit=self.unit, boot=BOOT, log=LOG, t=T, src="gnss", uptime_s=1, ledger=told, journal=journal, link=link)
        self.send_message(topics.HEALTH, health)

    def receipt_where(self, holds: Callable[[Receipt], bool], within_s: float = 15.0) -> Receipt:
        """The first receipt, from those already here on, that satisfies a condition."""
        return eventually(lambda: next(filter(holds, self._read()), None), within_s) or self.receipts[-1]

    def receipt_for(self, *, seq: int = 0, tseq: int = 0) -> Receipt:
        """The receipt that covers both series up to these numbers."""
        return self.receipt_where(lambda receipt: receipt.seq.upto >= seq and receipt.tseq.upto >= tseq)

    def _read(self) -> list[Receipt]:
        while True:
            try:
                happening = self._link.inbox.get(timeout=0.02)
            except queue.Empty:
                return self.receipts
            if isinstance(happening, Delivery):
                assert schema.check(happening.topic, happening.payload) == []
                receipt = decode(happening.payload, Receipt)
                assert isinstance(receipt, Receipt)
                self.receipts.append(receipt)
