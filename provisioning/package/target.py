"""For whom a package is made."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Arch = Literal["amd64", "arm64"]
Python = Literal["3.11", "3.13"]
Name = Literal["roadproof", "roadproof-fleet"]
ARCHES: tuple[Arch, ...] = get_args(Arch)
PYTHONS: tuple[Python, ...] = get_args(Python)
NAMES: tuple[Name, ...] = get_args(Name)

MACHINES: dict[Arch, str] = {"amd64": "x86_64", "arm64": "aarch64"}  # as wheels call it
# Of the Debian, and the Raspberry Pi OS, that has this Python: 12 bookworm and 13 trixie.
GLIBC_MINORS: dict[Python, int] = {"3.11": 36, "3.13": 41}
DEBIANS: dict[Python, int] = {"3.11": 12, "3.13": 13}
OLDEST_GLIBC_MINOR = 17  # the one that most wheels are still built for


class Target(msgspec.Struct, frozen=True):
    """A processor and the system's Python, to its minor version: compiled wheels fit no other."""

    arch: Arch = "arm64"
    python: Python = "3.13"

    @property
    def debian(self) -> str:
        """The release, as file names have it: deb13."""
        return f"deb{DEBIANS[self.python]}"

    @property
    def glibc(self) -> str:
        """The C library that the system has."""
        return f"2.{GLIBC_MINORS[self.python]}"

    @property
    def platforms(self) -> list[str]:
        """The tags of wheels that run there, the newest first."""
        return [f"manylinux_2_{minor}_{MACHINES[self.arch]}" for minor in range(GLIBC_MINORS[self.python], OLDEST_GLIBC_MINOR - 1, -1)]

    @property
    def markers(self) -> dict[str, str]:
        """What a lock file's conditions are about (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": MACHINES[self.arch],
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }
