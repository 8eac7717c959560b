"""Proofs and their pictures on a real mosquitto: pieces of 8 KiB beside everything else, cut and resumed, gone when held whole."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from cli.road.road import Road
from firmware.evidence import unsigned
from firmware.journal import Series
from firmware.uplink import blobs, outbox, uplink
from mqtt import messages, topics
from mqtt.evidence.receipt import link_of_receipt
from mqtt.evidence.sealing import unseal
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.messages import BlobHeld, Pod, Run, SignedReceipt
from mqtt.session import Delivery
from tests.eventually import eventually
from tests.proofs import Keys, events_of, keys_of_the_session, proof, write
from tests.system.broker import Mosquitto
from tests.system.receivers import StandIn
from tests.system.uplink_rig import UNIT, UplinkRig
from tests.terminals import run_of

Start = Callable[..., UplinkRig]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same behaviour in a fraction of the time."""
    monkeypatch.setattr(outbox, "RECEIPT_S", 0.4)
    monkeypatch.setattr(outbox, "REFUSED_S", 0.1)
    monkeypatch.setattr(outbox, "LONGEST_RECEIPT_S", 1.0)
    monkeypatch.setattr(blobs, "RECEIPT_S", 0.4)
    monkeypatch.setattr(blobs, "REFUSED_S", 0.1)
    monkeypatch.setattr(blobs, "LONGEST_S", 1.0)
    monkeypatch.setattr(uplink, "SILENCE_S", 2.0)


@pytest.fixture
def keys() -> Keys:
    return keys_of_the_session()


@pytest.fixture
def start(tmp_path: Path, keys: Keys) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(broker: BrokerSettings) -> UplinkRig:
            folder = tmp_path / "unit"
            folder.mkdir(exist_ok=True)
            return stack.enter_context(UplinkRig(folder, broker, keys=keys))

        yield begin


class Fleet(StandIn):
    """A receiver that stores proofs and pictures too, signs for the proofs, and speaks for each piece."""

    def __init__(self, settings: BrokerSettings, keys: Keys) -> None:
        self.keys = keys
        self.pods: dict[int, Pod] = {}
        self.signed: list[SignedReceipt] = []
        self.pieces: dict[str, bytes] = {}
        self.came: Counter[tuple[str, int]] = Counter()
        self.order: list[str] = []  # "pod" and "blob" as they came
        self.speaks = True
        self.signs = True
        super().__init__(settings, UNIT)

    def _take(self, delivery: Delivery) -> None:
        address = topics.parse(delivery.topic)
        if address is not None and address.channel is topics.BLOB:
            self._take_piece(*address.name.split("/")[2:], payload=delivery.payload)
        elif address is not None and address.channel is topics.POD:
            self._take_pod(messages.decode(delivery.payload, Pod))
        else:
            super()._take(delivery)

    def _take_piece(self, name: str, offset: str, *, payload: bytes) -> None:
        self.order.append("blob")
        self.came[name, int(offset)] += 1
        have = self.pieces.get(name, b"")
        if self.stores and int(offset) == len(have):
            self.pieces[name] = have = have + payload
        if self.speaks:
            held = BlobHeld(upto=len(have), whole=sha256(have).hexdigest() == name)
            log = next(iter(self.held), "00000000")
            self.say(messages.encode(msgspec.structs.replace(self.receipt(log), blobs={name: held})))

    def _take_pod(self, pod: Pod) -> None:
        self.order.append("pod")
        if not self.stores:
            return
        self.pods[pod.seq] = pod
        self._hold(pod.log, "seq", pod.seq, 1)
        if not self.signs:
            self.say(messages.encode(self.receipt(pod.log)))
            return
        self.signed.append(self.keys.receipt(pod))
        self.say(messages.encode(msgspec.structs.replace(self.receipt(pod.log), proofs=[self.signed[-1]])))


@pytest.fixture
def fleet(broker: Mosquitto, keys: Keys) -> Iterator[Fleet]:
    receiver = Fleet(broker.settings, keys)
    yield receiver
    receiver.close()


def photo(seed: int, size: int = 60_000) -> bytes:
    return random.Random(seed).randbytes(size)


