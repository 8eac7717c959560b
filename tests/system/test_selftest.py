"""The self-test against the real daemon, a real broker and a real receiver, as a technician runs it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from cli.main import main
from firmware.selftest import LEDGER
from firmware.selftest.drill import promises
from firmware.selftest.finding import KEYS
from tests.eventually import eventually
from tests.system.broker import Mosquitto, free_port
from tests.system.daemon_rig import ROOT, UNIT, DaemonRig
from tests.system.receivers import real_receiver

GARBAGE_BYTES = 1_500  # at once, fewer than the line holds: enough for one speed


@pytest.fixture
def van(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[DaemonRig]:
    """A unit whose broker is the test's, or does not answer."""
    port = request.getfixturevalue("broker").port if "broker" in request.fixturenames else free_port()
    rig = DaemonRig(tmp_path, port, speed=10)
    yield rig
    rig.close()


def command(van: DaemonRig, *words: str) -> list[str]:
    return [sys.executable, "-m", "cli", "selftest", "--config", str(van.config), *words]


def found_by(van: DaemonRig, *words: str) -> tuple[dict[str, dict[str, object]], int]:
    """The findings by their keys, and the exit code."""
    told = io.StringIO()
    with redirect_stdout(told):
        code = main(["selftest", "--config", str(van.config), "--json", *words])
    return {found["key"]: found for found in map(json.loads, told.getvalue().splitlines())}, code


def test_a_healthy_unit_is_told_part_by_part_and_its_test_record_reaches_the_fleet(
    broker: Mosquitto, van: DaemonRig, tmp_path: Path
) -> None:
    with real_receiver(broker.settings, tmp_path) as receiver:
        van.start_and_wait()
        van.drive.start()
        eventually(lambda: van.seen().has_fix and van.seen().link == "online", 30)
        found, code = found_by(van)
        assert list(found) == list(KEYS)
        assert code == 0, found
        states = {key: found[key]["state"] for key in ("gnss", "antenna", "ignition", "storage", "broker", "record")}
        assert set(states.values()) == {"ok"}, found
        facts = found["record"]["facts"]
        assert isinstance(facts, dict)
        with receiver.store() as store:
            assert store.counts(UNIT).records >= facts["seq"]
        assert van.end() == 0
    assert "Traceback" not in van.told()
    assert not (tmp_path / "run" / "control.sock").exists()


def test_a_receiver_that_talks_rubbish_is_listened_to_at_every_speed_while_the_daemon_runs(van: DaemonRig) -> None:
    van.start_and_wait()
    with subprocess.Popen(command(van, "--json", "gnss"), cwd=ROOT, stdout=subprocess.PIPE, text=True) as asking:
        while asking.poll() is None:
            van.line.write(os.urandom(GARBAGE_BYTES))
            try:
                asking.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        assert asking.stdout is not None
        rubbish = json.loads(asking.stdout.readline())
    assert rubbish["sentence"].startswith("No sentences at any speed, though bytes come from")


def test_a_silent_receiver_no_receiver_at_the_fleet_and_no_broker_are_told_apart(broker: Mosquitto, van: DaemonRig) -> None:
    van.start_and_wait()
    silent, code = found_by(van, "gnss", "antenna")
    assert (silent["gnss"]["state"], code) == ("bad", 1)
    assert str(silent["gnss"]["sentence"]).startswith("No byte comes from")
    eventually(lambda: van.seen().link == "no_receiver", 30)
    lonely, code = found_by(van, "broker", "record")
    assert [lonely[key]["state"] for key in ("broker", "record")] == ["warn", "bad"]
    assert (code, "the fleet's receiver does not run" in str(lonely["record"]["sentence"])) == (1, True)
    broker.kill()
    eventually(lambda: "refused" in van.seen().link_sentence, 30)
    gone, _ = found_by(van, "broker")
    assert "connection refused" in str(gone["broker"]["sentence"])


def test_without_the_daemon_the_parts_are_tried_all_the_same(broker: Mosquitto, van: DaemonRig) -> None:
    van.start_and_wait()
    van.drive.start()
    van.end(signal.SIGKILL)  # its socket stays behind
    found, code = found_by(van, "gnss", "storage", "broker", "record")
    assert code == 0, found
    assert [found[key]["state"] for key in ("gnss", "storage", "broker", "record")] == ["ok", "ok", "ok", "skipped"]


def test_kill_9_in_the_middle_of_the_drill_costs_no_record_that_was_promised(van: DaemonRig) -> None:
    van.start_and_wait()
    with subprocess.Popen(command(van, "--plug"), cwd=ROOT, stdout=subprocess.PIPE, text=True) as drill:
        ledger = van.journal / LEDGER
        eventually(lambda: ledger.exists() and len((promises(ledger) or ("", []))[1]) >= 3, 30)
        van.end(signal.SIGKILL)
        assert drill.wait(20) == 0
    van.start_and_wait()
    found, _ = found_by(van, "plug")
    facts = found["plug"]["facts"]
    assert isinstance(facts, dict)
    assert (facts["lost"], facts["cut"], facts["promised"] >= 3) == (0, "process", True)
    assert not ledger.exists()


def test_ctrl_c_ends_the_drill_and_one_whose_promises_cannot_be_written_is_refused(van: DaemonRig) -> None:
    van.start_and_wait()
    with subprocess.Popen(command(van, "--plug"), cwd=ROOT, stdout=subprocess.PIPE, text=True) as drill:
        eventually((van.journal / LEDGER).exists, 30)
        drill.send_signal(signal.SIGINT)
        assert drill.wait(20) == 1
    eventually(lambda: not (van.journal / LEDGER).exists(), 10)
    (van.journal / f"{LEDGER}.new").mkdir()
    done = subprocess.run(command(van, "--plug"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "test storage first" in done.stderr) == (2, True), done


def test_what_is_no_part_and_a_file_that_is_no_settings_are_typed_wrongly(van: DaemonRig) -> None:
    done = subprocess.run(command(van, "gps"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, 'there is no part "gps"' in done.stderr) == (2, True)
