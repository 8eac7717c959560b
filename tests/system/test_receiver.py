"""What the receiver promises, against a real broker, real databases and real kills."""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from fleet.config import FleetSettings
from fleet.gaps import gap
from fleet.intake import Item, Record, Series, read
from fleet.receiver import receive
from mqtt.messages import Last, Live, encode
from mqtt.topics import LAST, LIVE
from tests.eventually import eventually
from tests.system.broker import Mosquitto
from tests.system.postgres import Postgres
from tests.system.receivers import receiving, subscriptions
from tests.system.stores import Place, PostgresPlace, SqlitePlace, opened
from tests.system.van import BOOT, LOG, HandVan, T, ledgers

ROOT = Path(__file__).resolve().parents[2]
DYING = """
import os, signal, sys, threading, time
from fleet.config import FleetSettings
from fleet.receiver import Receiver, broker_link
from fleet.store import Store, open_store
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
owner = {"Store": Store, "BrokerLink": BrokerLink}[sys.argv[3]]
def die(*_, **__):
    time.sleep(0.3)  # whatever was said too early has left by then
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, sys.argv[4], die)
settings = FleetSettings(broker=BrokerSettings(host="127.0.0.1", port=int(sys.argv[1]), tls=False), store=sys.argv[2], name="one")
Receiver(broker_link(settings), open_store(settings.store), threading.Event()).run()
"""


def settings(broker: Mosquitto, place: Place, name: str = "one") -> FleetSettings:
    return FleetSettings(broker=broker.settings, store=place.url, name=name)


def running(broker: Mosquitto, place: Place) -> AbstractContextManager[None]:
    return receiving(broker, settings(broker, place))


def process(folder: Path, broker: Mosquitto, place: Place, name: str = "one") -> subprocess.Popen[str]:
    """A receiver as people start it; its log is in stderr."""
    config = folder / f"{name}.toml"
    lines = (f'store = "{place.url}"', f'name = "{name}"', "[broker]", 'host = "127.0.0.1"', f"port = {broker.port}", "tls = false", "")
    config.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-P", "-m", "cli", "fleet", "receive", "--config", str(config)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def ended(started: subprocess.Popen[str]) -> str:
    """SIGTERM; what it had logged. It must end with 0."""
    started.send_signal(signal.SIGTERM)
    _, log = started.communicate(timeout=30)
    assert started.returncode == 0, log
    return log


@pytest.fixture
def van(broker: Mosquitto) -> Iterator[HandVan]:
    made = HandVan(broker.settings)
    yield made
    made.close()


def test_fixes_and_events_are_stored_once_and_receipted_after_the_commit(broker: Mosquitto, place: Place, van: HandVan) -> None:
    with running(broker, place):
        van.send_track(1, 60)
        van.send_event(1)
        van.receipt_for(tseq=60, seq=1)
        store = opened(place, writing=False)
        counts = store.counts("van-12")
        store.close()
    assert (counts.fixes, counts.records, counts.stored_twice) == (60, 1, 0)


def test_what_is_sent_again_is_receipted_again_and_stored_once(broker: Mosquitto, place: Place, van: HandVan) -> None:
    with running(broker, place):
        van.send_track(1, 60)
        van.receipt_for(tseq=60)
        van.receipts.clear()
        van.send_track(1, 60)
        van.receipt_for(tseq=60)
    store = opened(place, writing=False)
    assert store.counts("van-12").fixes == 60
    store.close()


def test_the_birth_of_a_unit_that_nobody_knows_is_answered(broker: Mosquitto, sqlite_place: SqlitePlace, van: HandVan) -> None:
    with running(broker, sqlite_place):
        van.send_birth()
        receipt = van.receipt_for()
    assert (receipt.log, receipt.seq.upto, receipt.tseq.upto, receipt.seq.also) == (LOG, 0, 0, [])


def test_numbers_that_came_out_of_order_are_receipted_as_ranges(broker: Mosquitto, sqlite_place: SqlitePlace, van: HandVan) -> None:
    with running(broker, sqlite_place):
        van.send_track(101, 160)
        receipt = van.receipt_where(lambda receipt: bool(receipt.tseq.also))
        assert (receipt.tseq.upto, receipt.tseq.also) == (0, [[101, 160]])
        van.send_track(1, 100)
        assert van.receipt_for(tseq=160).tseq.also == []