def test_a_proof_and_its_pictures_arrive_and_leave_the_unit(broker: Mosquitto, fleet: Fleet, start: Start, keys: Keys) -> None:
    unit = start(broker.settings)
    names = unit.deliver(photo(1), photo(2, 300))
    eventually(unit.all_sent)
    opened = [unseal((keys.folder / "receiver/seal.key").read_bytes(), fleet.pieces[name]) for name in names]
    assert opened == [photo(1), photo(2, 300)]
    assert [msgspec.json.decode(pod.rec)["att"][0]["enc_sha256"] for pod in fleet.pods.values()] == [names[0]]
    assert set(fleet.came.values()) == {1}
    assert fleet.order[0] == "pod"
    assert unit.status.snapshot().blobs_waiting == 0


def test_the_next_record_names_the_receipt_of_the_one_before(broker: Mosquitto, fleet: Fleet, start: Start) -> None:
    unit = start(broker.settings)
    unit.deliver()
    eventually(unit.all_sent)
    eventually(lambda: unit.journal.work("after"))
    unit.deliver()
    eventually(lambda: len(fleet.pods) == 2)
    newest = fleet.pods[max(fleet.pods)]
    assert msgspec.json.decode(newest.rec)["t"]["after"] == link_of_receipt(fleet.signed[0])


def test_a_link_that_is_cut_again_and_again_costs_a_piece_each_time(broker: Mosquitto, fleet: Fleet, start: Start) -> None:
    with Road(broker.port) as road:
        unit = start(BrokerSettings(host="127.0.0.1", port=road.port, tls=False))
        (name,) = unit.deliver(photo(3, 400_000))
        cuts = 0
        for share in (0.15, 0.3, 0.5, 0.7, 0.85):
            eventually(lambda: len(fleet.pieces.get(name, b"")) >= share * 400_000)  # noqa: B023  called at once
            if len(fleet.pieces[name]) < 400_000:
                road.break_connections()
                cuts += 1
        eventually(unit.all_sent, 30)
    assert cuts >= 2
    assert sha256(fleet.pieces[name]).hexdigest() == name
    assert sum(fleet.came.values()) - len(fleet.came) <= cuts


def test_a_unit_that_was_restarted_goes_on_where_the_receiver_stands(
    broker: Mosquitto, fleet: Fleet, start: Start, tmp_path: Path, keys: Keys
) -> None:
    with Road(broker.port) as road:
        (tmp_path / "unit").mkdir()
        with UplinkRig(tmp_path / "unit", BrokerSettings(host="127.0.0.1", port=road.port, tls=False), keys=keys) as unit:
            (name,) = unit.deliver(photo(4, 400_000))
            eventually(lambda: len(fleet.pieces.get(name, b"")) >= 100_000)
            road.cut()
    again = start(broker.settings)
    eventually(again.all_sent, 30)
    assert sha256(fleet.pieces[name]).hexdigest() == name
    assert sum(fleet.came.values()) - len(fleet.came) <= 2  # the piece that asks, and one that was on its way when the link was cut


def test_a_receiver_that_says_nothing_gets_it_again_until_it_does(broker: Mosquitto, fleet: Fleet, start: Start) -> None:
    fleet.speaks = False
    unit = start(broker.settings)
    (name,) = unit.deliver(photo(5, 20_000))
    eventually(lambda: fleet.came[name, 0] >= 2)
    assert unit.attachments is not None
    assert unit.attachments.names() == [name]
    fleet.speaks = True
    eventually(unit.all_sent)


