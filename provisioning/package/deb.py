"""The Debian package itself: what it says of itself, its scripts, and an archive that is the same to the byte each time."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from hashlib import md5
from pathlib import Path
from tempfile import TemporaryDirectory

from provisioning.package.commit import ROOT, Commit
from provisioning.package.contents import DEBIAN, stage
from provisioning.package.errors import PackageError
from provisioning.package.target import Name, Target
from provisioning.package.wheels import fetched, pinned

SCRIPTS = ("postinst", "prerm", "postrm")
PROGRAMS = {"usr/bin/roadproof", *(f"DEBIAN/{script}" for script in SCRIPTS)}
LOCKS: dict[Name, tuple[str, ...]] = {"roadproof": ("unit",), "roadproof-fleet": ("unit", "fleet")}
OTHER: dict[Name, Name] = {"roadproof": "roadproof-fleet", "roadproof-fleet": "roadproof"}
EVERYWHERE = ("libstdc++6", "systemd", "libzbar0t64 | libzbar0")
DEPENDS: dict[Name, tuple[str, ...]] = {
    "roadproof": EVERYWHERE,
    # What the page of a proof is drawn with.
    "roadproof-fleet": (*EVERYWHERE, "libpangoft2-1.0-0", "libharfbuzz-subset0"),
}
RECOMMENDS: dict[Name, tuple[str, ...]] = {
    "roadproof": ("cage", "seatd", "xwayland", "chromium", "chrony", "python3-picamera2", "python3-lgpio"),
    "roadproof-fleet": ("mosquitto", "sqlite3"),
}
ABOUT: dict[Name, str] = {
    "roadproof": "in-vehicle unit: telematics and proof of delivery that loses nothing",
    "roadproof-fleet": "receiver, store and authority of a fleet of Roadproof units",
}
# What is the owner's, and goes with `purge` alone.
KEPT: dict[Name, tuple[str, ...]] = {
    "roadproof": ("/var/lib/roadproof", "/etc/roadproof"),
    "roadproof-fleet": ("/etc/roadproof",),
}
# What no package takes away: proofs that are disputed in a year, and the keys without which no unit is ever renewed.
NEVER: dict[Name, tuple[str, ...]] = {
    "roadproof": (),
    "roadproof-fleet": ("/var/lib/roadproof-fleet", "/var/lib/roadproof-authority"),
}
KIB = 1_024


def fetch(name: Name, target: Target, folder: Path) -> list[Path]:
    """The wheels of its lock files, in `folder`. PackageError when they cannot be had."""
    texts = [(ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8") for lock in LOCKS[name]]
    return fetched(pinned(texts, target), target, folder)


def build(name: Name, target: Target, commit: Commit, wheels: Sequence[Path], out: Path) -> Path:
    """Make the package in the folder `out` and return its path. PackageError when dpkg-deb is missing."""
    if shutil.which("dpkg-deb") is None:
        raise PackageError("dpkg-deb is missing; run: apt-get install dpkg")
    with TemporaryDirectory(prefix="roadproof-package-") as scratch:
        root = Path(scratch) / "root"
        stage(root, name, target, commit.files, wheels)
        _describe(root, name, target, commit)
        _settle(root, commit.made_s)
        return _archive(root, out / f"{name}_{commit.version}_{target.debian}_{target.arch}.deb", commit.made_s)


def control(name: Name, target: Target, version: str, size_kib: int) -> str:
    """The package's card: what apt reads before it installs."""
    major, minor = target.python.split(".")
    needed = (f"python3 (>= {target.python}~)", f"python3 (<< {major}.{int(minor) + 1}~)", f"libc6 (>= {target.glibc})", *DEPENDS[name])
    return f"""Package: {name}
Version: {version}
Architecture: {target.arch}
Maintainer: The Roadproof project <roadproof@localhost>
Installed-Size: {size_kib}
Depends: {", ".join(needed)}
Recommends: {", ".join(RECOMMENDS[name])}
Conflicts: {OTHER[name]}
Section: misc
Priority: optional
Description: {ABOUT[name]}
 Made of one commit, with its own Python packages; the system's Python runs it.
"""


def scripts(root: Path, name: Name) -> dict[str, str]:
    """The maintainer's scripts, with the services that this tree has."""
    folder = root / "usr/lib/systemd/system"
    units = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*"))}
    installable = [unit for unit, text in units.items() if "[Install]" in text]
    on_a_unit = name == "roadproof"
    words = {
        "SYSUSERS": _names(root / "usr/lib/sysusers.d"),
        "TMPFILES": _names(root / "usr/lib/tmpfiles.d"),
        # The fleet's server is set up first; a unit asks to be set up.
        "ENABLED": " ".join(installable) if on_a_unit else "",
        "RESTARTED": " ".join(unit for unit in units if unit.endswith(".service")),
        "STOPPED": " ".join(units),
        "KEPT": " ".join(KEPT[name]),
        "NEVER": " ".join(NEVER[name]),
    }
    texts = dict[str, str]()
    for script in SCRIPTS:
        text = (DEBIAN / script).read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        texts[script] = text
    return texts


def _names(folder: Path) -> str:
    return " ".join(path.name for path in sorted(folder.glob("*.conf")))


def _describe(root: Path, name: Name, target: Target, commit: Commit) -> None:
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    size_kib = sum(-(-path.stat().st_size // KIB) for path in files)
    about = root / "DEBIAN"
    about.mkdir()
    (about / "control").write_text(control(name, target, commit.version, size_kib), encoding="utf-8")
    (about / "md5sums").write_text(_sums(root, files), encoding="utf-8")
    settings = [f"/{path.relative_to(root)}" for path in files if path.relative_to(root).parts[0] == "etc"]
    if settings:
        (about / "conffiles").write_text("\n".join(settings) + "\n", encoding="utf-8")
    for script, text in scripts(root, name).items():
        (about / script).write_text(text, encoding="utf-8")


def _sums(root: Path, files: Sequence[Path]) -> str:
    # Debian's own list of checksums is of MD5: it finds a damaged file, not a forged one.
    return "".join(f"{md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}\n" for path in files)


def _settle(root: Path, made_s: int) -> None:
    """Rights and times that say nothing of the machine on which this is done."""
    for path in sorted([root, *root.rglob("*")], reverse=True):
        if not path.is_symlink():
            runs = path.is_dir() or str(path.relative_to(root)) in PROGRAMS
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (made_s, made_s), follow_symlinks=False)


def _archive(root: Path, deb: Path, made_s: int) -> Path:
    deb.parent.mkdir(parents=True, exist_ok=True)
    ended = subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zzstd", "--build", str(root), str(deb)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(made_s)},
    )
    if ended.returncode:
        raise PackageError(f"dpkg-deb cannot make {deb.name}: {ended.stderr.strip()}")
    return deb
