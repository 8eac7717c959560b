"""The machine that was measured on, and the versions of what was measured."""

from __future__ import annotations

import os
import platform
from importlib import metadata

import msgspec

from cli.errors import UsageError
from cli.faults.peers import broker, thingsboard
from firmware.version import VERSION


class Program(msgspec.Struct, frozen=True):
    """One that took part."""

    name: str
    version: str


class Machine(msgspec.Struct, frozen=True):
    """What a reader has to know of it."""

    architecture: str
    processors: int
    kernel: str
    programs: tuple[Program, ...]

    @property
    def versions(self) -> str:
        """Its programs, for people."""
        return ", ".join(f"{one.name} {one.version}" for one in self.programs)


def this() -> Machine:
    """This one, with what is installed on it."""
    programs = [
        Program("Roadproof", VERSION),
        Program("Python", platform.python_version()),
        Program("paho-mqtt", metadata.version("paho-mqtt")),
        Program("mosquitto", broker.version()),
        *_gateway(),
    ]
    return Machine(
        architecture=platform.machine(),
        processors=os.cpu_count() or 1,
        kernel=f"Linux {'.'.join(platform.release().split('.')[:2])}",
        programs=tuple(programs),
    )


def _gateway() -> list[Program]:
    try:
        return [Program("ThingsBoard gateway", thingsboard.version(thingsboard.default_venv()))]
    except (UsageError, OSError):
        return []
