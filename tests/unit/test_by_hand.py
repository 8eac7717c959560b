"""The manual for setting up a unit: its blocks are sound shell, its settings are accepted, its services exist."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from drivers.board import load_profile
from firmware.config import Config
from mqtt import settings
from provisioning.package.places import belongs_to

ROOT = Path(__file__).resolve().parents[2]
MANUAL = (ROOT / "provisioning" / "by-hand.md").read_text(encoding="utf-8")
BLOCKS = [match[1] for match in re.finditer(r"^```sh ?\w*\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL)]
SETTINGS = re.findall(r"^cat >/etc/roadproof/roadproof.toml <<'EOF'\n(.*?)^EOF$", MANUAL, re.MULTILINE | re.DOTALL)
ENROLLED = {"unit": "van-017", "broker": {"host": "127.0.0.1"}}  # what an enrolment puts beneath the file
UNITS = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "systemd").glob("roadproof*.*") if file.suffix != ".conf"}


def switched(word: str) -> set[str]:
    """The units of ours that the manual's `systemctl WORD` names, each with its suffix."""
    lines = re.findall(rf"^systemctl {word}(?: --now)? (.+)$", MANUAL, re.MULTILINE)
    names = {name for line in lines for name in line.split() if name.startswith("roadproof")}
    return {name if "." in name else f"{name}.service" for name in names}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0][:40])
def test_every_block_is_sound_shell(block: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False, timeout=10)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_units_settings_are_accepted_with_and_without_an_enrolment() -> None:
    enrolled, plain = [tomllib.loads(text) for text in SETTINGS]
    for table in (ENROLLED | enrolled, plain):
        config = settings.read(table, Config)
        assert config.unit == "van-017"
        load_profile(config.board.profile)


def test_every_unit_that_is_switched_on_exists() -> None:
    assert switched("enable") - UNITS.keys() == set()


def test_no_service_of_the_vehicle_is_forgotten() -> None:
    startable = {name for name, text in UNITS.items() if "[Install]" in text and belongs_to(name) == "roadproof"}
    assert startable - switched("enable") == set()


def test_what_is_switched_on_is_switched_off_again() -> None:
    assert switched("enable") == switched("disable")
