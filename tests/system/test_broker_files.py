"""The broker files of mqtt/broker in a real mosquitto: a unit stays among its own topics, the fleet's programs can do their work."""

from __future__ import annotations

import getpass
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mqtt import messages, topics
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.messages import Held, Receipt
from mqtt.session import DENIED, NO_SUBSCRIBER, Delivery, LinkError, LinkState, Lost, Published, Will
from mqtt.topics import By
from tests.system.broker import MOSQUITTO, Mosquitto, free_port
from tests.system.certificates import OPENSSL, Authority

FILES = Path(__file__).resolve().parents[2] / "mqtt" / "broker"
PASSWD = shutil.which("mosquitto_passwd")
UNITS, FLEET = ("van-017", "van-018"), ("receiver", "operator")
ELSEWHERE = ("#", "rp/v1/#", "rp/v1/+/up/#", "rp/v1/+/dn/receipt", "rp/v1/van-018/dn/#", "$SYS/#")
PLAIN = [channel for channel in topics.CHANNELS if channel is not topics.BLOB]

pytestmark = [
    pytest.mark.skipif(MOSQUITTO is None or PASSWD is None, reason="mosquitto is not installed: apt-get install mosquitto"),
    pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed: apt-get install openssl"),
]

Open = Callable[..., BrokerLink]


