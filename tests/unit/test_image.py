"""The recipe of the fleet's image names only what there is; that it builds, only a build can show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioning.package.deb import RECOMMENDS

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "provisioning" / "image"
LAYER = IMAGE / "layer" / "roadproof.yaml"
OVERLAY = IMAGE / "layer" / "roadproof.d" / "customize.overlay"
CONFIGS = sorted((IMAGE / "config").glob("*.yaml"))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def declared() -> dict[str, str]:
    """The fields of the layer's header."""
    header = LAYER.read_text(encoding="utf-8").partition("# METAEND")[0]
    return dict(re.findall(r"^# (X-Env-[\w-]+): (.+)$", header, re.MULTILINE))


def service(unit: str) -> str:
    return (ROOT / "systemd" / unit).read_text(encoding="utf-8")


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_an_image_is_for_a_board_that_has_a_profile(config: Path) -> None:
    told = read(config)
    assert (ROOT / "hardware" / "boards" / f"{told['roadproof']['board']}.toml").is_file()
    assert told["device"]["layer"] == told["roadproof"]["board"].replace("raspberry-pi-", "rpi")


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_an_image_has_two_slots_and_our_layer(config: Path) -> None:
    told = read(config)
    assert told["image"]["layer"] == "image-rota"
    assert told["layer"]["app"] == declared()["X-Env-Layer-Name"]


def test_every_variable_that_a_config_sets_is_declared_by_the_layer() -> None:
    assert {f"X-Env-Var-{key}" for config in CONFIGS for key in read(config)["roadproof"]} <= set(declared())


def test_every_variable_that_a_hook_reads_is_declared_by_the_layer() -> None:
    read_names = set(re.findall(r"IGconf_roadproof_(\w+)", "\n".join(read(LAYER)["mmdebstrap"]["customize-hooks"])))
    assert {f"X-Env-Var-{name}" for name in read_names} <= set(declared())


def test_the_firmware_lines_are_where_the_layer_looks_for_them() -> None:
    place = declared()["X-Env-Var-boot_config"].replace("${@SRCROOT}", str(IMAGE))
    assert Path(place).is_file()


def test_the_layer_installs_what_the_package_recommends() -> None:
    packages = set(read(LAYER)["mmdebstrap"]["packages"])
    of_other_layers = {name for config in CONFIGS for name in read(config)["layer"].values()}
    assert set(RECOMMENDS["roadproof"]) <= packages | of_other_layers


def test_the_settings_that_a_hook_changes_stand_in_the_packages_file() -> None:
    settings = (ROOT / "provisioning/package/debian/roadproof.toml").read_text(encoding="utf-8")
    assert re.findall(r"^#(profile|enabled) = ", settings, re.MULTILINE) == ["profile", "enabled"]


def test_what_both_slots_share_is_the_folder_of_the_daemon() -> None:
    shared = (OVERLAY / "etc/rpi-image-gen/slot-shared.d/roadproof.conf").read_text(encoding="utf-8").splitlines()
    assert "Version=1" in shared
    assert [line for line in shared if line.startswith("Path=")] == ["Path=/var/lib/roadproof"]
    assert "\nStateDirectory=roadproof\n" in service("roadproof.service")


def test_every_drop_in_belongs_to_a_service_that_there_is() -> None:
    folders = [path for path in OVERLAY.rglob("*.service.d") if path.is_dir()]
    assert folders
    assert [folder.name for folder in folders if not (ROOT / "systemd" / folder.stem).with_suffix(".service").is_file()] == []
