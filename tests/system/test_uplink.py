"""The way to the fleet on a real mosquitto, with every way in which it can go wrong."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from cli.road.road import Road
from firmware.journal import Draft, Series
from firmware.uplink import outbox, uplink
from fleet.store import StoreError
from mqtt import codec, messages, topics
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.messages import Event, Held, Last, Live, Receipt, State, Watch
from tests.eventually import eventually
from tests.system.broker import MOSQUITTO, Mosquitto
from tests.system.contract_watch import ContractWatch, watched
from tests.system.receivers import StandIn, honest, real_receiver, silent, stand_in
from tests.system.uplink_rig import UNIT, UplinkRig

Rig = Callable[..., UplinkRig]
Configured = Callable[..., BrokerSettings]
T = TypeVar("T")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same behaviour in a fraction of the time: 10 s without a receipt, 20 s without an answer, and their longest pauses."""
    monkeypatch.setattr(outbox, "RECEIPT_S", 0.4)
    monkeypatch.setattr(outbox, "REFUSED_S", 0.1)
    monkeypatch.setattr(outbox, "LONGEST_RECEIPT_S", 1.0)
    monkeypatch.setattr(uplink, "SILENCE_S", 2.0)
    monkeypatch.setattr(uplink, "STEP_S", 0.2)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with ExitStack() as stack:

        def start(broker: BrokerSettings, *, name: str = "unit", **settings: object) -> UplinkRig:
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            return stack.enter_context(UplinkRig(folder, broker, **settings))  # type: ignore[arg-type]

        yield start


@pytest.fixture
def watch(broker: Mosquitto) -> Iterator[ContractWatch]:
    with watched(broker.settings) as watching:
        yield watching


