"""The daemon as a real process: how it starts, what it saves, how it ends."""

from __future__ import annotations

import random
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from firmware.journal.look import JournalLook
from firmware.journal.pressure import decode_points
from mqtt import topics
from mqtt.messages import State
from tests.eventually import eventually
from tests.system.broker import Mosquitto, free_port
from tests.system.contract_watch import watched
from tests.system.daemon_rig import UNIT, DaemonRig
from tests.system.receivers import StandIn, real_receiver, stand_in

Start = Callable[..., DaemonRig]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Start]:
    made: list[DaemonRig] = []

    def make(port: int, **settings: object) -> DaemonRig:
        made.append(DaemonRig(tmp_path, port, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[socket.socket]:
    """What systemd hears."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(15)
        yield listener


def on_card(rig: DaemonRig) -> tuple[list[int], list[str]]:
    """The times of the fixes and the names of the events that the journal holds."""
    with JournalLook(rig.journal / "journal.db") as look:
        rows = [row for row, good in look.rows() if good]
    fixes = [point.t_ms for row in rows if row.kind == "track" for point in decode_points(row)]
    return fixes, [msgspec.json.decode(row.payload)["event"] for row in rows if row.kind == "event"]


def test_from_the_serial_line_to_the_fleet_s_store_through_a_kill_and_back(broker: Mosquitto, rig: Start, tmp_path: Path) -> None:
    van = rig(broker.port, speed=10, commit_s=1)
    with watched(broker.settings) as watch, real_receiver(broker.settings, tmp_path) as receiver:
        van.start_and_wait()
        van.drive.start()
        eventually(lambda: van.seen().tseq.receipted > 60, 30)
        van.end(signal.SIGKILL)
        van.start_and_wait()
        begun = van.seen().tseq.receipted
        eventually(lambda: van.seen().tseq.receipted > begun + 60, 30)
        assert van.end() == 0
        last = van.seen()
        assert (last.tseq.waiting, last.seq.waiting) == (0, 0)
        with receiver.store() as store:
            counts = store.counts(UNIT)
        assert (counts.fixes, counts.records, counts.stored_twice) == (last.tseq.issued, last.seq.issued, 0)
        assert watch.on(topics.LIVE)
    assert "Traceback" not in van.told()


def test_kill_9_at_any_moment_costs_ten_seconds_of_positions_at_most_and_no_event(rig: Start) -> None:
    """At ten times the speed 10 s of the unit's time are 100 fixes."""
    van = rig(free_port(), speed=10)
    chance = random.Random(9)
    van.drive.start()
    lost, keys = [], 0
    for _ in range(5):
        van.start_and_wait()
        read = van.seen().fixes_read
        eventually(lambda: van.seen().fixes_read >= read + chance.randrange(5, 40), 30)  # noqa: B023  called at once
        before = on_card(van)[1].count("ignition.off") + on_card(van)[1].count("ignition.on")
        seen = van.seen()
        van.end(signal.SIGKILL)
        written = on_card(van)[0]
        newest_ms = seen.position.at_ms if seen.position else 0
        lost.append(len([1 for _ in range(max(0, (newest_ms - max(written, default=newest_ms)) // 1_000))]))
        keys = on_card(van)[1].count("ignition.off") + on_card(van)[1].count("ignition.on")
        assert keys >= before
        assert on_card(van)[1].count("power.on") >= 1
    print(f"fixes lost by each kill: {lost}")
    assert max(lost) <= 110
    assert on_card(van)[1].count("power.on") == 5
    times = on_card(van)[0]
    assert len(times) == len(set(times))


def test_an_event_is_on_the_card_before_a_kill_that_follows_it(rig: Start) -> None:
    van = rig(free_port())
    van.start_and_wait()
    for turn in range(3):
        van.hands.turn_key(on=turn % 2 == 0)
        eventually(lambda: van.seen().ignition == (turn % 2 == 0))  # noqa: B023  called at once
        van.end(signal.SIGKILL)
        assert [name for name in on_card(van)[1] if name.startswith("ignition")][-1:] == [("ignition.on", "ignition.off")[turn % 2]]
        van.start_and_wait()


def test_sigterm_ends_it_with_zero_and_nothing_unsaved(rig: Start) -> None:
    van = rig(free_port())
    van.start_and_wait()
    van.drive.start()
    eventually(lambda: van.seen().fixes_held >= 3, 30)
    assert van.end() == 0
    van.drive.stop()
    last = van.seen()
    assert last.tseq.issued == last.fixes_read
    assert len(on_card(van)[0]) == last.fixes_read
    assert "Traceback" not in van.told()


@pytest.mark.parametrize("worker", ["recorder", "uplink", "status"])
def test_dead_worker_ends_the_process_with_an_error(broker: Mosquitto, rig: Start, tmp_path: Path, worker: str) -> None:
    with stand_in(broker.settings, UNIT):
        van = rig(broker.port)
        van.start_and_wait(broken=(str(tmp_path / "cue"), "raise", worker))
        van.drive.start()
        eventually(lambda: van.seen().fixes_held >= 2 and van.seen().link == "online", 30)
        (tmp_path / "cue").touch()
        begun_s = time.monotonic()
        assert van.process is not None
        assert van.process.wait(20) == 1
        print(f"{worker} died, the process ended after {time.monotonic() - begun_s:.2f} s")
    assert f"{worker} failed; the program ends, so that it is started again" in van.told()
    assert len(on_card(van)[0]) >= 2


def test_stalled_worker_starves_the_watchdog_and_ends_the_process(rig: Start, bell: socket.socket, tmp_path: Path) -> None:
    van = rig(free_port())
    van.start(bell=tmp_path / "notify", broken=(str(tmp_path / "cue"), "hang", "uplink"))
    assert bell.recv(1_000) == b"READY=1"
    assert bell.recv(1_000).startswith(b"WATCHDOG=1\nSTATUS=")
    (tmp_path / "cue").touch()
    assert van.process is not None
    assert van.process.wait(20) == 1
    told = b""
    while told != b"STOPPING=1":
        told = bell.recv(1_000)
    bell.settimeout(0)
    with pytest.raises(BlockingIOError):
        bell.recv(1_000)
    assert "uplink has not moved for" in van.told()


def test_systemd_hears_ready_then_a_sentence_then_stopping(rig: Start, bell: socket.socket, tmp_path: Path) -> None:
    port = free_port()
    van = rig(port)
    van.start(bell=tmp_path / "notify")
    assert bell.recv(1_000) == b"READY=1"
    told = ""
    while f"nobody answers at 127.0.0.1:{port}" not in told:
        told = bell.recv(1_000).decode()
    assert told.startswith("WATCHDOG=1\nSTATUS=")
    assert van.end() == 0
    while told != "STOPPING=1":
        told = bell.recv(1_000).decode()


def states(deliveries: list) -> list[str]:  # type: ignore[type-arg]
    return [msgspec.json.decode(one.payload, type=State).state for one in deliveries]


def test_after_kill_9_the_broker_says_offline_and_after_sigterm_it_does_not(broker: Mosquitto, rig: Start) -> None:
    """The will's delay is 60 s in the field; here the unit asks for none."""
    van = rig(broker.port)
    hurried = "import sys; from firmware.uplink import uplink; uplink.WILL_DELAY_S = 0; from cli.main import main; sys.exit(main())"
    van.program = ["-c", hurried]
    with watched(broker.settings) as watch, stand_in(broker.settings, UNIT):
        van.start_and_wait()
        eventually(lambda: states(watch.on(topics.STATE)) == ["online"])
        assert van.end() == 0
        eventually(lambda: states(watch.on(topics.STATE)) == ["online", "asleep"])
        van.start_and_wait()
        eventually(lambda: states(watch.on(topics.STATE))[2:] == ["online"])
        van.end(signal.SIGKILL)
        eventually(lambda: states(watch.on(topics.STATE))[2:] == ["online", "offline"])


def test_a_broker_that_swallows_everything_does_not_keep_it_from_an_orderly_end(rig: Start) -> None:
    """A worker that does not end is left behind after 8 s."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        van = rig(silent.getsockname()[1])
        van.start_and_wait()
        van.drive.start()
        eventually(lambda: van.seen().fixes_held >= 2, 30)
        assert van.end() == 0
    assert len(on_card(van)[0]) >= 2


def test_a_unit_without_a_network_records_on(rig: Start) -> None:
    van = rig(free_port(), speed=10, commit_s=1)
    van.start_and_wait()
    van.drive.start()
    eventually(lambda: van.seen().tseq.issued > 50, 30)
    seen = van.seen()
    assert seen.link == "tcp"
    assert "nobody answers at 127.0.0.1" in seen.link_sentence
    assert van.end() == 0


def test_a_journal_that_was_damaged_is_told_to_the_fleet(broker: Mosquitto, rig: Start) -> None:
    van = rig(free_port())
    van.start_and_wait()
    van.end()
    with (van.journal / "journal.db").open("r+b") as file:
        file.write(bytes(4_096))
    van.config.write_text(van.config.read_text().replace("\nport = ", f"\nport = {broker.port} # "))
    with watched(broker.settings), stand_in(broker.settings, UNIT) as receiver:
        van.start_and_wait()
        eventually(lambda: "storage.salvaged" in names_of(receiver))
        assert names_of(receiver)[0] == "power.on"
    assert "Traceback" not in van.told()


def names_of(receiver: StandIn) -> list[str]:
    return [msgspec.json.decode(payload)["event"] for _, payload in sorted(receiver.records.items())]


def test_the_status_file_is_whole_at_every_moment(rig: Start) -> None:
    van = rig(free_port())
    van.start_and_wait()
    for _ in range(2_000):
        assert van.status() is not None
    with closing(sqlite3.connect(van.journal / "journal.db")) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
