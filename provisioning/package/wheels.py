"""The Python packages of the lock files, for another processor and another Python than this one."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from provisioning.package.errors import PackageError
from provisioning.package.target import Target


def pinned(locks: Sequence[str], target: Target) -> list[str]:
    """Of the texts of lock files each requirement that the target wants, with its hashes, once.

    pip itself would ask the conditions of the Python that runs it, whatever --python-version says.
    """
    from pip._vendor.packaging.markers import Marker  # pip is where packages are made, not where they are installed

    wanted = dict[str, str]()
    for lock in locks:
        for line in lock.replace("\\\n", " ").splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            requirement, *hashes = line.split(" --hash=")
            pin, _, condition = requirement.partition(";")
            if not condition.strip() or Marker(condition.strip()).evaluate(target.markers):
                wanted[pin.strip().partition("==")[0]] = " --hash=".join([pin.strip(), *(each.strip() for each in hashes)])
    return list(wanted.values())


def fetched(requirements: Sequence[str], target: Target, folder: Path) -> list[Path]:
    """Their wheels in `folder`, by name; from pip's cache where it has them. PackageError when there is one for this target of not all."""
    listed = folder / "requirements.txt"
    folder.mkdir(parents=True, exist_ok=True)
    listed.write_text("\n".join(requirements) + "\n", encoding="utf-8")
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
            *("--no-deps", "--only-binary=:all:", "--require-hashes", "--implementation=cp", f"--python-version={target.python}"),
            *(f"--platform={platform}" for platform in target.platforms),
            *(f"--dest={folder}", f"--requirement={listed}"),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        words = [line.removeprefix("ERROR: ") for line in ended.stderr.splitlines() if line.startswith("ERROR")] or ["no reason given"]
        raise PackageError(f"pip cannot get the wheels for {target.arch} and Python {target.python} ({words[0]}); check the network")
    return sorted(folder.glob("*.whl"))


def unpack(wheel: Path, site_packages: Path) -> None:
    """What of a wheel is imported; not its commands and manual pages, which nobody on a unit types."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            place = _place(name)
            if place is not None and not name.endswith("/"):
                file = site_packages / place
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(archive.read(name))


def _place(name: str) -> str | None:
    """Below site-packages, None for what does not go there (PEP 427: the folder *.data)."""
    top, _, rest = name.partition("/")
    if not top.endswith(".data"):
        return name
    kind, _, inner = rest.partition("/")
    return inner if kind in {"purelib", "platlib"} else None
