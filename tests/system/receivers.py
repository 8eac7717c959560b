"""Receivers for the tests: the real one on a thread, and one that can be made silent, slow or dishonest."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fleet.config import FleetSettings
from fleet.receiver import Receiver, broker_link, receive
from fleet.store import Store, open_store
from mqtt import codec, messages, topics
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.messages import Event, Held, Receipt, State, Track
from mqtt.ranges import Ranges
from mqtt.session import Delivery, LinkError
from tests.eventually import eventually
from tests.system.broker import Mosquitto

T = "2026-12-11T08:00:00.000Z"
Answer = Callable[["StandIn", str], list[bytes]]


class RealReceiver:
    """fleet.receiver, exactly as `roadproof fleet receive` runs it, stoppable and startable."""

    def __init__(self, settings: BrokerSettings, folder: Path) -> None:
        self.url = f"sqlite://{folder / 'fleet.db'}"
        self._settings = FleetSettings(broker=settings, store=self.url, name="receiver-1")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop = threading.Event()
        receiver = Receiver(broker_link(self._settings), open_store(self.url), self._stop)
        self._thread = threading.Thread(target=receiver.run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(15)
            assert not self._thread.is_alive()
        self._thread = None

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = open_store(self.url, writing=False)
        store.open()
        with closing(store):
            yield store


@contextmanager
def receiving(broker: Mosquitto, told: FleetSettings) -> Iterator[None]:
    """A receiver with these settings in a thread; its subscription stands when the block begins."""
    stop, before = threading.Event(), subscriptions(broker)
    thread = threading.Thread(target=receive, args=(told, stop), name="receiver")
    thread.start()
    try:
        eventually(lambda: subscriptions(broker) > before)
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def subscriptions(broker: Mosquitto) -> int:
    """How often a receiver has subscribed at this broker."""
    return broker.log.read_text(encoding="utf-8", errors="replace").count("$share/roadproof/rp/v1/+/up/# (QoS 1)")


@contextmanager
def real_receiver(settings: BrokerSettings, folder: Path) -> Iterator[RealReceiver]:
    receiver = RealReceiver(settings, folder)
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


def honest(self: StandIn, log: str) -> list[bytes]:
    """A receipt for what is held."""
    return [messages.encode(self.receipt(log))]


def silent(_self: StandIn, _log: str) -> list[bytes]:
    """Stores and says nothing."""
    return []


class StandIn:
    """A receiver in memory; what it answers is the test's choice and may change at any moment."""

    def __init__(self, settings: BrokerSettings, unit: str, answer: Answer = honest, name: str = "stand-in") -> None:
        self.answer = answer
        self.stores = True  # False: what comes is lost behind the broker
        self.held: dict[str, dict[str, Ranges]] = {}
        self.fixes: Counter[tuple[str, int]] = Counter()  # (log, tseq) -> how often it came
        self.records: dict[tuple[str, int], bytes] = {}
        self.batches: list[tuple[int, int]] = []
        self.kinds: list[str] = []
        self._settings = settings
        self._unit = unit
        self._link = BrokerLink(settings, name, [topics.receiver_filter()])
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def receipt(self, log: str) -> Receipt:
        held = self.held.setdefault(log, {"seq": Ranges(), "tseq": Ranges()})
        seq, tseq = (Held(upto=one.upto(), also=[list(span) for span in one if span[0] > max(1, one.upto())]) for one in held.values())
        return Receipt(unit=self._unit, log=log, received=T, seq=seq, tseq=tseq)

    def say(self, payload: bytes) -> None:
        """Publish on dn/receipt."""
        self._link.publish(topics.RECEIPT.topic(self._unit), payload, 1)

    def close(self) -> None:
        self._end.set()
        self._thread.join(15)
        self._link.close(orderly=True)

    def _run(self) -> None:
        connected = False
        while not self._end.is_set():
            try:
                if not connected:
                    self._link.connect()
                    connected = True
                happening = self._link.inbox.get(timeout=0.1)
            except queue.Empty:
                continue
            except LinkError:
                self._end.wait(0.1)
                continue
            if isinstance(happening, Delivery):
                self._take(happening)
            elif type(happening).__name__ == "Lost":
                connected = False

    def _take(self, delivery: Delivery) -> None:
        address = topics.parse(delivery.topic)
        assert address is not None
        self.kinds.append(address.name)
        message = codec.unpack(delivery.payload) if address.channel is topics.TRACK else None
        if address.channel in {topics.EVENT, topics.STATE}:
            assert address.channel is not None
            assert address.channel.message is not None
            message = messages.decode(delivery.payload, address.channel.message)  # type: ignore[assignment]
        if message is None or not self.stores:
            return
        self._store(message, delivery.payload)
        if not isinstance(message, State) or message.state == "online":
            for payload in self.answer(self, message.log):
                self.say(payload)

    def _store(self, message: messages.Message, payload: bytes) -> None:
        match message:
            case Track():
                self.batches.append((message.tseq, message.tseq + message.span - 1))
                self.fixes.update((message.log, point.tseq) for point in codec.from_columns(message.cols))
                self._hold(message.log, "tseq", message.tseq, message.span)
            case Event():
                self.records[message.log, message.seq] = payload
                self._hold(message.log, "seq", message.seq, message.span)
            case _:
                pass

    def _hold(self, log: str, series: str, first: int, span: int) -> None:
        self.held.setdefault(log, {"seq": Ranges(), "tseq": Ranges()})[series].add(first, first + span - 1)


@contextmanager
def stand_in(settings: BrokerSettings, unit: str, answer: Answer = honest) -> Iterator[StandIn]:
    receiver = StandIn(settings, unit, answer)
    try:
        yield receiver
    finally:
        receiver.close()
