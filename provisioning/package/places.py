"""Where each file of the folder systemd/ is installed: its name says it. A name that says nothing is a fault, not a guess."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from provisioning.package.errors import PackageError
from provisioning.package.target import Name

# For the server beside the broker; everything else is for the vehicle.
FLEET = re.compile(r"roadproof-(fleet|authority)\b")
# A pattern of names, the folder, and what of the name is written otherwise there.
KINDS = (
    (re.compile(r"[\w@-]+\.(service|timer|path|socket|target)"), "usr/lib/systemd/system", "", ""),
    (re.compile(r"[\w-]+\.sysusers\.conf"), "usr/lib/sysusers.d", ".sysusers", ""),
    (re.compile(r"[\w-]+\.tmpfiles\.conf"), "usr/lib/tmpfiles.d", ".tmpfiles", ""),
    (re.compile(r"[\w-]+\.modules\.conf"), "usr/lib/modules-load.d", ".modules", ""),
    (re.compile(r"journald-[\w-]+\.conf"), "usr/lib/systemd/journald.conf.d", "journald-", ""),
    (re.compile(r"system-[\w-]+\.conf"), "usr/lib/systemd/system.conf.d", "system-", ""),
    (re.compile(r"polkit-[\w-]+\.rules"), "usr/share/polkit-1/rules.d", "polkit-", "50-"),
    (re.compile(r"[\w-]+\.rules"), "usr/lib/udev/rules.d", "", ""),
    (re.compile(r"[\w-]+\.json"), "etc/chromium/policies/managed", "", ""),
)
NOT_INSTALLED = re.compile(r"[\w-]+\.md")


def place(file: str) -> PurePosixPath | None:
    """The path below / for a name in systemd/; None for what is only read in the project. PackageError for a kind that nobody knows."""
    if NOT_INSTALLED.fullmatch(file):
        return None
    for pattern, folder, here, there in KINDS:
        if pattern.fullmatch(file):
            return PurePosixPath(folder) / file.replace(here, there, 1)
    raise PackageError(f"nobody knows where systemd/{file} is installed; name it like the others there, or add its kind to places.py")


def belongs_to(file: str) -> Name:
    """Which package installs it."""
    return "roadproof-fleet" if FLEET.match(file) else "roadproof"
