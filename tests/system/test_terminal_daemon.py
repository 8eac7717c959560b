"""The daemon with a driver's screen: its page answers, its proofs leave, and without a screen none of it is loaded."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.config import SettingsError, load
from tests.eventually import eventually
from tests.proofs import keys_of_the_session
from tests.system.broker import Mosquitto, free_port
from tests.system.daemon_rig import ROOT, DaemonRig

# What a unit without a screen has no use for.
HEAVY = ("starlette", "uvicorn", "cryptography", "zxingcpp", "PIL", "firmware.terminal.cab", "firmware.kiosk", "firmware.terminal.terminal")


@pytest.fixture
def unit(broker: Mosquitto, tmp_path: Path) -> Iterator[DaemonRig]:
    rig = DaemonRig(tmp_path, broker.port)
    yield rig
    rig.close()


def state(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/state", timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def test_the_page_of_a_unit_with_a_screen_answers_and_ends_in_order(unit: DaemonRig) -> None:
    port = free_port()
    unit.with_terminal(keys_of_the_session().folder, port)
    unit.start_and_wait()
    eventually(lambda: state(port)["screen"] == "signin")
    assert state(port)["moving"] in {False, True}
    assert unit.end() == 0
    assert "Traceback" not in unit.told()
    assert unit.told().count(f"the driver's page is at http://127.0.0.1:{port}/") == 1


def refusal(unit: DaemonRig) -> str:
    """What the daemon says of settings with which it cannot start."""
    assert unit.start().wait(30) == 2, unit.told()
    return unit.told()


@pytest.mark.parametrize("spoil", ["gone", "open to all", "no key"])
def test_a_key_that_cannot_be_used_is_one_sentence(unit: DaemonRig, tmp_path: Path, spoil: str) -> None:
    keys = tmp_path / "keys"
    shutil.copytree(keys_of_the_session().folder, keys)
    key = keys / "unit" / "unit.key"
    if spoil == "gone":
        key.unlink()
    elif spoil == "open to all":
        key.chmod(0o644)
    else:
        key.write_bytes(b"no key")
    unit.with_terminal(keys, free_port())
    (told,) = refusal(unit).splitlines()
    assert told.startswith(f"roadproof: {unit.config}: evidence.key: ")
    assert str(key) in told


def test_a_taken_port_is_one_sentence(unit: DaemonRig) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        unit.with_terminal(keys_of_the_session().folder, port)
        (told,) = refusal(unit).splitlines()
    assert told.startswith(f"roadproof: {unit.config}: terminal.port: ")
    assert str(port) in told


def test_a_screen_without_keys_is_one_sentence(unit: DaemonRig) -> None:
    with unit.config.open("a", encoding="utf-8") as file:
        file.write("[terminal]\nenabled = true\n")
    with pytest.raises(SettingsError) as refusal:
        load(unit.config)
    assert str(refusal.value) == (
        f"{unit.config}: terminal.enabled = true needs the section [evidence] with certificate, key, issuing, root, receiver, seal_to"
    )


def test_a_unit_without_a_screen_loads_nothing_of_it() -> None:
    loaded = f"print([name for name in {HEAVY!r} if name in sys.modules])"
    program = f"import sys; from cli.main import parser; parser('run'); import firmware.app; {loaded}"
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