def test_a_receiver_that_does_not_sign_makes_the_unit_forget_nothing_and_is_asked_again(
    broker: Mosquitto, fleet: Fleet, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.signs = False
    with Road(broker.port) as road:
        unit = start(BrokerSettings(host="127.0.0.1", port=road.port, tls=False))
        assert unit.attachments is not None
        names = unit.deliver(photo(8, 20_000)) + unit.deliver(photo(9, 300))
        eventually(lambda: unit.all_receipted() and all(sha256(fleet.pieces.get(name, b"")).hexdigest() == name for name in names))
        eventually(lambda: unit.status.snapshot().blobs_waiting == 0)
        unit.drive(20)
        assert sorted(unit.attachments.names()) == sorted(names)
        assert len(list(unit.journal.unsigned())) == 2
        monkeypatch.setattr(unsigned, "STALE_S", 0.0)
        fleet.signs = True
        road.break_connections()
        eventually(unit.all_sent)
    assert list(unit.journal.unsigned()) == []
    assert len(fleet.signed) == 2


def test_a_picture_never_holds_up_an_event(broker: Mosquitto, fleet: Fleet, start: Start) -> None:
    unit = start(broker.settings)
    unit.deliver(photo(6, 1_500_000))
    eventually(lambda: fleet.order.count("blob") >= 5)
    unit.diary.note("ignition.on")
    number = unit.journal.issued(Series.SEQ)
    before = fleet.order.count("blob")
    eventually(lambda: (unit.journal.log, number) in fleet.records)
    assert fleet.order.count("blob") - before < 40
    assert len(fleet.pieces) == 1
    eventually(unit.all_sent, 30)


def test_without_any_receiver_pictures_wait_and_nothing_is_lost(broker: Mosquitto, start: Start, keys: Keys) -> None:
    unit = start(broker.settings)
    (name,) = unit.deliver(photo(7))
    eventually(lambda: unit.link == "no_receiver")
    assert unit.journal.work("blob:") == {f"blob:{name}": unit.journal.work("blob:")[f"blob:{name}"]}
    receiver = Fleet(broker.settings, keys)
    try:
        eventually(unit.all_sent, 30)
        assert sha256(receiver.pieces[name]).hexdigest() == name
    finally:
        receiver.close()


def test_a_week_without_a_broker_keeps_every_proof_in_order(broker: Mosquitto, keys: Keys, start: Start) -> None:
    broker.stop()
    unit = start(broker.settings)
    assert unit.book is not None
    names = list[str]()
    for day in range(7):
        for stop in range(4):
            names += unit.deliver(photo(100 * day + stop, 2_000))
            write(unit.journal, unit.book, proof(boot=unit.boot))
        unit.drive(100)
    assert unit.journal.waiting_count(Series.SEQ) >= 56
    broker.start()
    receiver = Fleet(broker.settings, keys)
    try:
        eventually(unit.all_sent, 60)
        chain = [msgspec.json.decode(receiver.pods[seq].rec)["seq"] for seq in sorted(receiver.pods)]
        assert chain == list(range(1, 57))
        assert all(sha256(receiver.pieces[name]).hexdigest() == name for name in names)
    finally:
        receiver.close()


# --- the run


def send_run(broker: Mosquitto, payload: bytes) -> None:
    link = BrokerLink(broker.settings, "operator", [])
    link.connect()
    link.publish(topics.RUN.topic(UNIT), payload, 1, retain=True)
    link.flush(2.0)
    link.close(orderly=True)


def test_a_run_reaches_the_terminal_at_every_connection(broker: Mosquitto, fleet: Fleet, start: Start) -> None:
    run = run_of(3)
    send_run(broker, messages.encode(run))
    unit = start(broker.settings)
    eventually(lambda: unit.arrived)
    assert unit.arrived[0] == run
    assert fleet.stores


def test_a_broken_run_that_is_retained_is_told_once_over_reconnections(broker: Mosquitto, fleet: Fleet, start: Start) -> None:
    broken = msgspec.json.encode(Run(unit=UNIT, n=9, t="2026-12-11T06:00:00.000Z", plan=run_of(9).plan)).replace(b"s-2", b"s-1")
    send_run(broker, broken)
    with Road(broker.port) as road:
        unit = start(BrokerSettings(host="127.0.0.1", port=road.port, tls=False))
        for count in (1, 2, 3):
            eventually(lambda: unit.status.snapshot().connects >= count)  # noqa: B023  called at once
            eventually(lambda: unit.link == "online")
            eventually(unit.all_receipted)
            road.break_connections()
    told = [msgspec.json.decode(payload) for payload in fleet.records.values()]
    refused = [event["data"]["faults"] for event in told if event["event"] == "run.refused"]
    assert refused == [["stop_id 's-1' is there 2 times"]]
    assert unit.arrived == []
    assert events_of(unit.journal) is not None
