"""Somebody who listens beside the receiver and checks every message against the contract, in two ways."""

from __future__ import annotations

import queue
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import jsonschema
import msgspec

from mqtt import schema, topics
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.session import Delivery
from tests.eventually import eventually

VALIDATORS = {
    channel.name: jsonschema.Draft202012Validator(schema.json_schema(channel.message)) for channel in topics.CHANNELS if channel.message
}


def faults_in(topic: str, payload: bytes) -> list[str]:
    """What breaks the contract, by `mqtt.schema.check` and by the JSON Schema that others see."""
    told = [f"{topic}: {fault}" for fault in schema.check(topic, payload)]
    address = topics.parse(topic)
    if address is None or address.channel is None or address.name not in VALIDATORS:
        return told
    try:
        document = msgspec.json.decode(zlib.decompress(payload) if address.channel is topics.TRACK else payload)
    except (zlib.error, ValueError, RecursionError) as error:
        return [*told, f"{topic}: {error}"]
    return told + [f"{topic}: {fault.message}" for fault in VALIDATORS[address.name].iter_errors(document)]


class ContractWatch:
    """Keeps every message it heard; `faults` has a sentence for each that is none of the contract's."""

    def __init__(self, settings: BrokerSettings) -> None:
        self.heard: list[Delivery] = []
        self.faults: list[str] = []
        self._settings = settings
        self._link = BrokerLink(settings, "contract-watch", [f"{topics.ROOT}/#"])
        self._end = threading.Event()
        self._link.connect()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def on(self, channel: topics.Channel) -> list[Delivery]:
        """What came on one channel so far."""
        return [delivery for delivery in self.heard if delivery.topic.endswith(channel.name)]

    def wait_for(self, channel: topics.Channel, count: int = 1, within_s: float = 15.0) -> list[Delivery]:
        """Until so many came on a channel."""
        eventually(lambda: len(self.on(channel)) >= count, within_s)
        return self.on(channel)

    def close(self) -> None:
        self._end.set()
        self._thread.join(5)
        self._link.close(orderly=True)

    def _listen(self) -> None:
        while not self._end.is_set():
            try:
                happening = self._link.inbox.get(timeout=0.1)
            except queue.Empty:
                continue
            if isinstance(happening, Delivery):
                self.heard.append(happening)
                self.faults += faults_in(happening.topic, happening.payload)


@contextmanager
def watched(settings: BrokerSettings, *, liars: bool = False) -> Iterator[ContractWatch]:
    """Watch while the test runs; at its end nothing may have broken the contract (with `liars`: nothing that a unit sent)."""
    watch = ContractWatch(settings)
    try:
        yield watch
    finally:
        watch.close()
    assert watch.heard
    assert [fault for fault in watch.faults if not liars or "/up/" in fault] == []
