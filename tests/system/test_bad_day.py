"""Issue by issue what may go wrong between fleet and unit on a day: a sentence for who sent it, an event from the unit, nothing lost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from cli.mosquitto import free_port
from fleet.config import FleetSettings
from fleet.dispatch import send_run
from mqtt import settings as files
from mqtt import topics
from mqtt.link import BrokerLink
from mqtt.messages import Run, encode
from mqtt.run import Plan
from mqtt.session import Delivery, Published
from provisioning.authority import bench
from tests.eventually import eventually
from tests.system.broker import Mosquitto
from tests.system.daemon_rig import UNIT, DaemonRig
from tests.system.notaries import World
from tests.system.receivers import receiving
from tests.system.stores import SqlitePlace
from tests.terminals import run_of

GOOD: dict[str, Any] = {
    "day": "2026-12-11",
    "drivers": [{"driver_id": "d-1", "name": "A. Driver", "pin": "2468"}],
    "stops": [
        {"stop_id": "s-1", "address": "1 Example Street", "lines": [{"line_id": "1", "name": "Parcel", "codes": ["PARCEL-1"]}]},
        {"stop_id": "s-2", "address": "2 Example Street", "lines": [{"line_id": "1", "name": "Parcel", "codes": ["PARCEL-2"]}]},
    ],
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def unit(broker: Mosquitto, tmp_path: Path, world: World) -> Iterator[DaemonRig]:
    """A unit with a driver's screen, whose keys the fleet knows."""
    bench.issue_unit(tmp_path / "authority", UNIT, tmp_path / "unit")
    (tmp_path / "receiver").symlink_to(tmp_path / "desk", target_is_directory=True)
    (world.units / f"{UNIT}.pem").write_bytes((tmp_path / "unit" / "unit.pem").read_bytes())
    rig = DaemonRig(tmp_path, broker.port)
    rig.with_terminal(tmp_path, free_port())
    try:
        yield rig
    finally:
        rig.close()


@pytest.fixture
def config(broker: Mosquitto, sqlite_place: SqlitePlace, world: World) -> Path:
    return world.config(sqlite_place.url, broker.port)


def refusals(config: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What the unit told of runs that it could not take."""
    capsys.readouterr()
    if main(["fleet", "events", UNIT, "--json", "--config", str(config)]) != 0:
        return []
    return [event["data"] for event in json.loads(capsys.readouterr().out) if event["event"] == "run.refused"]


def published(broker: Mosquitto, payload: bytes) -> None:
    """As a dispatch program of the fleet's own might send it, without our checks."""
    link = BrokerLink(broker.settings, f"dispatch-{time.monotonic_ns()}", [])
    link.connect()
    mid = link.publish(topics.RUN.topic(UNIT), payload, topics.RUN.qos, retain=True)
    eventually(lambda: any(isinstance(one, Published) and one.mid == mid for one in [link.inbox.get(timeout=10)]))
    link.close(orderly=True)


def sentence(capsys: pytest.CaptureFixture[str], file: Path, config: Path, told: dict[str, Any], code: int) -> str:
    file.write_text(json.dumps(told), encoding="utf-8")
    capsys.readouterr()
    assert main(["fleet", "send-run", str(file), "--unit", UNIT, "--config", str(config)]) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"stops": [{**GOOD["stops"][0], "address": 5}]}, "stops[0].address"),
        ({"stops": [GOOD["stops"][0], {**GOOD["stops"][1], "lines": GOOD["stops"][0]["lines"]}]}, "barcode 'PARCEL-1' is there 2 times"),
        ({"stops": [GOOD["stops"][0], GOOD["stops"][0] | {"lines": []}]}, "stop_id 's-1' is there 2 times"),
        ({"day": "2026-02-30"}, "day: "),
        ({"stop": []}, "unknown key; did you mean stops?"),
    ],
    ids=["breaks its schema", "a barcode twice", "a stop twice", "a day that is none", "a typing error"],
)
def test_a_run_that_cannot_be_worked_is_one_sentence_and_is_not_sent(  # noqa: PLR0917  fixtures
    change: dict[str, Any], told: str, broker: Mosquitto, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in sentence(capsys, tmp_path / "run.json", config, {**GOOD, **change}, 2)
    link = BrokerLink(broker.settings, "late", [topics.RUN.topic(UNIT)])
    link.connect()
    published(broker, b"a mark")
    first = link.inbox.get(timeout=10)
    assert isinstance(first, Delivery)
    assert first.payload == b"a mark", "a run was retained"
    link.close(orderly=True)


def test_a_version_that_goes_back_is_one_sentence(
    broker: Mosquitto, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    send_run(broker.settings, UNIT, run_of(7).plan, 7)
    told = sentence(capsys, tmp_path / "run.json", config, {**GOOD, "n": 6}, 1)
    assert "the unit has version 7 already and refuses version 6: take n out of the file, or raise it" in told


def test_what_a_unit_is_sent_past_the_checks_it_refuses_with_an_event_and_works_on(
    broker: Mosquitto, unit: DaemonRig, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = run_of(3).plan
    plan: Plan = twice.__class__(day=twice.day, drivers=twice.drivers, stops=[twice.stops[0], *twice.stops[:1]])
    bad = [
        (b'{"typ":"run","v":1', "it breaks the contract: "),
        (encode(Run(unit=UNIT, n=3, t="2026-12-11T06:00:00.000Z", plan=plan)), "barcode 'PARCEL-001' is there 2 times"),
        (encode(run_of(1, unit=UNIT)), "run.refused"),
    ]
    with receiving(broker, files.load(config, FleetSettings)):
        unit.drive.start()
        unit.start_and_wait()
        send_run(broker.settings, UNIT, run_of(2).plan, 2)
        for number, (payload, told) in enumerate(bad, 1):
            published(broker, payload)
            eventually(lambda number=number: len(refusals(config, capsys)) == number, 30)  # type: ignore[misc]  # mypy reads no default here
            assert told in json.dumps(refusals(config, capsys)[-1]) or told == "run.refused"
        assert unit.process is not None
        assert unit.process.poll() is None
        assert unit.end() == 0
