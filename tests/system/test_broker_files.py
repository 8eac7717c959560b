"""The broker files of mqtt/broker in a real mosquitto: a unit stays among its own topics, the fleet's programs can do their work.

Who gets in at all, and how one is shut out: test_access.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mqtt import messages, topics
from mqtt.link import BrokerLink
from mqtt.messages import Held, Receipt
from mqtt.session import DENIED, NO_SUBSCRIBER, Delivery, Published, Will
from mqtt.topics import By
from tests.system.broker import MOSQUITTO
from tests.system.fleet_rig import FleetBroker

UNITS = ("van-017", "van-018")
ELSEWHERE = ("#", "rp/v1/#", "rp/v1/+/up/#", "rp/v1/+/dn/receipt", "rp/v1/van-018/dn/#", "$SYS/#")
PLAIN = [channel for channel in topics.CHANNELS if channel is not topics.BLOB]

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")

Open = Callable[..., BrokerLink]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetBroker]:
    fleet_broker = FleetBroker(tmp_path_factory.mktemp("broker"))
    for unit in UNITS:
        fleet_broker.enrol(unit)
    fleet_broker.start()
    yield fleet_broker
    fleet_broker.stop()


@pytest.fixture
def opened(broker: FleetBroker) -> Iterator[Open]:
    """Makes connected links that are closed in order at the end."""
    links: list[BrokerLink] = []

    def make(name: str, *filters: str, client_id: str | None = None, will: Will | None = None, **options: Any) -> BrokerLink:
        one = BrokerLink(broker.settings(name), client_id or name, filters, **options)
        links.append(one)
        one.connect(will)
        return one

    yield make
    for one in links:
        one.close(orderly=True)


def answer(one: BrokerLink, topic: str, payload: bytes = b"{}") -> int:
    """The broker's answer to a QoS 1 publish."""
    mid = one.publish(topic, payload, 1)
    while True:
        happening = one.inbox.get(timeout=15)
        if isinstance(happening, Published) and happening.mid == mid:
            return happening.reason


def delivery(one: BrokerLink) -> Delivery:
    while True:
        happening = one.inbox.get(timeout=15)
        if isinstance(happening, Delivery):
            return happening


def receipt(unit: str) -> bytes:
    held = Held(upto=1)
    return messages.encode(Receipt(unit=unit, log="0a1b2c3d", received="2026-03-02T06:30:00.000Z", seq=held, tseq=held))


# --- units


@pytest.mark.parametrize("channel", [channel for channel in PLAIN if channel.by is By.UNIT], ids=lambda one: one.name)
def test_a_unit_publishes_its_own_and_the_receiver_hears_it(channel: topics.Channel, opened: Open) -> None:
    receiver, unit = opened("svc-receiver", topics.receiver_filter()), opened("van-017")
    assert answer(unit, channel.topic("van-017"), b"mine") == 0
    assert (delivery(receiver).topic, channel.kind) == (channel.topic("van-017"), channel.kind)


def test_a_kind_of_a_newer_unit_needs_no_new_rule(opened: Open) -> None:
    receiver, unit = opened("svc-receiver", topics.receiver_filter()), opened("van-017")
    assert answer(unit, "rp/v1/van-017/up/novelty") == 0
    assert delivery(receiver).topic == "rp/v1/van-017/up/novelty"


@pytest.mark.parametrize("channel", PLAIN, ids=lambda one: one.name)
def test_a_unit_publishes_nothing_in_another_ones_name(channel: topics.Channel, opened: Open) -> None:
    assert answer(opened("van-017"), channel.topic("van-018")) == DENIED


@pytest.mark.parametrize("channel", [channel for channel in PLAIN if channel.by is not By.UNIT], ids=lambda one: one.name)
def test_a_unit_publishes_no_receipt_or_command_not_even_to_itself(channel: topics.Channel, opened: Open) -> None:
    assert answer(opened("van-017", *topics.unit_filters("van-017")), channel.topic("van-017"), receipt("van-017")) == DENIED


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_a_unit_hears_nothing_but_what_is_for_it(elsewhere: str, opened: Open) -> None:
    unit, other = opened("van-017", elsewhere, *topics.unit_filters("van-017")), opened("van-018")
    receiver = opened("svc-receiver", topics.receiver_filter())
    assert answer(other, topics.EVENT.topic("van-018")) == 0
    answer(receiver, topics.RECEIPT.topic("van-018"), receipt("van-018"))
    answer(receiver, topics.RECEIPT.topic("van-017"), receipt("van-017"))
    assert delivery(unit).topic == topics.RECEIPT.topic("van-017")