class FleetBroker:
    """A mosquitto with the project's own files, at other places and ports."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = Authority(folder)
        self._mosquitto = Mosquitto(folder)
        self._fleet_port = free_port()
        self._install()

    def start(self) -> None:
        self._mosquitto.start()

    def stop(self) -> None:
        self._mosquitto.stop()

    def settings(self, name: str, *, port: int | None = None) -> BrokerSettings:
        own = self._mosquitto.port if name in UNITS else self._fleet_port
        return BrokerSettings(
            host="127.0.0.1",
            port=port or own,
            tls_ca=str(self._authority.certificate),
            username=name,
            password_file=str(self._folder / f"{name}.password"),
        )

    @property
    def units_port(self) -> int:
        return self._mosquitto.port

    def forget_user(self, name: str) -> None:
        """What the README says to do with a stolen unit: -D, then reload."""
        self._passwd("-D", str(self._folder / "units.passwd"), name)
        process = self._mosquitto._process
        assert process is not None
        process.send_signal(signal.SIGHUP)

    def _install(self) -> None:
        certificate, key = self._authority.issue("broker")
        (self._folder / "certs").mkdir()
        shutil.copy(certificate, self._folder / "certs" / "broker.pem")
        shutil.copy(key, self._folder / "certs" / "broker.key")
        for rules in ("units.acl", "fleet.acl"):
            shutil.copy(FILES / rules, self._folder)
        for file, names in (("units.passwd", UNITS), ("fleet.passwd", FLEET)):
            (self._folder / file).touch(mode=0o600)
            for name in names:
                self._passwd("-b", str(self._folder / file), name, f"secret of {name}")
                (self._folder / f"{name}.password").write_text(f"secret of {name}\n", encoding="utf-8")
        changes = {
            "/etc/mosquitto/": f"{self._folder}/",
            "/var/lib/mosquitto/": f"{self._folder}/",
            "/run/mosquitto/": f"{self._folder}/",
            "listener 8883\n": f"listener {self._mosquitto.port} 127.0.0.1\n",
            "listener 8884\n": f"listener {self._fleet_port} 127.0.0.1\n",
            "log_dest syslog\n": f"log_dest stderr\nuser {getpass.getuser()}\n",
        }
        text = (FILES / "mosquitto.conf").read_text(encoding="utf-8")
        for ours, here in changes.items():
            assert ours in text
            text = text.replace(ours, here)
        (self._folder / "mosquitto.conf").write_text(text, encoding="utf-8")

    @staticmethod
    def _passwd(*words: str) -> None:
        assert PASSWD is not None
        subprocess.run([PASSWD, *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetBroker]:
    fleet_broker = FleetBroker(tmp_path_factory.mktemp("broker"))
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
    receiver, unit = opened("receiver", topics.receiver_filter()), opened("van-017")
    assert answer(unit, channel.topic("van-017"), b"mine") == 0
    assert (delivery(receiver).topic, channel.kind) == (channel.topic("van-017"), channel.kind)


def test_a_kind_of_a_newer_unit_needs_no_new_rule(opened: Open) -> None:
    receiver, unit = opened("receiver", topics.receiver_filter()), opened("van-017")
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
    receiver = opened("receiver", topics.receiver_filter())
    assert answer(other, topics.EVENT.topic("van-018")) == 0
    answer(receiver, topics.RECEIPT.topic("van-018"), receipt("van-018"))
    answer(receiver, topics.RECEIPT.topic("van-017"), receipt("van-017"))
    assert delivery(unit).topic == topics.RECEIPT.topic("van-017")


def test_a_units_will_may_be_its_state_and_reaches_the_receiver(opened: Open) -> None:
    receiver = opened("receiver", topics.receiver_filter())
    unit = opened("van-017", will=Will(topics.STATE.topic("van-017"), b"offline", 0))
    unit.close()
    assert delivery(receiver).payload == b"offline"
    opened("van-017").publish(topics.STATE.topic("van-017"), b"", 1, retain=True)  # the will is retained: the next test must not hear it


def test_a_unit_cannot_end_another_ones_session_by_its_client_id(opened: Open) -> None:
    victim = opened("van-018")
    opened("van-017", client_id="van-018")
    assert answer(victim, topics.EVENT.topic("van-018")) in {0, NO_SUBSCRIBER}


@pytest.mark.parametrize(("name", "port_of"), [("receiver", "van-017"), ("van-017", "receiver")])
def test_nobody_logs_in_at_the_others_port(name: str, port_of: str, broker: FleetBroker) -> None:
    with pytest.raises(LinkError) as refused:
        BrokerLink(broker.settings(name, port=broker.settings(port_of).port), name, []).connect()
    assert refused.value.state is LinkState.AUTH


def test_nobody_gets_in_without_a_name(broker: FleetBroker) -> None:
    for who in ("van-017", "receiver"):
        with pytest.raises(LinkError) as refused:
            BrokerLink(msgspec.structs.replace(broker.settings(who), username=None), "anybody", []).connect()
        assert refused.value.state is LinkState.AUTH


def test_a_unit_is_told_the_largest_packet(broker: FleetBroker) -> None:
    unit = BrokerLink(broker.settings("van-017"), "van-017", [])
    assert unit.connect().maximum_packet_bytes == 131_072
    unit.close(orderly=True)


def test_a_unit_in_the_receivers_group_hears_nothing_and_delays_what_it_takes(opened: Open) -> None:
    receiver, unit = opened("receiver", topics.receiver_filter()), opened("van-017")
    thief = opened("van-018", topics.receiver_filter())
    for _ in range(2):  # the second time is the resend after no receipt came
        assert answer(unit, topics.EVENT.topic("van-017")) == 0
    assert delivery(receiver).topic == topics.EVENT.topic("van-017")
    assert thief.inbox.empty()


# --- the fleet's programs


def test_the_receiver_sends_receipts_and_the_unit_hears_its_own(opened: Open) -> None:
    receiver, unit = opened("receiver"), opened("van-017", *topics.unit_filters("van-017"))
    assert answer(receiver, topics.RECEIPT.topic("van-017"), receipt("van-017")) == 0
    assert delivery(unit).payload == receipt("van-017")


@pytest.mark.parametrize("channel", [channel for channel in PLAIN if channel.by is not By.RECEIVER], ids=lambda one: one.name)
def test_the_receiver_publishes_nothing_but_receipts(channel: topics.Channel, opened: Open) -> None:
    assert answer(opened("receiver"), channel.topic("van-017")) == DENIED


@pytest.mark.parametrize("channel", PLAIN, ids=lambda one: one.name)
def test_the_operator_publishes_what_is_an_operators(channel: topics.Channel, opened: Open) -> None:
    told = answer(opened("operator"), channel.topic("van-017"))
    assert (told == DENIED) == (channel.by is not By.OPERATOR)


def test_two_receivers_with_one_user_share_the_load(opened: Open) -> None:
    first, second = (opened("receiver", topics.receiver_filter(), client_id=name) for name in ("receiver-a", "receiver-b"))
    unit = opened("van-017")
    for _ in range(4):
        assert answer(unit, topics.EVENT.topic("van-017")) == 0
    assert [delivery(one).topic for one in (first, second, first, second)] == [topics.EVENT.topic("van-017")] * 4


def test_a_stolen_unit_is_shut_out_at_once(tmp_path: Path) -> None:
    broker = FleetBroker(tmp_path)
    broker.start()
    try:
        unit = BrokerLink(broker.settings("van-018"), "van-018", [])
        unit.connect()
        broker.forget_user("van-018")
        assert isinstance(unit.inbox.get(timeout=15), Lost)
        with pytest.raises(LinkError) as refused:
            unit.connect()
        assert refused.value.state is LinkState.AUTH
    finally:
        broker.stop()