def through(road: Road) -> BrokerSettings:
    return BrokerSettings(host="127.0.0.1", port=road.port, tls=False)


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Configured]:
    """A broker with lines of its own in its settings."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    (tmp_path / "configured").mkdir()
    with ExitStack() as stack:

        def start(*lines: str) -> BrokerSettings:
            mosquitto = Mosquitto(tmp_path / "configured", lines=lines)
            mosquitto.start()
            stack.callback(mosquitto.stop)
            return mosquitto.settings

        yield start


def decoded(deliveries: list, kind: type[T]) -> list[T]:  # type: ignore[type-arg]
    return [msgspec.json.decode(delivery.payload, type=kind) for delivery in deliveries]


def events_of(receiver: StandIn) -> list[Event]:
    return [msgspec.json.decode(payload, type=Event) for _, payload in sorted(receiver.records.items())]


# --- receipts


def test_every_record_reaches_the_real_receiver_once_and_is_let_go(
    broker: Mosquitto, watch: ContractWatch, rig: Rig, tmp_path: Path
) -> None:
    unit = rig(broker.settings)
    with real_receiver(broker.settings, tmp_path) as receiver:
        for n in range(20):
            unit.diary.note("ignition.on", {"n": n})
        unit.drive(1_000)
        eventually(unit.all_receipted, 30)
        unit.drive(5)  # a later commit lets the receipted go
        eventually(unit.all_receipted)
        with receiver.store() as store:
            counts = store.counts(UNIT)
    assert (counts.fixes, counts.fixes_distinct_time, counts.stored_twice) == (1_005, 1_005, 0)
    assert counts.records >= 20
    assert len(watch.on(topics.TRACK)) <= 8


def test_a_broker_s_acknowledgement_deletes_nothing(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    unit = rig(broker.settings)
    with stand_in(broker.settings, UNIT, silent) as receiver:
        unit.drive(50)
        unit.diary.note("ignition.on")
        eventually(lambda: len(receiver.kinds) > 4)  # taken by the broker, delivered, sent again
        unit.drive(10)
        assert unit.waiting() == 61
        assert not unit.journal.receipted(Series.TSEQ)
        receiver.answer = honest
        eventually(unit.all_receipted)
    assert watch.on(topics.TRACK)


def test_with_forget_on_puback_the_broker_s_word_is_enough(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    unit = rig(broker.settings, forget_on="puback")
    unit.drive(500)
    unit.diary.note("ignition.on")
    eventually(unit.all_receipted)
    assert len(watch.on(topics.EVENT)) == 1


def lie_other_log(self: StandIn, _log: str) -> list[bytes]:
    every = Held(upto=10**6)
    return [messages.encode(Receipt(unit=UNIT, log="ffffffff", received=self.receipt("0").received, seq=every, tseq=every))]


def lie_other_unit(self: StandIn, log: str) -> list[bytes]:
    every = Held(upto=10**6)
    return [messages.encode(Receipt(unit="van-2", log=log, received=self.receipt(log).received, seq=every, tseq=every))]


def lie_garbage(_self: StandIn, _log: str) -> list[bytes]:
    return [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"typ":"receipt"}', b"[" * 10_000, b'{"typ":"receipt","unit":5}', bytes(200)]


def lie_backwards(self: StandIn, log: str) -> list[bytes]:
    honest_one = self.receipt(log)
    backwards = Held(upto=0, also=[[50, 3], [9, 1]], missing=[[40, 2]])
    return [messages.encode(Receipt(unit=UNIT, log=log, received=honest_one.received, seq=backwards, tseq=backwards))]


def lie_half_a_pair(self: StandIn, log: str) -> list[bytes]:
    told = msgspec.to_builtins(self.receipt(log))
    told["tseq"]["also"] = [[1]]
    told["seq"]["upto"] = -1
    return [msgspec.json.encode(told)]


@pytest.mark.parametrize("lie", [lie_other_log, lie_other_unit, lie_garbage, lie_backwards, lie_half_a_pair])
def test_a_lying_receiver_deletes_nothing_and_an_honest_one_is_believed_afterwards(
    broker: Mosquitto, rig: Rig, lie: Callable[[StandIn, str], list[bytes]]
) -> None:
    with watched(broker.settings, liars=True):
        unit = rig(broker.settings)
        with stand_in(broker.settings, UNIT, lie) as receiver:
            unit.drive(40)
            unit.diary.note("ignition.on")
            eventually(lambda: len(receiver.records) + len(receiver.batches) >= 1)
            eventually(lambda: len(receiver.kinds) >= 4)
            assert unit.waiting() >= 41
            receiver.answer = honest
            eventually(unit.all_receipted)


def test_a_receipt_for_numbers_never_issued_covers_none_that_come_later(broker: Mosquitto, rig: Rig) -> None:
    lies = []

    def lie(self: StandIn, log: str) -> list[bytes]:
        every = Held(upto=2**53 - 1)
        lies.append(messages.encode(Receipt(unit=UNIT, log=log, received=self.receipt(log).received, seq=every, tseq=every)))
        return lies[-1:]

    with watched(broker.settings):
        unit = rig(broker.settings)
        with stand_in(broker.settings, UNIT, lie) as receiver:
            eventually(lambda: unit.status.snapshot().receipts)  # the first lie is over: it must not speak for what is not sent yet
            unit.drive(10)
            eventually(lambda: (unit.journal.log, 10) in receiver.fixes)
            receiver.answer = honest
            eventually(lambda: unit.status.snapshot().receipts >= len(lies))  # one for the birth, one for the batch
            assert unit.journal.receipted(Series.TSEQ).count() == 10
            unit.drive(10)
            assert unit.journal.waiting_count(Series.TSEQ) == 10
            eventually(lambda: (unit.journal.log, 20) in receiver.fixes)


def test_a_slow_receiver_costs_no_second_sending(
    broker: Mosquitto, watch: ContractWatch, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "RECEIPT_S", 10.0)

    def slow(self: StandIn, log: str) -> list[bytes]:
        self._end.wait(0.2)
        return honest(self, log)

    unit = rig(broker.settings)
    with stand_in(broker.settings, UNIT, slow) as receiver:
        unit.drive(3_000)
        eventually(unit.all_receipted, 30)
        assert max(receiver.fixes.values()) == 1
    assert watch.on(topics.RECEIPT)


def test_a_record_that_the_broker_lost_behind_its_acknowledgement_is_sent_again(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    unit = rig(broker.settings)
    with stand_in(broker.settings, UNIT) as receiver:
        unit.drive(10)
        eventually(unit.all_receipted)
        receiver.stores = False
        unit.diary.note("ignition.on")
        eventually(lambda: receiver.kinds.count("up/event") == 1)
        receiver.stores = True
        lost = (unit.journal.log, 1)

        def goes_on() -> bool:
            """The receiver receipts one later record after the other."""
            if unit.waiting() <= 1:
                unit.diary.note("ignition.off")
            return lost in receiver.records

        eventually(goes_on)
        eventually(unit.all_receipted)
    assert watch.on(topics.EVENT)


def test_a_receiver_restored_from_an_old_backup_gets_everything_again(
    broker: Mosquitto, watch: ContractWatch, rig: Rig, tmp_path: Path
) -> None:
    unit = rig(broker.settings, keep_ms=10**9)
    receiver = real_receiver(broker.settings, tmp_path)
    with receiver as first:
        unit.drive(600)
        unit.diary.note("ignition.on")
        eventually(unit.all_receipted)
        first.stop()
        for part in tmp_path.glob("fleet.db*"):
            part.unlink()
        first.start()
        unit.diary.note("ignition.off")  # any message: the receiver answers with what it holds

        def all_there() -> bool:
            with suppress(StoreError), first.store() as store:
                return store.counts(UNIT).fixes == 600
            return False

        unit.uplink._health_s = -1e9  # the ledger is due now
        eventually(all_there, 30)
        eventually(unit.all_receipted)
    assert watch.on(topics.HEALTH)


def test_numbers_that_nobody_has_any_more_are_accounted_for(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    unit = rig(broker.settings)

    def asks(self: StandIn, log: str) -> list[bytes]:
        told = self.receipt(log)
        return [messages.encode(msgspec.structs.replace(told, tseq=Held(upto=0, missing=[[1, 30]]), seq=Held(upto=0, missing=[[1, 1]])))]

    with stand_in(broker.settings, UNIT) as receiver:
        unit.drive(30)
        unit.diary.note("ignition.on")
        eventually(unit.all_receipted)
        for _ in range(3):
            unit.drive(10)
            unit.diary.note("ignition.off")
        eventually(unit.all_receipted)
        receiver.held.clear()
        receiver.answer = asks
        receiver.records.clear()
        receiver.say(asks(receiver, unit.journal.log)[0])
        eventually(lambda: any(event.event == "storage.dropped" for event in events_of(receiver)))
        eventually(lambda: (1, 30) in receiver.batches)
        receiver.answer = honest
    assert not watch.faults


# --- no receiver


def test_no_receiver_is_a_state_with_a_sentence_and_it_recovers(broker: Mosquitto, rig: Rig) -> None:
    unit = rig(broker.settings)
    unit.drive(10)
    eventually(lambda: unit.link == "no_receiver")
    assert "no receiver stores this unit's records; start the fleet's receiver" in unit.sentence
    with stand_in(broker.settings, UNIT):
        eventually(unit.all_receipted)
        eventually(lambda: unit.link == "online")


def test_a_receiver_that_keeps_silent_is_no_receiver_either(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    unit = rig(broker.settings)
    with stand_in(broker.settings, UNIT, silent) as receiver:
        unit.drive(10)
        eventually(lambda: unit.link == "no_receiver")
        assert "no receiver says that it stored them" in unit.sentence
        receiver.answer = honest
        eventually(unit.all_receipted)
        assert unit.link == "online"
    assert watch.on(topics.STATE)


def test_a_broker_that_forbids_a_topic_is_told_apart_and_nothing_is_lost(tmp_path: Path, configured: Configured, rig: Rig) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite rp/v1/+/up/state\ntopic read rp/v1/+/dn/#\n")
    acl.chmod(0o600)
    broker = configured(f"acl_file {acl}")
    unit = rig(broker)
    unit.drive(10)
    eventually(lambda: unit.link == "acl")
    assert "does not let this unit publish rp/v1/van-1/up/track; check the broker's access rules" in unit.sentence
    assert unit.waiting() == 10


# --- two lanes


def test_the_live_position_comes_within_five_seconds_after_a_reconnect_with_fifty_thousand_fixes_waiting(
    broker: Mosquitto, watch: ContractWatch, rig: Rig
) -> None:
    with Road(broker.port) as road:
        road.cut()
        unit = rig(through(road))
        newest = unit.drive(50_000, a_commit=50)[-1]
        with stand_in(broker.settings, UNIT) as receiver:
            watch.heard.clear()
            restored_s = time.monotonic()
            road.restore()
            watch.wait_for(topics.LIVE, within_s=5.0)
            print(f"first live position after {time.monotonic() - restored_s:.2f} s")
            eventually(lambda: unit.journal.receipted(Series.TSEQ).count() > 3_000, 30)
            firsts = [first for first, _ in receiver.batches]
            assert firsts == sorted(firsts)
            assert firsts[0] == 1
            assert {last - first + 1 for first, last in receiver.batches} == {300}
            live = decoded(watch.on(topics.LIVE), Live)[0]
            assert live.t == messages.utc_text(newest.t_ms)
            unit.stop()


def test_somebody_who_looks_makes_the_live_lane_dense_and_it_ends_by_itself(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    with stand_in(broker.settings, UNIT):
        unit = rig(broker.settings)
        unit.drive(10)
        watch.wait_for(topics.LIVE)
        eventually(unit.all_receipted)
        eventually(lambda: unit.link == "online")
        looker = BrokerLink(broker.settings, "looker", [])
        looker.connect()
        before = len(watch.on(topics.LIVE))
        looker.publish(topics.WATCH.topic(UNIT), messages.encode(Watch(unit=UNIT, every_s=1, for_s=3)), 0)
        watch.wait_for(topics.LIVE, before + 2)
        eventually(lambda: unit.clock.mono_s() > unit.uplink._live._watched_until_s)
        dense = len(watch.on(topics.LIVE)) - before
        assert 2 <= dense <= 4
        unit.clock.mono_s()
        assert not unit.uplink._live.due(unit.clock.mono_s(), moving=True)
        looker.close(orderly=True)


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"typ":"watch","unit":"van-1","every_s":0}', b'{"typ":"watch","unit":"van-2"}'])
def test_a_watch_that_breaks_the_contract_changes_nothing(broker: Mosquitto, rig: Rig, payload: bytes) -> None:
    with watched(broker.settings, liars=True), stand_in(broker.settings, UNIT):
        unit = rig(broker.settings)
        unit.drive(10)
        eventually(unit.all_receipted)
        looker = BrokerLink(broker.settings, "looker", [])
        looker.connect()
        looker.publish(topics.WATCH.topic(UNIT), payload, 1)
        unit.drive(10)
        eventually(unit.all_receipted)
        assert unit.uplink._live._watched_until_s == 0.0
        looker.close(orderly=True)


def test_an_event_rings_and_is_sent_at_once(broker: Mosquitto, watch: ContractWatch, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplink, "STEP_S", 60.0)
    with stand_in(broker.settings, UNIT):
        unit = rig(broker.settings, live_moving_s=3_600)
        unit.drive(10)
        eventually(lambda: unit.status.snapshot().live_sent == 1)
        unit.diary.note("power.on")
        eventually(lambda: watch.on(topics.EVENT))
        unit._stop.set()
        unit.uplink._link.nudge()  # or its end would wait out the minute


def test_an_event_goes_at_once_and_brings_its_own_place(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    with stand_in(broker.settings, UNIT):
        unit = rig(broker.settings)
        unit.drive(10)
        watch.wait_for(topics.LIVE)
        eventually(unit.all_receipted)
        before = len(watch.on(topics.LIVE))
        unit.diary.note("sos")
        watch.wait_for(topics.EVENT)
        (event,) = decoded(watch.on(topics.EVENT), Event)
        assert event.latitude is not None
        assert len(watch.on(topics.LIVE)) == before


# --- the road breaks


def test_nothing_is_lost_and_nothing_comes_twice_over_twenty_random_cuts(
    broker: Mosquitto, watch: ContractWatch, rig: Rig, tmp_path: Path
) -> None:
    chance = random.Random(20)
    with Road(broker.port) as road, real_receiver(broker.settings, tmp_path) as receiver:
        unit = rig(through(road))
        for n in range(20):
            unit.drive(chance.randrange(1, 700))
            unit.diary.note("ignition.on", {"n": n})
            connects = unit.status.snapshot().connects
            eventually(lambda: unit.link == "online" or unit.status.snapshot().connects > 0)
            spread = chance.random()
            if spread < 0.6:
                waiting = unit.waiting()
                eventually(lambda: unit.waiting() < waiting or unit.waiting() == 0)  # noqa: B023  called at once
            road.cut() if n % 3 else road.break_connections()
            eventually(lambda: unit.link != "online" or unit.status.snapshot().connects > connects)  # noqa: B023  called at once
            road.restore()
        eventually(unit.all_receipted, 40)
        issued = {series: unit.journal.issued(series) for series in Series}
        with receiver.store() as store:
            counts = store.counts(UNIT)
    print(f"{counts.fixes} fixes, {counts.records} records over {unit.status.snapshot().connects} sessions")
    assert (counts.fixes, counts.records) == (issued[Series.TSEQ], issued[Series.SEQ])
    assert counts.stored_twice == 0
    assert unit.status.snapshot().connects >= 15
    assert watch.on(topics.TRACK)


def test_a_record_is_not_set_aside_because_the_network_breaks_whenever_it_is_sent(
    broker: Mosquitto, watch: ContractWatch, rig: Rig
) -> None:
    def cuts(self: StandIn, _log: str) -> list[bytes]:
        if self.kinds[-1] == "up/event" and cut:
            cut.pop()
            road.break_connections()
        return []

    cut = list(range(8))
    with Road(broker.port) as road:
        unit = rig(through(road))
        with stand_in(broker.settings, UNIT, cuts) as receiver:
            unit.diary.note("ignition.on")
            eventually(lambda: not cut, 30)
            receiver.answer = honest
            eventually(unit.all_receipted)
            assert not [event for event in events_of(receiver) if event.event.startswith("storage")]
            assert events_of(receiver)[0].event == "ignition.on"
    assert watch.on(topics.STATE)


def test_a_black_hole_is_noticed_while_something_waits(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    """SILENCE_S is 20 s in the field, for a limit of 30 s, and 2 s here."""
    assert uplink.SILENCE_S == 2.0
    with Road(broker.port) as road:
        unit = rig(through(road))
        with stand_in(broker.settings, UNIT):
            unit.drive(10)
            eventually(unit.all_receipted)
            road.black_hole()
            fell_s = time.monotonic()
            unit.diary.note("ignition.on")
            eventually(lambda: unit.link == "tcp", 10)
            assert "has not answered for 2 s; connecting again" in unit.sentence
            print(f"noticed after {time.monotonic() - fell_s:.1f} s, {uplink.SILENCE_S:.0f} s of them patience")
            road.restore()
            eventually(unit.all_receipted, 25)
    assert watch.on(topics.EVENT)


def test_a_broker_that_is_killed_and_started_again_loses_nothing(broker: Mosquitto, rig: Rig, tmp_path: Path) -> None:
    with real_receiver(broker.settings, tmp_path) as receiver:
        unit = rig(broker.settings)
        for _ in range(3):
            unit.drive(1_000)
            unit.diary.note("ignition.on")
            broker.restart(kill=True)
        eventually(unit.all_receipted, 40)
        with receiver.store() as store:
            counts = store.counts(UNIT)
        assert (counts.fixes, counts.stored_twice) == (3_000, 0)
        assert counts.records == unit.journal.issued(Series.SEQ)


def test_a_broken_link_and_its_return_are_events(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    with Road(broker.port) as road, stand_in(broker.settings, UNIT) as receiver:
        unit = rig(through(road))
        eventually(lambda: unit.link == "online")
        road.cut()
        eventually(lambda: unit.link == "tcp")
        road.restore()
        eventually(lambda: [event.event for event in events_of(receiver)] == ["link.down", "link.up"])
    assert watch.on(topics.EVENT)


# --- too large


def test_a_record_over_the_broker_s_size_limit_is_set_aside_with_an_event_and_blocks_nothing(configured: Configured, rig: Rig) -> None:
    broker = configured("message_size_limit 2000")
    with watched(broker), stand_in(broker, UNIT) as receiver:
        unit = rig(broker)
        eventually(lambda: unit.link == "online")
        unit.journal.append(unit.boot, [unit.diary.draft("scan", {"x": "x" * 5_000})])
        unit.diary.note("ignition.on")
        unit.drive(30)
        eventually(unit.all_receipted)
        told = events_of(receiver)
        assert [event.event for event in told][:2] == ["storage.dropped", "ignition.on"]
        (aside,) = [event for event in told if event.event == "storage.set_aside"]
        assert (aside.data["first"], aside.data["last"]) == (1, 1)
        assert len(receiver.fixes) == 30


def test_a_record_over_the_broker_s_packet_limit_is_set_aside_and_blocks_nothing(configured: Configured, rig: Rig) -> None:
    broker = configured("max_packet_size 3000")
    with watched(broker), stand_in(broker, UNIT) as receiver:
        unit = rig(broker)
        eventually(lambda: unit.link == "online")
        unit.journal.append(unit.boot, [unit.diary.draft("scan", {"x": "x" * 5_000})])
        unit.diary.note("ignition.on")
        unit.drive(3_000)
        eventually(unit.all_receipted, 30)
        assert [event.event for event in events_of(receiver)][:2] == ["storage.dropped", "ignition.on"]
        assert len(receiver.fixes) == 3_000


def test_a_kind_that_the_receiver_does_not_know_is_stored_and_receipted(
    broker: Mosquitto, watch: ContractWatch, rig: Rig, tmp_path: Path
) -> None:
    unit = rig(broker.settings)
    with real_receiver(broker.settings, tmp_path):
        log = unit.journal.log
        payload = lambda n: b'{"v":1,"unit":"van-1","log":"%s","seq":%d,"typ":"reply"}' % (log.encode(), n)  # noqa: E731
        unit.journal.append(unit.boot, [Draft("reply", payload)])
        eventually(unit.all_receipted)
    assert watch.on(topics.REPLY)


# --- coming and going


def test_a_unit_that_takes_leave_is_asleep_and_never_offline(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    unit = rig(broker.settings)
    with stand_in(broker.settings, UNIT) as receiver:
        eventually(lambda: unit.link == "online")
        driven = unit.drive(35)
        unit.diary.note("ignition.off")
        unit.stop()
        eventually(lambda: len(decoded(watch.on(topics.STATE), State)) >= 2)
        assert [state.state for state in decoded(watch.on(topics.STATE), State)] == ["online", "asleep"]
        parked = decoded(watch.on(topics.LAST), Last)[-1]
        assert (parked.latitude, parked.longitude) == (driven[-1].lat_e7 / 1e7, driven[-1].lon_e7 / 1e7)  # for who comes late
        assert len(receiver.fixes) == 35
        assert unit.waiting() == 0
    assert codec.COLUMNS


def test_each_session_is_higher_than_the_one_before(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    with Road(broker.port) as road:
        unit = rig(through(road))
        for n in range(1, 4):
            watch.wait_for(topics.STATE, n)
            road.break_connections()
    sessions = [state.session for state in decoded(watch.on(topics.STATE), State) if state.state == "online"]
    assert sessions == sorted(set(sessions))
    assert unit.failure is None


def test_the_retained_position_can_be_switched_off(broker: Mosquitto, watch: ContractWatch, rig: Rig) -> None:
    with stand_in(broker.settings, UNIT):
        unit = rig(broker.settings, retain_last=False)
        unit.drive(10)
        watch.wait_for(topics.LIVE)
        eventually(unit.all_receipted)
    assert watch.on(topics.LAST) == []
