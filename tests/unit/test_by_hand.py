"""The manual for setting up a unit: its blocks are sound shell and its settings are accepted."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import msgspec
import pytest

from drivers.board import load_profile
from firmware.config import Config
from fleet.config import FleetSettings
from mqtt import settings

MANUAL = (Path(__file__).resolve().parents[2] / "provisioning" / "by-hand.md").read_text(encoding="utf-8")
BLOCKS = [match[1] for match in re.finditer(r"^```sh ?\w*\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL)]


def written(name: str) -> list[str]:
    """The files that the manual writes under this name."""
    return re.findall(rf"^cat >/etc/roadproof/{name} <<'EOF'\n(.*?)^EOF$", MANUAL, re.MULTILINE | re.DOTALL)


def read(text: str, kind: type[msgspec.Struct]) -> msgspec.Struct:
    return settings.read(tomllib.loads(text), kind)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0][:40])
def test_every_block_is_sound_shell(block: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False, timeout=10)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("text", written("roadproof.toml"))
def test_the_units_settings_are_accepted_as_they_stand(text: str) -> None:
    config = read(text, Config)
    assert isinstance(config, Config)
    assert config.unit == "van-017"
    load_profile(config.board.profile)


@pytest.mark.parametrize("text", written("fleet.toml"))
def test_the_receivers_settings_are_accepted_as_they_stand(text: str) -> None:
    assert isinstance(read(text, FleetSettings), FleetSettings)


def test_the_manual_writes_both_files() -> None:
    assert len(written("roadproof.toml")) == 2
    assert len(written("fleet.toml")) == 1
