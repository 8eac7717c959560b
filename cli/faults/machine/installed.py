"""The unit's own package in a root file system: installed as dpkg does it, set up as a technician does it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.errors import UsageError
from cli.faults.power import booted
from cli.faults.power.block import DiskError, hidden_folder
from cli.faults.power.unit import UNIT
from provisioning.package import commit, deb
from provisioning.package.errors import PackageError
from provisioning.package.target import Target

PROGRAMS = {"systemd-nspawn": "systemd-container", "dpkg-deb": "dpkg", "git": "git"}
KEYS = "etc/roadproof/keys"
# Nobody is at the other end: what is recorded stays.
SETTINGS = """unit = "{unit}"
[board]
profile = "simulated"
gnss_port = "{gnss_port}"
[broker]
host = "127.0.0.1"
port = 1883
tls = false
[journal]
commit_s = 1
[terminal]
enabled = true
[evidence]
certificate = "/{keys}/unit.pem"
key = "/{keys}/unit.key"
issuing = "/{keys}/issuing.pem"
root = "/{keys}/root.pem"
receiver = "/{keys}/receiver.pem"
seal_to = "/{keys}/seal.pub"
"""


def packed(target: Target, folder: Path) -> Path:
    """The unit's package of this checkout, in `folder`; UsageError when it cannot be made."""
    try:
        return deb.build("roadproof", target, commit.read(), deb.fetch("roadproof", target, folder / "wheels"), folder)
    except PackageError as error:
        raise UsageError(str(error)) from None


@contextmanager
def installed(tree: Path, package: Path) -> Iterator[Path]:
    """`tree` with the package in it, as on a card that was written but never started; the tree itself stays as it is.

    DiskError with dpkg's words when it cannot be installed. Inside the `with` this thread has mounts of its own.
    """
    with hidden_folder() as folder:
        root, changed, work = (folder / name for name in ("root", "changed", "work"))
        for each in (root, changed, work):
            each.mkdir()
        _typed("mount", "-t", "overlay", "-o", f"lowerdir={tree},upperdir={changed},workdir={work}", "overlay", str(root))
        try:
            place = f"/run/{package.name}"
            _typed(
                *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", f"--directory={root}", "--pipe"),
                *("--resolv-conf=off", "--timezone=off", "--link-journal=no", f"--bind-ro={package}:{place}"),
                *("dpkg", "--install", place),
            )
            yield root
        finally:
            _typed("umount", "--recursive", str(root))


def set_up(root: Path, made: Path, gnss_port: str) -> str:
    """Give the unit in this root file system the keys that `make_keys` left in `made`, and settings; returns the text of these."""
    keys = root / KEYS
    keys.mkdir(exist_ok=True)
    for folder in (made / "unit", made / "receiver"):
        for file in folder.iterdir():
            shutil.copy(file, keys)
    owner = booted.user(root, "roadproof")
    os.chown(keys / "unit.key", owner, owner)
    settings = SETTINGS.format(unit=UNIT, gnss_port=gnss_port, keys=KEYS)
    (keys.parent / "roadproof.toml").write_text(settings, encoding="utf-8")
    return settings


def _typed(*command: str) -> None:
    ended = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ended.returncode:
        raise DiskError(f"{command[0]} failed: {ended.stdout.strip()[-500:]}")
