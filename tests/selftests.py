"""A unit for the probes of the self-test: real settings and a real board profile, a tree of files for the system, and hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from drivers.board import BoardSettings, load_profile
from drivers.gnss.receiver import GnssStatus
from drivers.gnss.sky import Satellite
from drivers.panel import GpioPanel
from firmware.clock import Clock
from firmware.config import Config, JournalSettings, TerminalSettings
from firmware.selftest.place import ABSENT, Heard, Place, Ran
from mqtt.login import BrokerSettings
from tests.journals import START_MS

FINE = GnssStatus(
    port="/dev/ttyAMA0",
    baud=9600,
    state="The receiver has a 3D fix.",
    bytes_read=5_000,
    sentences_good=100,
    sentences_bad=0,
    satellites=tuple(Satellite("GPS", number, 40, 10 * number, 40, used=True) for number in range(1, 8)),
    age_s=0.4,
    stale=False,
    antenna="OK",
    jamming=None,
)


class WiredPanel(GpioPanel):
    """A panel whose lines read what the test says."""

    def __init__(self, *, ignition: bool | None = True, supply: bool | None = True) -> None:
        super().__init__()
        self._ignition_reads, self._supply_reads = ignition, supply

    def ignition_on(self) -> bool | None:
        return self._ignition_reads

    def supply_good(self) -> bool | None:
        return self._supply_reads


class Programs:
    """The programs that are installed, by their first words, and what they say."""

    def __init__(self, answers: Mapping[str, str | Ran]) -> None:
        self._answers = answers

    def __call__(self, words: Sequence[str]) -> Ran:
        told = next((told for start, told in self._answers.items() if " ".join(words).startswith(start)), Ran(ABSENT, ""))
        return Ran(0, told) if isinstance(told, str) else told


def heard(*, bytes_read: int = 1_500, good: int = 33, bad: int = 0, trouble: str = "", **now: object) -> Heard:
    status = msgspec.structs.replace(FINE, **now)
    return Heard(seconds=3.2, bytes_read=bytes_read, good=good, bad=bad, trouble=trouble, now=status)


def clock(src: str = "ntp", *, folder: Path) -> Clock:
    """A clock whose time comes from there."""
    mark = folder / "synchronized"
    if src == "ntp":
        mark.touch()
    return Clock(utc_s=lambda: START_MS / 1000 if src != "floor" else 0.0, mono_s=lambda: 100.0, ntp_mark=mark)


def place(folder: Path, *, terminal: bool = False, board: BoardSettings | None = None, time: Clock | None = None, **parts: object) -> Place:
    """A healthy unit with a Raspberry Pi 4's profile; its journal and its system's files are in the folder."""
    settings = board or BoardSettings()
    whole = Place(
        config=Config(
            unit="van-1",
            board=settings,
            broker=BrokerSettings(host="127.0.0.1", port=1, tls=False),
            journal=JournalSettings(folder=str(folder)),
            terminal=TerminalSettings(enabled=terminal),
        ),
        profile=load_profile(settings.profile),
        listen=heard,
        panel=WiredPanel(),
        clock=time or clock(folder=folder),
        root=folder / "root",
        run=Programs({}),
        wait=lambda _: False,
    )
    return msgspec.structs.replace(whole, **parts)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Files of the system, below the place's root."""
    for name, text in files.items():
        path = folder / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
