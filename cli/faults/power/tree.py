"""Debian root file systems, to be booted or entered: each is made once, from the mirror that apt is set up with, and kept."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec

from cli.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]
SYSUSERS = ROOT / "systemd" / "roadproof.sysusers.conf"
PROGRAMS = {"mmdebstrap": "mmdebstrap"}
STAMP = Path("etc") / "roadproof-tree"  # in the tree: what it was made of
WANTS = "etc/systemd/system/multi-user.target.wants"


class Recipe(msgspec.Struct, frozen=True):
    """What a root file system is made of."""

    packages: tuple[str, ...]
    hooks: tuple[str, ...] = ()  # shell lines, run by mmdebstrap at the end; $1 is the tree
    release: str | None = None  # a codename; None: this machine's own, whose Python and libraries then run in it
    arch: str | None = None  # None: this machine's own
    variant: str = "minbase"
    made_with: str = ""  # whatever else makes another tree when it changes

    @property
    def stamp(self) -> str:
        """Differs for whatever makes another tree."""
        told = sha256(msgspec.json.encode(self)).hexdigest()
        return f"{self.release or _release()} {' '.join(self.packages)} {told}\n"


def bench() -> Recipe:
    """Systemd, an interpreter's libraries and the unit's user, on this machine's own release: what is booted after a power cut."""
    hooks = (
        f'mkdir -p "$1/etc/sysusers.d" "$1/{WANTS}"',
        f"upload {SYSUSERS} /etc/sysusers.d/roadproof.conf",
        'chroot "$1" systemd-sysusers',
        f'ln -s /etc/systemd/system/roadproof.service "$1/{WANTS}/roadproof.service"',
    )
    # python3 for the libraries that an interpreter of this machine wants; what the launcher installs for the unit besides.
    packages = ("systemd-sysv", "python3", "libzbar0")
    return Recipe(packages, hooks, made_with=sha256(SYSUSERS.read_bytes()).hexdigest())


def bare(release: str) -> Recipe:
    """What the unit's package depends on, and nothing of ours."""
    return Recipe(("systemd-sysv", "python3", "libstdc++6", "libzbar0"), release=release)


def default_folder(name: str = "tree") -> Path:
    """Where one is kept when nobody names a place."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "roadproof" / name


def made(folder: Path, recipe: Recipe | None = None) -> Path:
    """The tree in this folder, made first when it is not there or is of another recipe; needs root and, to be made, the network.

    Without a recipe it is `bench`. UsageError when the folder holds anything else, or the tree cannot be made.
    """
    recipe = recipe or bench()
    if _read(folder / STAMP) == recipe.stamp:
        return folder
    if folder.exists() and any(folder.iterdir()) and _read(folder / STAMP) is None:
        raise UsageError(f"{folder} holds something that is no root file system of ours; name another folder")
    with _turn(folder):
        if _read(folder / STAMP) != recipe.stamp:  # else somebody else has just made it
            _make(folder, recipe)
    return folder


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """One maker at a time: two that clear away and fill the same place are a danger to more than that place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(folder: Path, recipe: Recipe) -> None:
    fresh = folder.with_name(folder.name + ".new")
    for old in (fresh, folder):
        shutil.rmtree(old, ignore_errors=True)
    _bootstrap(fresh, recipe)
    (fresh / STAMP).write_text(recipe.stamp, encoding="utf-8")
    fresh.rename(folder)  # whole or not at all


def _bootstrap(folder: Path, recipe: Recipe) -> None:
    arguments = [f"--variant={recipe.variant}", f"--include={','.join(recipe.packages)}"]
    arguments += [f"--customize-hook={hook}" for hook in recipe.hooks]
    arguments += [f"--arch={recipe.arch}"] if recipe.arch else []
    # With mounts of its own, which go with it: a maker that is killed leaves none of this machine's devices in what is cleared away.
    private = ("setpriv", "--pdeathsig", "TERM", "unshare", "--mount")
    ended = subprocess.run(
        [*private, "mmdebstrap", *arguments, recipe.release or _release(), str(folder), _mirror()],
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
    """Where this machine itself gets the packages of its release; a mirror of Debian has the other releases too."""
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)"], check=False, capture_output=True, text=True
    )
    wanted = [_release(), "main"]
    for line in told.stdout.splitlines():
        *named, address = line.split()
        if named == wanted:
            return address
    raise UsageError(f"apt knows no mirror for {wanted[0]}; run apt-get update, then try again")


def _read(stamp: Path) -> str | None:
    try:
        return stamp.read_text(encoding="utf-8")
    except OSError:
        return None
