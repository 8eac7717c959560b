"""Who gets in at the broker and who does not: the numbered checks of docs/access.md, against a real mosquitto on a fleet's own files.

Each refusal stands beside the same thing done by who may do it: a check that refuses everybody would prove nothing.
"""

from __future__ import annotations

import queue
import socket
import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from mqtt import messages, topics
from mqtt.link import BrokerLink
from mqtt.messages import Held, Receipt
from mqtt.session import DENIED, NO_SUBSCRIBER, Delivery, LinkError, Lost, Published, Will
from provisioning.authority import certificates
from provisioning.authority.certificates import new_key, pem
from provisioning.authority.servers import certificate
from tests.eventually import eventually
from tests.system.broker import MOSQUITTO
from tests.system.fleet_rig import CRL_URL, HOST, FleetBroker

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")

A, B = "van-017", "van-018"
YEAR = timedelta(days=365)
WITHIN_S = 60.0  # what the fleet promises; the tests end in a second when it is kept
Open = Callable[..., BrokerLink]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetBroker]:
    yield from running(tmp_path_factory.mktemp("access"))


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[FleetBroker]:
    """For a test that changes who may come in."""
    yield from running(tmp_path)


def running(folder: Path) -> Iterator[FleetBroker]:
    fleet_broker = FleetBroker(folder)
    for unit in (A, B):
        fleet_broker.enrol(unit)
    fleet_broker.start()
    yield fleet_broker
    fleet_broker.stop()


@pytest.fixture
def closing() -> Iterator[list[BrokerLink]]:
    links: list[BrokerLink] = []
    yield links
    for one in links:
        one.close(orderly=True)


@pytest.fixture
def opened(broker: FleetBroker, closing: list[BrokerLink]) -> Open:
    return opener(broker, closing)


@pytest.fixture
def own_opened(own_broker: FleetBroker, closing: list[BrokerLink]) -> Open:
    return opener(own_broker, closing)


def opener(broker: FleetBroker, closing: list[BrokerLink]) -> Open:
    """Makes connected links that are closed in order at the end."""

    def make(
        name: str, *filters: str, client_id: str | None = None, port: int | None = None, will: Will | None = None, **options: Any
    ) -> BrokerLink:
        one = BrokerLink(broker.settings(name, port=port), client_id or name, filters, **options)
        closing.append(one)
        one.connect(will)
        return one

    return make


def refused(open_one: Callable[[], object]) -> bool:
    """Whether the broker lets nobody in that way."""
    try:
        open_one()
    except LinkError:
        return True
    return False


def answer(one: BrokerLink, topic: str, payload: bytes = b"{}") -> int | None:
    """The broker's answer to a QoS 1 publish; None when it ended the session instead."""
    mid = one.publish(topic, payload, 1)
    while True:
        happening = one.inbox.get(timeout=15)
        if isinstance(happening, Published) and happening.mid == mid:
            return happening.reason
        if isinstance(happening, Lost):
            return None


def heard(one: BrokerLink) -> Delivery:
    while True:
        happening = one.inbox.get(timeout=15)
        if isinstance(happening, Delivery):
            return happening


def nothing_but(one: BrokerLink, topic: str) -> bool:
    """Whether the first thing heard is this topic."""
    return heard(one).topic == topic


def receipt(unit: str) -> bytes:
    held = Held(upto=1)
    return messages.encode(Receipt(unit=unit, log="0a1b2c3d", received="2026-03-02T06:30:00.000Z", seq=held, tseq=held))


def stranger(broker: FleetBroker, name: str, common_name: str, **made: Any) -> str:
    """Somebody with a certificate of the fleet's issuing authority that the project itself would not make, or that has run out."""
    key = new_key()
    wanted = {"now": datetime.now(UTC), "crl_urls": (CRL_URL,), **made}
    issuer = wanted.pop("issuer", broker.fleet._issuing)
    broker.keep(name, key, pem(certificates.unit_tls(issuer, common_name, key.public_key(), **wanted)) + broker.fleet.issuing_pem)
    return name


# --- a unit says what is its own, and hears what is for it


def test_01_a_unit_publishes_its_own_and_the_receiver_hears_it(opened: Open) -> None:
    receiver, unit = opened("svc-receiver", topics.receiver_filter()), opened(A)
    assert answer(unit, topics.EVENT.topic(A)) == 0
    assert heard(receiver).topic == topics.EVENT.topic(A)


def test_02_a_unit_publishes_nothing_in_anothers_name(opened: Open) -> None:
    assert answer(opened(A), topics.EVENT.topic(B)) == DENIED


def test_03_a_unit_forges_no_receipt_for_itself(opened: Open) -> None:
    assert answer(opened(A), topics.RECEIPT.topic(A), receipt(A)) == DENIED


def test_04_a_unit_forges_no_receipt_for_another(opened: Open) -> None:
    assert answer(opened(A), topics.RECEIPT.topic(B), receipt(B)) == DENIED


def test_05_a_unit_hears_its_receipts(opened: Open) -> None:
    receiver, unit = opened("svc-receiver"), opened(A, *topics.unit_filters(A))
    assert answer(receiver, topics.RECEIPT.topic(A), receipt(A)) == 0
    assert heard(unit).payload == receipt(A)


@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param(f"rp/v1/{B}/dn/#", id="06 another unit's dn"),
        pytest.param("#", id="07 everything"),
        pytest.param("rp/v1/+/up/#", id="08 what units say"),
        pytest.param("$SYS/#", id="09 the broker's own"),
    ],
)
def test_a_unit_hears_nothing_elsewhere(elsewhere: str, opened: Open) -> None:
    unit, other, receiver = opened(A, elsewhere, *topics.unit_filters(A)), opened(B), opened("svc-receiver")
    assert answer(other, topics.EVENT.topic(B)) in {0, NO_SUBSCRIBER}
    answer(receiver, topics.RECEIPT.topic(B), receipt(B))
    answer(receiver, topics.RECEIPT.topic(A), receipt(A))
    assert nothing_but(unit, topics.RECEIPT.topic(A))


def test_10_a_units_own_will_is_delivered(opened: Open) -> None:
    receiver = opened("svc-receiver", topics.receiver_filter())
    opened(A, will=Will(topics.STATE.topic(A), b"mine", 0)).close()
    assert heard(receiver).payload == b"mine"
    opened(A).publish(topics.STATE.topic(A), b"", 1, retain=True)  # a will is retained: the next test must not hear it


def test_11_a_will_in_anothers_name_is_not(opened: Open) -> None:
    receiver = opened("svc-receiver", topics.receiver_filter())
    with suppress(LinkError):  # a broker may say so at once
        opened(A, will=Will(topics.STATE.topic(B), b"forged", 0)).close()
    assert answer(opened(B), topics.EVENT.topic(B)) == 0
    assert nothing_but(receiver, topics.EVENT.topic(B))


def test_12_a_unit_ends_no_session_by_anothers_client_id(opened: Open) -> None:
    victim = opened(B)
    opened(A, client_id=B)
    assert answer(victim, topics.EVENT.topic(B)) in {0, NO_SUBSCRIBER}


def test_13_a_unit_inherits_no_message_by_anothers_client_id(opened: Open) -> None:
    kept = {"session_expiry_s": 300}
    victim = opened(B, *topics.unit_filters(B), **kept)
    victim.close(orderly=True)
    receiver = opened("svc-receiver")
    assert answer(receiver, topics.RECEIPT.topic(B), receipt(B)) in {0, NO_SUBSCRIBER}
    thief = opened(A, *topics.unit_filters(A), client_id=B, **kept)
    assert answer(receiver, topics.RECEIPT.topic(A), receipt(A)) == 0
    assert nothing_but(thief, topics.RECEIPT.topic(A))


# --- the fleet's own programs


def test_14_the_receiver_gives_no_orders(opened: Open) -> None:
    assert answer(opened("svc-receiver"), topics.RUN.topic(A)) == DENIED


def test_15_the_operator_gives_orders(opened: Open) -> None:
    operator, unit = opened("svc-operator"), opened(A, *topics.unit_filters(A))
    assert answer(operator, topics.WATCH.topic(A)) == 0
    assert nothing_but(unit, topics.WATCH.topic(A))


def test_16_the_operator_writes_no_receipts(opened: Open) -> None:
    assert answer(opened("svc-operator"), topics.RECEIPT.topic(A), receipt(A)) == DENIED


def test_17_a_units_certificate_counts_nothing_at_the_programs_port(broker: FleetBroker, opened: Open) -> None:
    victim = opened("svc-receiver", client_id="receiver-1")
    assert refused(lambda: opened(A, port=broker.fleet_port, client_id="receiver-1"))
    assert answer(victim, topics.RECEIPT.topic(A), receipt(A)) in {0, NO_SUBSCRIBER}


def test_18_a_programs_certificate_counts_nothing_at_the_units_port(broker: FleetBroker, opened: Open) -> None:
    assert refused(lambda: opened("svc-operator", port=broker.units_port))


# --- who does not get in


def test_19_nobody_gets_in_without_a_certificate(broker: FleetBroker) -> None:
    for name in (A, "svc-receiver"):
        bare = msgspec.structs.replace(broker.settings(name), tls_cert=None, tls_key=None, username=name)
        assert refused(BrokerLink(bare, name, []).connect)


def test_20_another_authority_with_the_same_name_counts_nothing(broker: FleetBroker, opened: Open) -> None:
    now = datetime.now(UTC)
    root = certificates.self_signed("Test root", path_length=1, now=now)
    stranger(broker, "twin", A, issuer=certificates.issuing_below(root, "Test issuing", now=now))
    assert refused(lambda: opened("twin", client_id=A))


def test_21_a_certificate_that_has_run_out_counts_nothing(broker: FleetBroker, opened: Open) -> None:
    assert refused(lambda: opened(stranger(broker, "late", A, now=datetime.now(UTC) - 2 * YEAR)))


def test_22_a_certificate_of_the_future_counts_nothing(broker: FleetBroker, opened: Open) -> None:
    assert refused(lambda: opened(stranger(broker, "early", A, now=datetime.now(UTC) + YEAR)))


def test_23_a_servers_certificate_logs_nobody_in(broker: FleetBroker, opened: Open) -> None:
    key = new_key()
    leaf = certificates.server_tls(broker.fleet._issuing, HOST, key.public_key(), now=datetime.now(UTC), crl_urls=(CRL_URL,))
    broker.keep("server", key, pem(leaf) + broker.fleet.issuing_pem)
    assert refused(lambda: opened("server"))


def test_24_a_certificate_for_proofs_logs_nobody_in(opened: Open) -> None:
    assert refused(lambda: opened(f"{A}-evidence"))


@pytest.mark.parametrize("wild", ["+", "#"])
def test_25_a_wildcard_for_a_name_gains_nothing(wild: str, broker: FleetBroker, opened: Open) -> None:
    receiver = opened("svc-receiver", topics.receiver_filter())
    stranger(broker, "wild", wild)
    with suppress(LinkError):  # a broker may refuse such a name at once
        assert answer(opened("wild"), topics.EVENT.topic(A)) != 0
    assert answer(opened(B), topics.EVENT.topic(B)) == 0
    assert nothing_but(receiver, topics.EVENT.topic(B))


def test_26_nobody_speaks_tls_older_than_1_2(broker: FleetBroker) -> None:
    context = ssl.create_default_context(cafile=broker.settings(A).tls_ca)
    context.load_cert_chain(str(broker.settings(A).tls_cert))
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection((HOST, broker.units_port), 10) as raw, pytest.raises(ssl.SSLError, match=r"(?i)version|protocol"):
        context.wrap_socket(raw, server_hostname=HOST)


# --- who is shut out, and who stays


def test_27_a_revoked_unit_does_not_get_in_again_and_the_others_stay(own_broker: FleetBroker, own_opened: Open) -> None:
    receiver, other = own_opened("svc-receiver", topics.receiver_filter()), own_opened(A)
    own_opened(B).close(orderly=True)
    own_broker.fleet.revoke(B, "stolen")
    eventually(lambda: refused(lambda: own_opened(B)), WITHIN_S)
    assert answer(other, topics.EVENT.topic(A)) == 0
    assert heard(receiver).topic == topics.EVENT.topic(A)


def test_28_a_connected_unit_that_is_revoked_is_neither_heard_nor_told_anything(own_broker: FleetBroker, own_opened: Open) -> None:
    receiver = own_opened("svc-receiver", topics.receiver_filter())
    thief, other = own_opened(B, *topics.unit_filters(B)), own_opened(A)
    assert answer(thief, topics.EVENT.topic(B)) == 0
    assert heard(receiver).topic == topics.EVENT.topic(B)
    own_broker.fleet.revoke(B, "stolen while connected")
    eventually(lambda: answer(thief, topics.LIVE.topic(B)) in {DENIED, None}, WITHIN_S)
    drained(receiver)
    with suppress(LinkError):  # a broker may have ended its session
        answer(thief, topics.EVENT.topic(B))
    answer(receiver, topics.RECEIPT.topic(B), receipt(B))
    assert answer(other, topics.EVENT.topic(A)) == 0
    assert nothing_but(receiver, topics.EVENT.topic(A))
    assert not [one for one in drained(thief) if isinstance(one, Delivery)]


def drained(one: BrokerLink) -> list[object]:
    """What waits in a link's inbox."""
    found: list[object] = []
    with suppress(queue.Empty):
        while True:
            found.append(one.inbox.get_nowait())
    return found


def test_29_with_an_old_list_nobody_gets_in_and_a_new_one_heals_it(own_broker: FleetBroker, own_opened: Open) -> None:
    fleet = own_broker.fleet
    own_opened(A).close(orderly=True)
    fleet.write_access(now=datetime.now(UTC) - timedelta(days=40))
    eventually(lambda: refused(lambda: own_opened(A)), WITHIN_S)
    fleet.write_access()
    eventually(lambda: not refused(lambda: own_opened(A)), WITHIN_S)


def test_30_a_renewed_certificate_takes_the_session_over_and_the_old_one_still_counts(own_broker: FleetBroker, own_opened: Open) -> None:
    first, key = own_opened(A), new_key()
    own_broker.keep("renewed", key, own_broker.fleet.issue_tls(A, key.public_key()))
    assert own_broker.serial("renewed") != own_broker.serial(A)
    second = own_opened("renewed", client_id=A)
    assert isinstance(first.inbox.get(timeout=15), Lost)
    assert answer(second, topics.EVENT.topic(A)) in {0, NO_SUBSCRIBER}
    assert answer(own_opened(A), topics.EVENT.topic(A)) in {0, NO_SUBSCRIBER}


# --- beyond the thirty


def test_the_brokers_renewed_certificate_is_taken_without_a_restart(tmp_path: Path, closing: list[BrokerLink]) -> None:
    broker = FleetBroker(tmp_path, now=datetime.now(UTC) - timedelta(days=350))
    broker.enrol(A)
    broker.start()
    try:
        broker.fleet.write_access()  # lists of today
        eventually(lambda: not refused(lambda: opener(broker, closing)(A)))
        staying = closing[-1]
        assert set(broker.fleet.renew_access()) == {"broker", "est", "receiver", "operator"}
        context = ssl.create_default_context(cafile=broker.settings(A).tls_ca)
        context.load_cert_chain(str(broker.settings(A).tls_cert))
        wanted = certificate(broker.fleet.servers.certificate("broker")).public_bytes(Encoding.DER)
        eventually(lambda: shown(context, broker.units_port) == wanted)
        assert answer(staying, topics.EVENT.topic(A)) in {0, NO_SUBSCRIBER}
        assert broker.fleet.renew_access() == []
    finally:
        broker.stop()


def shown(context: ssl.SSLContext, port: int) -> bytes | None:
    """The certificate with which the broker answers."""
    with socket.create_connection((HOST, port), 10) as raw, context.wrap_socket(raw, server_hostname=HOST) as line:
        return line.getpeercert(binary_form=True)


def test_a_receivers_lost_key_is_replaced_and_the_old_one_is_shut_out(own_broker: FleetBroker, own_opened: Open) -> None:
    stolen = own_broker.folder / "stolen.pem"
    receiver = own_broker.folder / "fleet" / "receiver"
    stolen.write_bytes((receiver / "tls.key").read_bytes() + (receiver / "tls.pem").read_bytes())
    own_broker.fleet.revoke("svc-receiver", "laptop lost")
    eventually(lambda: refused(lambda: own_opened("stolen", port=own_broker.fleet_port)), WITHIN_S)
    assert answer(own_opened("svc-receiver"), topics.RECEIPT.topic(A), receipt(A)) in {0, NO_SUBSCRIBER}
