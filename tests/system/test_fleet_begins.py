"""A fleet that `fleet init` made is ready: receiver and operator log in with the settings that lie there, a unit is receipted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cli.fleet.place import read_settings
from fleet.dispatch import send_run
from fleet.receiver import receive
from fleet.store import open_store
from mqtt import messages, topics
from mqtt.link import BrokerLink
from mqtt.messages import Event, Receipt, decode, utc_text
from mqtt.session import Delivery, Published
from tests.eventually import eventually
from tests.runs import run, stop
from tests.system.broker import MOSQUITTO
from tests.system.fleet_rig import FleetBroker

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")

UNIT = "van-017"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[FleetBroker]:
    one = FleetBroker(tmp_path)
    one.enrol(UNIT)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def receiver(broker: FleetBroker) -> Iterator[str]:
    """Runs as `roadproof fleet receive --config FOLDER/fleet.toml` does, on a store of its own: its address."""
    url, end = f"sqlite://{broker.folder / 'fleet.db'}", threading.Event()
    wanted = msgspec.structs.replace(read_settings(broker.folder / "fleet" / "fleet.toml"), store=url)
    thread = threading.Thread(target=receive, args=(wanted, end), daemon=True)
    thread.start()
    yield url
    end.set()
    thread.join(15)
    assert not thread.is_alive()


@pytest.fixture
def unit(broker: FleetBroker) -> Iterator[BrokerLink]:
    link = BrokerLink(broker.settings(UNIT), UNIT, topics.unit_filters(UNIT))
    link.connect()
    yield link
    link.close(orderly=True)


def heard(link: BrokerLink) -> Delivery:
    while True:
        happening = link.inbox.get(timeout=15)
        if isinstance(happening, Delivery):
            return happening


def event(seq: int) -> bytes:
    at = utc_text(time.time_ns() // 1_000_000)
    return messages.encode(Event(unit=UNIT, boot="abcdef", log="0a1b2c3d", seq=seq, t=at, src="gnss", mono_ms=1, event="test.event"))


def test_a_units_record_is_receipted(receiver: str, unit: BrokerLink) -> None:
    def taken() -> bool:
        """Whether the receiver listens by now: the broker says when nobody does."""
        mid = unit.publish(topics.EVENT.topic(UNIT), event(1), 1)
        while True:
            happening = unit.inbox.get(timeout=15)
            if isinstance(happening, Published) and happening.mid == mid:
                return happening.reason == 0

    eventually(taken)
    receipt = decode(heard(unit).payload, Receipt)
    assert (receipt.unit, receipt.seq.upto) == (UNIT, 1)
    store = open_store(receiver, writing=False)
    store.open()
    assert [row.unit for row in store.units()] == [UNIT]
    store.close()


def test_an_operators_run_reaches_the_unit(broker: FleetBroker, unit: BrokerLink) -> None:
    operator = read_settings(broker.folder / "fleet" / "operator" / "operator.toml").broker
    sent = send_run(operator, UNIT, run(stop("s1")).plan)
    told = heard(unit)
    assert told.topic == topics.RUN.topic(UNIT)
    assert msgspec.json.decode(told.payload)["n"] == sent.n
