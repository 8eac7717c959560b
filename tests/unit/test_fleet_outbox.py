"""Receipts on their way to the units."""

from __future__ import annotations

from typing import cast

from fleet.receiver import Outbox
from mqtt.link import BrokerLink
from mqtt.messages import Held, Receipt


class Broker:
    """Takes what is published, and confirms it when the test says so."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    def publish(self, topic: str, payload: bytes, qos: int) -> int:
        assert payload
        assert qos == 1
        self.topics.append(topic)
        return len(self.topics)


def outbox(broker: Broker, window: int) -> Outbox:
    return Outbox(cast("BrokerLink", broker), window)


def receipt(number: int) -> Receipt:
    return Receipt(unit=f"van-{number}", log="0000a001", received="2026-05-04T08:00:00.000Z", seq=Held(upto=0), tseq=Held(upto=0))


def test_no_more_receipts_are_under_way_than_the_broker_allows() -> None:
    broker = Broker()
    box = outbox(broker, window=3)
    for number in range(10):
        box.send(receipt(number))
    assert len(broker.topics) == 3
    box.confirmed(1)
    box.confirmed(3)
    assert len(broker.topics) == 5


def test_every_receipt_leaves_in_order_as_room_is_made() -> None:
    broker = Broker()
    box = outbox(broker, window=1)
    for number in range(5):
        box.send(receipt(number))
    for mid in range(1, 6):
        box.confirmed(mid)
    assert broker.topics == [f"rp/v1/van-{number}/dn/receipt" for number in range(5)]


def test_a_confirmation_of_something_else_makes_no_room() -> None:
    broker = Broker()
    box = outbox(broker, window=1)
    box.send(receipt(0))
    box.send(receipt(1))
    box.confirmed(99)
    assert len(broker.topics) == 1