def test_a_units_will_may_be_its_state_and_reaches_the_receiver(opened: Open) -> None:
    receiver = opened("svc-receiver", topics.receiver_filter())
    unit = opened("van-017", will=Will(topics.STATE.topic("van-017"), b"offline", 0))
    unit.close()
    assert delivery(receiver).payload == b"offline"
    opened("van-017").publish(topics.STATE.topic("van-017"), b"", 1, retain=True)  # the will is retained: the next test must not hear it


def test_a_unit_cannot_end_another_ones_session_by_its_client_id(opened: Open) -> None:
    victim = opened("van-018")
    opened("van-017", client_id="van-018")
    assert answer(victim, topics.EVENT.topic("van-018")) in {0, NO_SUBSCRIBER}


def test_a_unit_is_told_the_largest_packet(broker: FleetBroker) -> None:
    unit = BrokerLink(broker.settings("van-017"), "van-017", [])
    assert unit.connect().maximum_packet_bytes == 131_072
    unit.close(orderly=True)


def test_a_unit_that_cannot_name_the_receivers_group_takes_nothing_from_them(opened: Open) -> None:
    receiver, unit = opened("svc-receiver", topics.receiver_filter("known-to-receivers")), opened("van-017")
    thief = opened("van-018", topics.receiver_filter(), topics.receiver_filter("+"), topics.receiver_filter("guessed"))
    for _ in range(4):
        assert answer(unit, topics.EVENT.topic("van-017")) == 0
        assert delivery(receiver).topic == topics.EVENT.topic("van-017")
    assert thief.inbox.empty()


def test_a_unit_in_the_receivers_group_hears_nothing_and_delays_what_it_takes(opened: Open) -> None:
    receiver, unit = opened("svc-receiver", topics.receiver_filter()), opened("van-017")
    thief = opened("van-018", topics.receiver_filter())
    for _ in range(2):  # the second time is the resend after no receipt came
        assert answer(unit, topics.EVENT.topic("van-017")) == 0
    assert delivery(receiver).topic == topics.EVENT.topic("van-017")
    assert thief.inbox.empty()


# --- the fleet's programs


def test_the_receiver_sends_receipts_and_the_unit_hears_its_own(opened: Open) -> None:
    receiver, unit = opened("svc-receiver"), opened("van-017", *topics.unit_filters("van-017"))
    assert answer(receiver, topics.RECEIPT.topic("van-017"), receipt("van-017")) == 0
    assert delivery(unit).payload == receipt("van-017")


@pytest.mark.parametrize("channel", [channel for channel in PLAIN if channel.by is not By.RECEIVER], ids=lambda one: one.name)
def test_the_receiver_publishes_nothing_but_receipts(channel: topics.Channel, opened: Open) -> None:
    assert answer(opened("svc-receiver"), channel.topic("van-017")) == DENIED


@pytest.mark.parametrize("channel", PLAIN, ids=lambda one: one.name)
def test_the_operator_publishes_what_is_an_operators(channel: topics.Channel, opened: Open) -> None:
    told = answer(opened("svc-operator"), channel.topic("van-017"))
    assert (told == DENIED) == (channel.by is not By.OPERATOR)


def test_two_receivers_with_one_user_share_the_load(opened: Open) -> None:
    first, second = (opened("svc-receiver", topics.receiver_filter(), client_id=name) for name in ("receiver-a", "receiver-b"))
    unit = opened("van-017")
    for _ in range(4):
        assert answer(unit, topics.EVENT.topic("van-017")) == 0
    assert [delivery(one).topic for one in (first, second, first, second)] == [topics.EVENT.topic("van-017")] * 4
