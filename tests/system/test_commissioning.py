"""A real unit commissioned on its screen: every part tested by the daemon, the touch measured, the report signed, kept and sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from firmware.selftest.finding import KEYS
from mqtt.evidence import report
from tests.eventually import eventually
from tests.proofs import Keys, keys_of_the_session
from tests.system.broker import Mosquitto, free_port
from tests.system.daemon_rig import UNIT, DaemonRig

ADDRESS = "/api/v1/selftest"


@pytest.fixture
def keys() -> Keys:
    return keys_of_the_session()


@pytest.fixture
def unit(broker: Mosquitto, keys: Keys, tmp_path: Path) -> Iterator[DaemonRig]:
    rig = DaemonRig(tmp_path, broker.port)
    rig.with_terminal(keys.folder, free_port())
    yield rig
    rig.close()


def screen_of(unit: DaemonRig) -> httpx.Client:
    port = unit.config.read_text().partition("[terminal]\nenabled = true\nport = ")[2].partition("\n")[0]
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)


def test_a_unit_is_commissioned_on_its_screen(unit: DaemonRig, keys: Keys) -> None:
    unit.start_and_wait()
    with screen_of(unit) as screen:
        measured = screen.post(ADDRESS, json={"ask": "touch", "targets": 9, "hit": 9, "worst_px": 12, "breaks": 0}).json()
        assert [one["key"] for one in measured["findings"]] == ["touch"]
        assert screen.post(ADDRESS, json={"ask": "run"}).json()["running"] is True
        eventually(lambda: not screen.get(ADDRESS).json()["running"], 90)
        found: list[dict[str, Any]] = screen.get(ADDRESS).json()["findings"]
        assert [one["key"] for one in found] == list(KEYS)
        assert {one["key"]: one["state"] for one in found}["touch"] == "ok"
        told = screen.post(ADDRESS, json={"ask": "report"}).json()["report"]
    paper = report.read_paper(Path(told["file"]).read_bytes())
    said = report.check(paper, root=keys.authorities.root)
    assert (said.unit, said.vehicle, told["fingerprint"]) == (UNIT, None, paper.fingerprint)
    assert {line.key: line.text for line in said.findings} == {one["key"]: one["sentence"] for one in found}
    assert unit.end() == 0
    assert "Traceback" not in unit.told()
