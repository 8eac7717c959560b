"""A Debian root file system of this machine's own release, to be booted: made once, from the mirror that apt is set up with."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from cli.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]
SYSUSERS = ROOT / "systemd" / "roadproof.sysusers.conf"
# python3 for the libraries that an interpreter of this machine wants; what the launcher installs for the unit besides.
PACKAGES = ("systemd-sysv", "python3", "libzbar0")
PROGRAMS = {"mmdebstrap": "mmdebstrap"}
STAMP = Path("etc") / "roadproof-tree"  # in the tree: what it was made of
WANTS = "etc/systemd/system/multi-user.target.wants"


def default_folder() -> Path:
    """Where it is kept when nobody names a place."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "roadproof" / "tree"


def made(folder: Path) -> Path:
    """The tree in this folder, made first when it is not there or is of something else; needs root and, to be made, the network.

    UsageError when the folder holds anything else, or the tree cannot be made.
    """
    stamp = _stamp()
    if _read(folder / STAMP) == stamp:
        return folder
    if folder.exists() and any(folder.iterdir()) and _read(folder / STAMP) is None:
        raise UsageError(f"{folder} holds something that is no root file system of ours; name another folder")
    fresh = folder.with_name(folder.name + ".new")
    for old in (fresh, folder):
        shutil.rmtree(old, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    _bootstrap(fresh)
    (fresh / STAMP).write_text(stamp, encoding="utf-8")
    fresh.rename(folder)  # whole or not at all
    return folder


def _bootstrap(folder: Path) -> None:
    hooks = (
        f'mkdir -p "$1/etc/sysusers.d" "$1/{WANTS}"',
        f"upload {SYSUSERS} /etc/sysusers.d/roadproof.conf",
        'chroot "$1" systemd-sysusers',
        f'ln -s /etc/systemd/system/roadproof.service "$1/{WANTS}/roadproof.service"',
    )
    arguments = ["--variant=minbase", f"--include={','.join(PACKAGES)}", *(f"--customize-hook={hook}" for hook in hooks)]
    ended = subprocess.run(
        ["setpriv", "--pdeathsig", "TERM", "mmdebstrap", *arguments, _release(), str(folder), _mirror()],
        check=False,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        words = [line for line in ended.stderr.splitlines() if line.startswith("E:")] or ["mmdebstrap failed"]
        raise UsageError(
            f"the root file system cannot be made ({words[0]}); check the network, or name one that was made before with --tree"
        )


def _release() -> str:
    """The codename of what this machine runs; its Python and its libraries are to run in the tree."""
    release = platform.freedesktop_os_release()
    if "VERSION_CODENAME" not in release or not shutil.which("apt-get"):
        raise UsageError("only a Debian can make the root file system that is booted; run this on one")
    return release["VERSION_CODENAME"]


def _mirror() -> str:
    """Where this machine itself gets the packages of its release."""
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)"], check=False, capture_output=True, text=True
    )
    wanted = [_release(), "main"]
    for line in told.stdout.splitlines():
        *named, address = line.split()
        if named == wanted:
            return address
    raise UsageError(f"apt knows no mirror for {wanted[0]}; run apt-get update, then try again")


def _stamp() -> str:
    return f"{_release()} {' '.join(PACKAGES)} {sha256(SYSUSERS.read_bytes()).hexdigest()}\n"


def _read(stamp: Path) -> str | None:
    try:
        return stamp.read_text(encoding="utf-8")
    except OSError:
        return None
