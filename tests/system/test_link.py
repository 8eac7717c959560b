"""The way to a real broker: every failure is told apart, and nothing that happens is lost or held for ever."""

from __future__ import annotations

import gc
import glob
import json
import os
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from mqtt import link, topics
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.session import DENIED, NO_SUBSCRIBER, Delivery, LinkError, LinkState, Lost, Nudge, Published, Refused, Will
from tests.eventually import eventually
from tests.system.broker import MOSQUITTO, Mosquitto, free_port
from tests.system.wire import wire_to

EVENT = topics.EVENT.topic("van-017")
STATE = topics.STATE.topic("van-017")
FLEET = "rp/v1/+/up/#"
DYNAMIC_SECURITY = glob.glob("/usr/lib/*/mosquitto_dynamic_security.so")  # noqa: PTH207  one fixed place
NOBODY_MAY = {"publishClientSend": False, "publishClientReceive": True, "subscribe": False, "unsubscribe": True}
NAME = "van-017"

Open = Callable[..., BrokerLink]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Makes links that are closed at the end."""
    links: list[BrokerLink] = []

    def make(settings: BrokerSettings, name: str = NAME, filters: tuple[str, ...] = (), **options: Any) -> BrokerLink:
        links.append(BrokerLink(settings, name, filters, **options))
        return links[-1]

    yield make
    for one in links:
        one.close()


@contextmanager
def mosquitto(folder: Path, *lines: str, persistence: Path | None = None) -> Iterator[Mosquitto]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    broker = Mosquitto(folder, lines=lines, persistence=persistence)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """A port that accepts, and says this and hangs up, or nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1024)
                client.sendall(answer or b"")

        if answer is not None:
            threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def local(port: int, **changes: Any) -> BrokerSettings:
    return msgspec.structs.replace(BrokerSettings(host="127.0.0.1", port=port, tls=False), **changes)


def refusal(one: BrokerLink) -> LinkError:
    with pytest.raises(LinkError) as refused:
        one.connect()
    assert "\n" not in str(refused.value)
    return refused.value


def next_of(one: BrokerLink, kind: type[Any], within_s: float = 15.0) -> Any:
    """The next happening of a kind; others are passed over."""
    while True:
        happening = one.inbox.get(timeout=within_s)
        if isinstance(happening, kind):
            return happening


def drained(one: BrokerLink) -> list[Any]:
    found = []
    while True:
        try:
            found.append(one.inbox.get_nowait())
        except queue.Empty:
            return found


# --- the name and the port


