"""`roadproof fleet send-run` against a real broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import main
from mqtt import schema, topics
from mqtt.link import BrokerLink
from mqtt.messages import Run, decode
from mqtt.session import Delivery
from tests.system.broker import Mosquitto

RUN = {
    "day": "2026-05-04",
    "drivers": [{"driver_id": "d1", "name": "Łukasz", "pin": "2468"}],
    "stops": [{"stop_id": "s1", "address": "شارع الملك فهد 12"}],
}


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    file = tmp_path / "run.json"
    file.write_text(json.dumps(RUN), encoding="utf-8")
    return file


def config(folder: Path, broker: Mosquitto, *lines: str) -> str:
    file = folder / "fleet.toml"
    file.write_text("\n".join(["[broker]", 'host = "127.0.0.1"', f"port = {broker.port}", "tls = false", *lines, ""]), encoding="utf-8")
    return str(file)


def sent(broker: Mosquitto) -> tuple[Run, bool]:
    """What a unit that comes late is given."""
    link = BrokerLink(broker.settings, "late", [topics.RUN.topic("van-12")])
    link.connect()
    happening = link.inbox.get(timeout=10)
    link.close(orderly=True)
    assert isinstance(happening, Delivery)
    assert schema.check(happening.topic, happening.payload) == []
    run = decode(happening.payload, Run)
    assert isinstance(run, Run)
    return run, happening.retained


def test_a_run_waits_for_its_unit_and_each_one_has_a_higher_version(
    broker: Mosquitto, run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fleet", "send-run", str(run_file), "--unit", "van-12", "--config", config(tmp_path, broker)]
    assert main(words) == 0
    first, retained = sent(broker)
    assert retained
    assert main(words) == 0
    second, _ = sent(broker)
    assert second.n == first.n + 1
    assert second.plan.stops[0].address == "شارع الملك فهد 12"
    assert f"version {second.n} (it had version {first.n})" in capsys.readouterr().out


def test_a_version_in_the_file_counts_and_an_old_one_is_refused(
    broker: Mosquitto, run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fleet", "send-run", str(run_file), "--unit", "van-12", "--config", config(tmp_path, broker)]
    run_file.write_text(json.dumps({**RUN, "n": 70}), encoding="utf-8")
    assert main(words) == 0
    assert sent(broker)[0].n == 70
    assert main(words) == 1
    assert "the unit has version 70 already" in capsys.readouterr().err


def test_a_login_that_may_not_write_runs_is_told_so(tmp_path: Path, run_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    (folder / "acl").write_text("topic read rp/v1/+/dn/#\n", encoding="utf-8")
    strict = Mosquitto(folder, lines=(f"acl_file {folder / 'acl'}",))
    strict.start()
    try:
        assert main(["fleet", "send-run", str(run_file), "--unit", "van-12", "--config", config(tmp_path, strict)]) == 1
    finally:
        strict.stop()
    told = capsys.readouterr().err
    assert "this login may not write there" in told
    assert len(told.splitlines()) == 1


def test_a_faulty_file_is_not_sent_and_each_fault_is_a_line(
    broker: Mosquitto, run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_file.write_text(json.dumps({**RUN, "day": "today", "stops": [{"stop_id": "s1"}]}), encoding="utf-8")
    assert main(["fleet", "send-run", str(run_file), "--unit", "van-12", "--config", config(tmp_path, broker)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[2] for line in lines] == ["day", "stops[0].address"]


def test_a_broker_that_is_away_is_one_sentence(
    broker: Mosquitto, run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = config(tmp_path, broker)
    broker.stop()
    assert main(["fleet", "send-run", str(run_file), "--unit", "van-12", "--config", where]) == 1
    assert "nobody answers at 127.0.0.1" in capsys.readouterr().err
