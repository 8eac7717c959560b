"""What a package installs: the code, its Python packages, the services, the settings."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from provisioning.package.commit import ROOT
from provisioning.package.places import belongs_to, place
from provisioning.package.target import Name, Target
from provisioning.package.wheels import unpack

# All of it in either package: one end's commands import the other's words.
CODE = ("cli", "drivers", "firmware", "fleet", "hardware", "mqtt", "provisioning", "systemd")
HOME = Path("opt/roadproof")
DEBIAN = Path(__file__).parent / "debian"
COPYRIGHT = "LICENSE"
# As `python3 -m venv --system-site-packages` writes it: camera and pins come from apt and match the system's.
PYVENV = "home = /usr/bin\ninclude-system-site-packages = true\nversion = {python}\n"


def stage(root: Path, name: Name, target: Target, files: Iterable[str], wheels: Sequence[Path]) -> None:
    """Lay everything of a package out below `root`."""
    code = [file for file in files if file.partition("/")[0] in CODE]
    for file in code:
        _copy(ROOT / file, root / HOME / file)
    for file in code:
        folder, _, unit = file.partition("/")
        if folder == "systemd" and belongs_to(unit) == name and (where := place(unit)) is not None:
            _copy(ROOT / file, root / where)
    _environment(root / HOME / ".venv", target, wheels)
    command = root / "usr/bin/roadproof"
    _copy(DEBIAN / "roadproof", command)
    command.chmod(0o755)
    _copy(ROOT / COPYRIGHT, root / "usr/share/doc" / name / "copyright")
    if name == "roadproof":
        _copy(DEBIAN / "roadproof.toml", root / "etc/roadproof/roadproof.toml")


def _environment(venv: Path, target: Target, wheels: Sequence[Path]) -> None:
    """A virtual environment without running the Python that it is for."""
    packages = venv / "lib" / f"python{target.python}" / "site-packages"
    packages.mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text(PYVENV.format(python=target.python), encoding="utf-8")
    (venv / "bin").mkdir()
    (venv / "bin" / f"python{target.python}").symlink_to(f"/usr/bin/python{target.python}")
    for alias in ("python", "python3"):
        (venv / "bin" / alias).symlink_to(f"python{target.python}")
    for wheel in wheels:
        unpack(wheel, packages)
    (packages / "roadproof.pth").write_text(f"/{HOME}\n", encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