def test_a_name_without_an_address_is_dns(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    refused = refusal(opened(local(8883, host="broker.invalid", tls=True)))
    assert refused.state is LinkState.DNS
    assert "broker.invalid has no address" in str(refused)


@pytest.mark.parametrize("host", ["broker..example.org", "b" * 64 + ".example.org"])
def test_a_name_that_cannot_be_one_is_dns(host: str, opened: Open) -> None:
    assert refusal(opened(local(8883, host=host, tls=True))).state is LinkState.DNS


def test_a_port_where_nobody_listens_is_tcp(opened: Open) -> None:
    refused = refusal(opened(local(free_port())))
    assert refused.state is LinkState.TCP
    assert "connection refused" in str(refused)


@pytest.mark.parametrize("tls", [False, True])
def test_a_port_that_never_answers_is_tcp(tls: bool, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "ANSWER_S", 0.3)
    with listening(None) as port:
        assert refusal(opened(local(port, tls=tls))).state is LinkState.TCP


def test_a_web_server_is_no_broker(opened: Open) -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        refused = refusal(opened(local(port)))
    assert refused.state is LinkState.TCP
    assert "is it an MQTT 5 broker?" in str(refused)


def test_a_broker_that_knows_only_mqtt_3_is_told_so(opened: Open) -> None:
    with listening(b"\x20\x02\x00\x01") as port:  # CONNACK of MQTT 3.1.1: unacceptable protocol version
        assert "does not speak MQTT 5" in str(refusal(opened(local(port))))


def test_a_busy_broker_is_no_wrong_password(opened: Open) -> None:
    with listening(b"\x20\x03\x00\x89\x00") as port:  # CONNACK of MQTT 5: server busy
        refused = refusal(opened(local(port)))
    assert refused.state is LinkState.TCP
    assert "server busy" in str(refused)


# --- the login and the access rules


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker that knows one user, and lets it publish events alone."""
    folder = tmp_path_factory.mktemp("guarded")
    passwords, rules = folder / "passwords", folder / "rules"
    passwords.write_text(f"{NAME}:secret\n", encoding="utf-8")
    passwords.chmod(0o600)
    rules.write_text(f"user {NAME}\ntopic write {EVENT}\ntopic read rp/v1/{NAME}/dn/#\n", encoding="utf-8")
    hash_them = ("mosquitto_passwd", "-U", str(passwords))
    assert os.spawnvp(os.P_WAIT, hash_them[0], hash_them) == 0  # noqa: S606
    with mosquitto(folder, "allow_anonymous false", f"password_file {passwords}", f"acl_file {rules}") as broker:
        yield broker


def login(broker: Mosquitto, folder: Path, password: bytes) -> BrokerSettings:
    file = folder / "password"
    file.write_bytes(password)
    return local(broker.port, username=NAME, password_file=str(file))


@pytest.mark.parametrize("password", [b"wrong\n", b""])
def test_a_wrong_password_is_auth(password: bytes, guarded: Mosquitto, opened: Open, tmp_path: Path) -> None:
    refused = refusal(opened(login(guarded, tmp_path, password)))
    assert refused.state is LinkState.AUTH
    assert "refuses the login" in str(refused)


def test_no_user_name_is_auth(guarded: Mosquitto, opened: Open) -> None:
    assert refusal(opened(local(guarded.port))).state is LinkState.AUTH


def test_a_password_file_that_cannot_be_read_is_auth_and_named(opened: Open, tmp_path: Path) -> None:
    refused = refusal(opened(local(1883, tls=True, username=NAME, password_file=str(tmp_path / "none"))))
    assert refused.state is LinkState.AUTH
    assert f"{tmp_path / 'none'}: no such file" in str(refused)


def test_a_password_that_is_no_text_is_auth(guarded: Mosquitto, opened: Open, tmp_path: Path) -> None:
    assert refusal(opened(login(guarded, tmp_path, b"\xff\xfe"))).state is LinkState.AUTH


def test_the_first_line_of_the_file_is_the_password(guarded: Mosquitto, opened: Open, tmp_path: Path) -> None:
    assert opened(login(guarded, tmp_path, b"secret\nand a remark\n")).connect().receive_maximum > 0


def test_a_topic_that_the_broker_denies_is_answered_with_135(guarded: Mosquitto, opened: Open, tmp_path: Path) -> None:
    unit = opened(login(guarded, tmp_path, b"secret"))
    unit.connect()
    allowed, denied = unit.publish(EVENT, b"{}", 1), unit.publish(STATE, b"{}", 1)
    answers = {answer.mid: answer.reason for answer in (next_of(unit, Published), next_of(unit, Published))}
    assert answers == {allowed: NO_SUBSCRIBER, denied: DENIED}


@pytest.mark.skipif(not DYNAMIC_SECURITY, reason="mosquitto's dynamic security plugin is not installed: apt-get install mosquitto")
def test_a_subscription_that_the_broker_denies_is_told_by_its_topic(opened: Open, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"defaultACLAccess": NOBODY_MAY, "clients": [], "groups": [], "roles": []}), encoding="utf-8")
    with mosquitto(tmp_path, f"plugin {DYNAMIC_SECURITY[0]}", f"plugin_opt_config_file {rules}") as broker:
        unit = opened(broker.settings, filters=("rp/v1/van-018/dn/receipt",))
        unit.connect()
        refused = next_of(unit, Refused)
    assert "refuses the subscription to rp/v1/van-018/dn/receipt" in refused.sentence


# --- what happens in a session


def test_a_publish_without_a_subscriber_is_answered_with_16(broker: Mosquitto, opened: Open) -> None:
    unit = opened(broker.settings)
    unit.connect()
    mid = unit.publish(EVENT, b"{}", 1)
    assert next_of(unit, Published) == Published(mid, NO_SUBSCRIBER)


def test_a_publish_with_a_subscriber_is_taken_and_delivered(broker: Mosquitto, opened: Open) -> None:
    fleet, unit = opened(broker.settings, "fleet", (topics.receiver_filter(),)), opened(broker.settings)
    fleet.connect()
    unit.connect()
    mid = unit.publish(EVENT, b"payload", 1)
    assert next_of(unit, Published) == Published(mid, 0)
    delivery = next_of(fleet, Delivery)
    assert (delivery.topic, delivery.payload, delivery.qos, delivery.retained) == (EVENT, b"payload", 1, False)


def test_the_will_is_published_when_a_unit_falls_silent(broker: Mosquitto, opened: Open) -> None:
    fleet, unit = opened(broker.settings, "fleet", (FLEET,)), opened(broker.settings)
    fleet.connect()
    unit.connect(Will(STATE, b"offline", 0))
    unit.close()
    assert next_of(fleet, Delivery).payload == b"offline"
    late = opened(broker.settings, "late", (FLEET,))
    late.connect()
    assert next_of(late, Delivery).retained  # who comes late hears of it too


def test_the_will_is_not_published_after_an_orderly_close(broker: Mosquitto, opened: Open) -> None:
    fleet, unit, other = opened(broker.settings, "fleet", (FLEET,)), opened(broker.settings), opened(broker.settings, "other")
    fleet.connect()
    unit.connect(Will(STATE, b"offline", 0))
    unit.publish(STATE, b"asleep", 1, retain=True)
    unit.close(orderly=True)
    other.connect()
    other.publish(EVENT, b"later", 1)
    assert [next_of(fleet, Delivery).payload for _ in range(2)] == [b"asleep", b"later"]


def test_expiry_content_type_and_retain_arrive(broker: Mosquitto, opened: Open) -> None:
    arrived: queue.Queue[Any] = queue.Queue()
    listener = Client(CallbackAPIVersion.VERSION2, "listener", protocol=MQTTv5)
    listener.on_connect = lambda client, *_: client.subscribe(FLEET, 1)
    listener.on_message = lambda _client, _data, message: arrived.put(message)
    unit = opened(broker.settings)
    unit.connect()
    unit.publish(topics.TRACK.topic(NAME), b"columns", 1, retain=True, expiry_s=3600, content_type=topics.TRACK_CONTENT)
    next_of(unit, Published)
    listener.connect("127.0.0.1", broker.port)
    listener.loop_start()
    message = arrived.get(timeout=15)
    listener.disconnect()
    listener.loop_stop()
    assert message.properties.ContentType == topics.TRACK_CONTENT
    assert 3590 <= message.properties.MessageExpiryInterval <= 3600
    assert message.retain


def test_what_is_let_go_waits_for_nothing_to_share_its_segment(broker: Mosquitto, opened: Open) -> None:
    link = opened(broker.settings)
    link.connect()
    assert link._client is not None
    line = link._client.socket()
    assert isinstance(line, socket.socket)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    link.let_go()
    assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_CORK) == 0


def test_a_topics_second_publish_goes_by_its_alias(broker: Mosquitto, opened: Open) -> None:
    with wire_to(broker.port) as wire:
        unit = opened(local(wire.port))
        assert unit.connect().topic_aliases > 0
        costs = []
        for _ in range(3):
            before = wire.up_bytes
            unit.publish(EVENT, b"0123456789", 1)
            next_of(unit, Published)
            costs.append(wire.up_bytes - before)
        unit.close()
    assert costs[0] - costs[1] == len(EVENT)
    assert costs[1] == costs[2]


def test_more_topics_than_the_broker_has_aliases_all_arrive_under_their_names(broker: Mosquitto, opened: Open) -> None:
    fleet, unit = opened(broker.settings, "fleet", (FLEET,)), opened(broker.settings)
    fleet.connect()
    names = [f"rp/v1/van-{number}/up/event" for number in range(unit.connect().topic_aliases + 5)]
    for name in names * 2:
        unit.publish(name, name.encode(), 1)
    delivered = [next_of(fleet, Delivery) for _ in names * 2]
    assert [(one.topic, one.payload) for one in delivered] == [(name, name.encode()) for name in names * 2]


def test_a_photos_pieces_leave_the_aliases_to_the_topics_that_come_again(broker: Mosquitto, opened: Open) -> None:
    with wire_to(broker.port) as wire:
        unit = opened(local(wire.port))
        for number in range(unit.connect().topic_aliases + 5):
            unit.publish(topics.blob_topic(NAME, "ab" * 32, number * topics.BLOB_CHUNK_BYTES), b"piece", 1)
            next_of(unit, Published)
        costs = []
        for _ in range(2):
            before = wire.up_bytes
            unit.publish(EVENT, b"0123456789", 1)
            next_of(unit, Published)
            costs.append(wire.up_bytes - before)
        unit.close()
    assert costs[0] - costs[1] == len(EVENT)


def test_aliases_begin_anew_with_each_session(broker: Mosquitto, opened: Open) -> None:
    fleet, unit = opened(broker.settings, "fleet", (FLEET,)), opened(broker.settings)
    fleet.connect()
    for payload in (b"first session", b"second session"):
        unit.connect()
        unit.publish(EVENT, payload, 1)
        assert next_of(fleet, Delivery).payload == payload


def test_what_was_not_acknowledged_comes_again_to_the_kept_session(broker: Mosquitto, opened: Open) -> None:
    fleet = opened(broker.settings, "fleet", (FLEET,), session_expiry_s=600, clean_start=False, manual_ack=True)
    unit = opened(broker.settings)
    fleet.connect()
    unit.connect()
    for payload in (b"stored", b"not stored"):
        unit.publish(EVENT, payload, 1)
    stored, _ = next_of(fleet, Delivery), next_of(fleet, Delivery)
    fleet.acknowledge(stored)
    assert fleet.flush(5.0)
    eventually(lambda: f"Received PUBACK from fleet (Mid: {stored.mid}" in broker.log.read_text(encoding="utf-8"))
    fleet.close()
    fleet.connect()
    assert next_of(fleet, Delivery).payload == b"not stored"


def test_acknowledging_after_the_end_does_nothing(broker: Mosquitto, opened: Open) -> None:
    fleet = opened(broker.settings, "fleet", (FLEET,), manual_ack=True)
    fleet.connect()
    fleet.publish(EVENT, b"to myself", 1)
    delivery = next_of(fleet, Delivery)
    fleet.close()
    fleet.acknowledge(delivery)


def test_publishing_without_a_session_is_refused(broker: Mosquitto, opened: Open) -> None:
    unit = opened(broker.settings)
    with pytest.raises(LinkError, match="no session"):
        unit.publish(EVENT, b"{}", 1)
    unit.connect()
    unit.close()
    with pytest.raises(LinkError, match="no session"):
        unit.publish(EVENT, b"{}", 1)


def test_the_broker_grants_what_it_is_configured_for(opened: Open, tmp_path: Path) -> None:
    with mosquitto(tmp_path, "max_packet_size 20000", "max_inflight_messages 7") as broker:
        session = opened(broker.settings).connect()
    assert (session.maximum_packet_bytes, session.receive_maximum) == (20_000, 7)


# --- how a session ends


def test_a_broker_that_ends_is_noticed(broker: Mosquitto, opened: Open) -> None:
    unit = opened(broker.settings)
    unit.connect()
    broker.kill()
    lost = next_of(unit, Lost)
    assert not lost.by_broker
    assert lost.sentence == f"the connection to {unit.place} broke off"


def test_a_second_client_of_the_same_name_ends_the_first_ones_session(broker: Mosquitto, opened: Open) -> None:
    first, second = opened(broker.settings), opened(broker.settings)
    first.connect()
    second.connect()
    assert next_of(first, Lost)


def test_a_broker_that_says_why_it_ends_a_session_is_quoted(opened: Open) -> None:
    with listening(b"\x20\x03\x00\x00\x00\xe0\x01\x8e") as port:  # CONNACK, then DISCONNECT: session taken over
        unit = opened(local(port))
        unit.connect()
        lost = next_of(unit, Lost)
    assert lost.by_broker
    assert lost.sentence == f"the connection to 127.0.0.1:{port} ended: Session taken over"


def test_a_peer_that_takes_no_more_bytes_is_given_up(broker: Mosquitto, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtt.wire.DEAD_PEER_MS", 500)
    with wire_to(broker.port) as wire:
        unit = opened(local(wire.port, keepalive_s=600))
        unit.connect()
        wire.fall_silent()
        unit.publish(EVENT, b"x" * 8_000_000, 1)  # more than all buffers on the way
        assert next_of(unit, Lost)
        unit.close()


def test_a_peer_that_answers_no_ping_is_given_up(broker: Mosquitto, opened: Open) -> None:
    with wire_to(broker.port) as wire:
        unit = opened(local(wire.port, keepalive_s=1))
        unit.connect()
        wire.fall_silent()
        assert next_of(unit, Lost)
        unit.close()


def test_closing_towards_a_silent_peer_does_not_hang(broker: Mosquitto, opened: Open) -> None:
    with wire_to(broker.port) as wire:
        unit = opened(local(wire.port))
        unit.connect()
        wire.fall_silent()
        unit.publish(EVENT, b"x" * 8_000_000, 1)
        eventually(lambda: not unit.flush(0.1))
        unit.close(orderly=True)
    assert threads_of_paho() == 0


def test_closing_with_a_full_inbox_does_not_hang(broker: Mosquitto, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "INBOX_LIMIT", 3)
    fleet, unit = opened(broker.settings, "fleet", (FLEET,)), opened(broker.settings)
    fleet.connect()
    unit.connect()
    for _ in range(20):
        unit.publish(EVENT, b"{}", 0)
    eventually(fleet.inbox.full)
    fleet.close(orderly=True)
    unit.close()
    assert threads_of_paho() == 0


def test_a_full_inbox_loses_nothing_while_the_session_lasts(broker: Mosquitto, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet, unit = opened(broker.settings, "fleet", (FLEET,)), opened(broker.settings)
    unit.connect()
    monkeypatch.setattr(link, "INBOX_LIMIT", 3)
    fleet.connect()
    for number in range(20):
        unit.publish(EVENT, str(number).encode(), 1)
    eventually(fleet.inbox.full)
    assert [next_of(fleet, Delivery).payload for _ in range(20)] == [str(number).encode() for number in range(20)]


def test_fifty_sessions_leave_no_thread_and_no_descriptor_behind(broker: Mosquitto, opened: Open) -> None:
    unit, nowhere = opened(broker.settings), opened(local(free_port()))
    unit.connect()
    unit.close()
    before = descriptors()
    for number in range(50):
        unit.connect()
        unit.publish(EVENT, b"{}", 1)
        next_of(unit, Published)
        unit.close(orderly=bool(number % 2))
        refusal(nowhere)
    assert threads_of_paho() == 0
    gc.collect()
    assert descriptors() <= before


def threads_of_paho() -> int:
    return sum("paho" in thread.name for thread in threading.enumerate())


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def test_a_nudge_wakes_who_waits_and_never_waits_itself(broker: Mosquitto, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "INBOX_LIMIT", 3)
    unit = opened(broker.settings)
    unit.connect()
    threading.Timer(0.01, unit.nudge).start()
    assert unit.inbox.get(timeout=15) == Nudge()
    for _ in range(5):
        unit.nudge()
    assert unit.inbox.qsize() == 3


def test_a_receipt_comes_without_an_acknowledgement_and_an_order_with_one(broker: Mosquitto, opened: Open) -> None:
    unit, fleet = opened(broker.settings, filters=tuple(topics.unit_filters(NAME))), opened(broker.settings, name="fleet")
    unit.connect()
    fleet.connect()
    for channel in (topics.RECEIPT, topics.RUN):
        fleet.publish(channel.topic(NAME), b"{}", 1)
        assert next_of(unit, Delivery).qos == (0 if channel is topics.RECEIPT else 1)


def test_what_is_said_together_leaves_at_once_and_whole(broker: Mosquitto, opened: Open) -> None:
    unit, fleet = opened(broker.settings), opened(broker.settings, name="fleet", filters=(EVENT,))
    unit.connect()
    fleet.connect()
    for number in range(50):
        unit.publish(EVENT, b"%d" % number, 0)
    assert [next_of(fleet, Delivery).payload for _ in range(50)] == [b"%d" % number for number in range(50)]
