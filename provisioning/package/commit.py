"""What the project says of itself: its files, its version, the time of its last commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec

from firmware.version import VERSION
from provisioning.package.errors import PackageError

ROOT = Path(__file__).resolve().parents[2]


class Commit(msgspec.Struct, frozen=True):
    """The state of the checkout that a package is made of."""

    version: str  # as Debian compares them: a later commit is a higher one
    made_s: int  # seconds since 1970; every file of a package bears it
    files: tuple[str, ...]  # relative, sorted; ignored ones are left out


def read(root: Path = ROOT) -> Commit:
    """Ask git; PackageError where this is no checkout."""
    number, made, name = (
        _git(root, "rev-list", "--count", "HEAD"),
        _git(root, "log", "-1", "--format=%ct"),
        _git(root, "describe", "--always"),
    )
    changed = _git(root, "status", "--porcelain")
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    files = sorted({file for file in listed if file and (root / file).is_file()})
    version = f"{VERSION}+git{number}.{name.rpartition('-')[2].removeprefix('g')}"
    return Commit(version + (".changed" if changed else ""), int(made), tuple(files))


def _git(root: Path, *words: str) -> str:
    try:
        ended = subprocess.run(["git", "-C", str(root), *words], check=False, capture_output=True, text=True)
    except FileNotFoundError:
        raise PackageError("git is missing, which knows the files and the version; run: apt-get install git") from None
    if ended.returncode:
        raise PackageError("packages are made of a checkout with its history; clone the project with git, then run this there")
    return ended.stdout.strip()
