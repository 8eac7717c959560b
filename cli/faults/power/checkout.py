"""This checkout as the software of a booted root file system: its code, this machine's Python, settings and keys of a unit."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from cli.faults.power.booted import user

ROOT = Path(__file__).resolve().parents[3]
# What stands otherwise than on a unit: where Python is. Everything else of the unit is as it is installed.
PYTHON = f"""[Service]
ExecStart=
ExecStart=/opt/python/bin/python{sys.version_info.major}.{sys.version_info.minor} -P -m cli run --config /etc/roadproof/roadproof.toml
Environment=PYTHONPATH=/opt/roadproof:/opt/packages LD_LIBRARY_PATH=/opt/python/lib
"""
# Nobody is at the other end, and nothing is plugged in: neither must keep the daemon from starting.
SETTINGS = """unit = "{unit}"
[board]
profile = "simulated"
gnss_port = "/dev/ttyUSB0"
sim_socket = "/run/roadproof/panel"
[broker]
host = "127.0.0.1"
port = 1883
tls = false
[terminal]
enabled = true
[evidence]
certificate = "/etc/roadproof/keys/unit/unit.pem"
key = "/etc/roadproof/keys/unit/unit.key"
issuing = "/etc/roadproof/keys/unit/issuing.pem"
root = "/etc/roadproof/keys/unit/root.pem"
receiver = "/etc/roadproof/keys/receiver/receiver.pem"
seal_to = "/etc/roadproof/keys/receiver/seal.pub"
"""


def shown(folder: Path, root: Path, *, unit: str, keys: Path) -> dict[str, Path]:
    """What is where in the booted `root`, read-only; what is made for it lies in `folder`. Only the unit's user may read its keys."""
    return {
        "/opt/roadproof": ROOT,
        "/opt/python": Path(sys.base_prefix),
        "/opt/packages": Path(sysconfig.get_path("purelib")),
        "/etc/roadproof": _settings(folder / "settings", root, unit, keys),
        **service("roadproof.service", PYTHON, folder),
    }


def service(name: str, changes: str, folder: Path) -> dict[str, Path]:
    """A service of this checkout, and what stands otherwise in it."""
    drop_in = folder / f"{name}.d"
    drop_in.mkdir()
    (drop_in / "here.conf").write_text(changes, encoding="utf-8")
    return {f"/etc/systemd/system/{name}": ROOT / "systemd" / name, f"/etc/systemd/system/{name}.d": drop_in}


def _settings(folder: Path, root: Path, unit: str, keys: Path) -> Path:
    shutil.copytree(keys, folder / "keys")
    (folder / "roadproof.toml").write_text(SETTINGS.format(unit=unit), encoding="utf-8")
    owner = user(root, "roadproof")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, owner)
    return folder