def test_a_unit_that_missed_a_receipt_gets_it_after_its_next_health(broker: Mosquitto, sqlite_place: SqlitePlace, van: HandVan) -> None:
    with running(broker, sqlite_place):
        van.send_track(1, 60)
        van.receipt_for(tseq=60)
        van.receipts.clear()
        van.send_health(ledgers(tseq=(60, 0)))
        van.receipt_for(tseq=60)


def test_a_health_that_says_nothing_new_costs_no_receipt(broker: Mosquitto, sqlite_place: SqlitePlace, van: HandVan) -> None:
    with running(broker, sqlite_place):
        van.send_track(1, 60)
        van.receipt_for(tseq=60)
        van.receipts.clear()
        van.send_health(ledgers(tseq=(60, 60)))
        van.send_event(1)
        van.receipt_for(seq=1)
    assert len(van.receipts) == 1


@pytest.mark.parametrize("moment", ["Store.keep", "BrokerLink.acknowledge", "BrokerLink.publish"])
def test_a_receiver_killed_around_its_commit_leaves_nothing_out_and_nothing_twice(
    broker: Mosquitto, place: Place, van: HandVan, moment: str
) -> None:
    before = subscriptions(broker)
    command = [sys.executable, "-P", "-c", DYING, str(broker.port), place.url, *moment.split(".")]
    dying = subprocess.Popen(command, cwd=ROOT)
    eventually(lambda: subscriptions(broker) > before)
    van.send_track(1, 60)
    van.send_event(1)
    assert dying.wait(30) == -signal.SIGKILL
    assert van.receipts == []
    with running(broker, place):
        van.send_birth()
        van.send_track(61, 70)
        van.send_event(2)
        van.receipt_for(tseq=70, seq=2)
    store = opened(place, writing=False)
    counts = store.counts("van-12")
    store.close()
    assert (counts.fixes, counts.records, counts.stored_twice) == (70, 2, 0)


def test_what_arrives_while_the_receiver_is_away_waits_at_the_broker(broker: Mosquitto, sqlite_place: SqlitePlace, van: HandVan) -> None:
    with running(broker, sqlite_place):
        pass
    van.send_track(1, 60)
    with running(broker, sqlite_place):
        van.receipt_for(tseq=60)


def test_two_receivers_share_the_load_and_hold_each_record_once(broker: Mosquitto, postgres_place: PostgresPlace, tmp_path: Path) -> None:
    before = subscriptions(broker)
    receivers = [process(tmp_path, broker, postgres_place, name) for name in ("one", "two")]
    eventually(lambda: subscriptions(broker) >= before + 2)
    vans = [HandVan(broker.settings, f"van-{number}") for number in range(3)]
    for first in range(1, 601, 10):
        for van in vans:
            van.send_track(first, first + 9)
            van.send_track(max(1, first - 10), first + 4)
            van.send_event(first // 10 + 1)
    for van in vans:
        van.receipt_for(tseq=600, seq=60)
        van.close()
    logs = [ended(one) for one in receivers]
    assert all(" messages of " in log for log in logs), "one of them had nothing to do"
    store = opened(postgres_place, writing=False)
    for van in vans:
        counts = store.counts(van.unit)
        assert (counts.fixes, counts.records, counts.stored_twice) == (600, 60, 0)
    assert store.refused() == []
    store.close()


def test_broken_messages_are_set_aside_and_hold_nothing_up(broker: Mosquitto, place: Place, van: HandVan) -> None:
    foreign = {"typ": "event", "v": 1, "unit": "van-99", "boot": BOOT, "log": LOG, "seq": 1}
    broken = {
        "up/event": [b"\xff\x00", b"{}", b"[]", b"null", json.dumps(foreign).encode(), b'{"a":' * 5000],
        "up/track": [b"not deflated", b""],
        "up/health": [b"{}"],
        "up/state": [b"online"],
        "up/pod": [b"no number"],
    }
    with running(broker, place):
        for name, payloads in broken.items():
            for payload in payloads:
                van.send(name, payload)
        van.send("up/live", b"not json", qos=0)
        van.send_event(1)
        receipt = van.receipt_for(seq=1)
    assert receipt.tseq.upto == 0
    store = opened(place, writing=False)
    refused = {(row.topic.removeprefix("rp/v1/van-12/"), row.payload) for row in store.refused()}
    store.close()
    assert refused == {(name, payload) for name, payloads in broken.items() for payload in payloads} | {("up/live", b"not json")}


def test_a_numbered_message_that_breaks_the_contract_is_kept_flagged_and_receipted(
    broker: Mosquitto, sqlite_place: SqlitePlace, van: HandVan
) -> None:
    newer = {"typ": "event", "v": 2, "unit": "van-12", "log": LOG, "seq": 1, "moon": True}
    with running(broker, sqlite_place):
        van.send("up/event", json.dumps(newer).encode())
        van.send_event(2)
        van.receipt_for(seq=2)
    store = opened(sqlite_place, writing=False)
    first, second = store.events("van-12", 10)
    store.close()
    assert first.fault
    assert second.fault is None


def test_kinds_that_this_version_does_not_know_are_stored_and_receipted(broker: Mosquitto, sqlite_place: SqlitePlace, van: HandVan) -> None:
    note = json.dumps({"unit": "van-12", "log": LOG, "seq": 1, "anything": [1.5]}).encode()
    weather = json.dumps({"unit": "van-12", "log": LOG, "tseq": 1, "span": 30}).encode()
    with running(broker, sqlite_place):
        van.send("up/note", note)
        van.send("up/weather", weather)
        van.send("up/blob/" + "ab" * 32 + "/8192", b"\x00\x01")
        van.receipt_for(seq=1, tseq=30)
    store = opened(sqlite_place, writing=False)
    (record,) = store.events("van-12", 10)
    assert (record.kind, record.fault, store.refused()) == ("note", None, [])
    store.close()


def test_the_newest_position_and_state_are_kept_for_people(broker: Mosquitto, sqlite_place: SqlitePlace, van: HandVan) -> None:
    live = Live(unit="van-12", boot=BOOT, log=LOG, t=T, latitude=52.5, longitude=13.4)
    last = Last(unit="van-12", boot=BOOT, log=LOG, t=T, latitude=52.5, longitude=13.4)
    with running(broker, sqlite_place):
        van.send_birth()
        van.send(LIVE.name, encode(live), qos=0)
        van.send_message(LAST, last)
        van.send_event(1)
        van.receipt_for(seq=1)
    store = opened(sqlite_place, writing=False)
    (row,) = store.units()
    store.close()
    assert (row.state, row.log, row.live, row.last) == ("online", LOG, encode(live), encode(last))


def test_restored_from_an_old_backup_it_asks_for_what_is_missing(
    broker: Mosquitto, place: Place, van: HandVan, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with running(broker, place):
        van.send_track(1, 100)
        van.receipt_for(tseq=100)
    place.back_up()
    with running(broker, place):
        van.send_track(101, 200)
        van.send_event(1)
        van.receipt_for(tseq=200, seq=1)
    place.restore()
    van.receipts.clear()
    with running(broker, place):
        van.send_birth(2, ledgers(tseq=(200, 200), seq=(1, 1)))
        receipt = van.receipt_where(lambda receipt: bool(receipt.tseq.missing))
        assert (receipt.tseq.upto, receipt.tseq.missing, receipt.seq.missing) == (100, [[101, 200]], [[1, 1]])
        assert "unit van-12 was told that records 1 and fixes 101 to 200 are stored, but they are not" in caplog.text
        assert missing(place) == {Series.SEQ: [(1, 1)], Series.TSEQ: [(101, 200)]}
        van.send_track(101, 200)
        van.send_event(1)
        receipt = van.receipt_for(tseq=200, seq=1)
        assert (receipt.tseq.missing, receipt.seq.missing) == ([], [])
    assert missing(place) == {Series.SEQ: [], Series.TSEQ: []}


def missing(place: Place) -> dict[Series, list[tuple[int, int]]]:
    """What the gap report says that neither side holds."""
    store = opened(place, writing=False)
    found = {row.series: gap(row).missing for row in store.series("van-12")}
    store.close()
    return found


def test_without_its_database_it_waits_and_acknowledges_nothing(
    broker: Mosquitto, postgres_server: Postgres, postgres_place: PostgresPlace, van: HandVan, caplog: pytest.LogCaptureFixture
) -> None:
    with running(broker, postgres_place):
        van.send_track(1, 60)
        van.receipt_for(tseq=60)
        postgres_server.stop()
        try:
            van.send_track(61, 120)
            eventually(lambda: "cannot be used now" in caplog.text)
            assert van.receipts[-1].tseq.upto == 60
        finally:
            postgres_server.start()
        van.receipt_for(tseq=120)
    assert "Traceback" not in caplog.text


def test_it_starts_before_its_database_does(
    broker: Mosquitto, postgres_server: Postgres, postgres_place: PostgresPlace, van: HandVan, caplog: pytest.LogCaptureFixture
) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=receive, args=(settings(broker, postgres_place), stop))
    postgres_server.stop()
    try:
        thread.start()
        eventually(lambda: "cannot be used now" in caplog.text)
    finally:
        postgres_server.start()
    eventually(lambda: subscriptions(broker) > 0)
    van.send_birth()
    van.receipt_for()
    stop.set()
    thread.join(30)


def test_it_finds_its_broker_again(broker: Mosquitto, sqlite_place: SqlitePlace, van: HandVan) -> None:
    with running(broker, sqlite_place):
        before = subscriptions(broker)
        broker.restart(kill=True)
        eventually(lambda: subscriptions(broker) > before)
        van.reconnect()
        van.send_track(1, 60)
        van.receipt_for(tseq=60)


def test_many_units_at_once_are_all_answered_in_one_session(broker: Mosquitto, sqlite_place: SqlitePlace) -> None:
    vans = [HandVan(broker.settings, f"van-{number}") for number in range(45)]
    with running(broker, sqlite_place):
        pass  # the subscription stands; what comes now is handed over in one piece
    for van in vans:
        van.send_birth()
    with running(broker, sqlite_place):
        for van in vans:
            van.receipt_for()
            van.close()
        assert subscriptions(broker) == 2, "the broker ended the session"


def test_a_message_that_the_database_cannot_take_does_not_hold_up_the_others(
    broker: Mosquitto, place: Place, van: HandVan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisonous(topic: str, payload: bytes, received_ms: int) -> list[Item]:
        found = read(topic, payload, received_ms)
        record = found[0]
        poison = isinstance(record, Record) and record.number == 2
        return [Record(unit="van-12", log=LOG, series=Series.SEQ, number=2, span=2**70, kind="event", payload=payload)] if poison else found

    monkeypatch.setattr("fleet.receiver.read", poisonous)
    with running(broker, place):
        pass
    for number in (1, 2, 3):
        van.send_event(number)
    with running(broker, place):
        receipt = van.receipt_where(lambda receipt: [3, 3] in receipt.seq.also)
    assert receipt.seq.upto == 1
    store = opened(place, writing=False)
    (row,) = store.refused()
    store.close()
    assert "does not take a value" in row.reason


def test_sigterm_ends_it_with_everything_acknowledged_stored(
    broker: Mosquitto, sqlite_place: SqlitePlace, van: HandVan, tmp_path: Path
) -> None:
    before = subscriptions(broker)
    started = process(tmp_path, broker, sqlite_place)
    eventually(lambda: subscriptions(broker) > before)
    for first in range(1, 3001, 60):
        van.send_track(first, min(3000, first + 59))
    van.receipt_where(lambda receipt: receipt.tseq.upto >= 60)
    assert "stopped in order" in ended(started)
    with running(broker, sqlite_place):
        van.send_birth()
        van.receipt_for(tseq=3000)


def test_sigterm_ends_it_while_broker_and_database_are_away(broker: Mosquitto, tmp_path: Path) -> None:
    broker.stop()
    started = process(tmp_path, broker, SqlitePlace(tmp_path))
    assert started.stderr is not None
    assert any("nobody answers at 127.0.0.1" in line for line in started.stderr)
    ended(started)


def test_a_store_that_can_never_work_ends_it_with_one_sentence(broker: Mosquitto, tmp_path: Path) -> None:
    started = process(tmp_path, broker, SqlitePlace(tmp_path / "nowhere"))
    _, log = started.communicate(timeout=30)
    assert started.returncode == 1
    assert len(log.splitlines()) == 1
    assert "there is no folder" in log


def test_two_receivers_of_one_name_are_told_apart_in_the_log(
    broker: Mosquitto, sqlite_place: SqlitePlace, caplog: pytest.LogCaptureFixture
) -> None:
    with running(broker, sqlite_place), running(broker, sqlite_place):
        eventually(lambda: "another receiver has the same `name`: each needs its own" in caplog.text)


def test_without_a_name_a_receiver_is_called_after_its_host(broker: Mosquitto) -> None:
    assert FleetSettings(broker=broker.settings).client_id == f"receiver-{socket.gethostname()}"
