"""Everything that a probe may look at: real in the daemon and at the command line, a tree of files and stand-ins in a test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from drivers.gnss.baud import GARBAGE_BYTES
from drivers.gnss.receiver import GnssStatus
from drivers.panel import Panel
from firmware.clock import Clock
from firmware.config import Config
from firmware.selftest.finding import Touch
from firmware.status import Status

if TYPE_CHECKING:
    from drivers.board import BoardProfile
    from drivers.camera import Camera
    from firmware.diary import Diary
    from firmware.journal import Journal

ENOUGH_SENTENCES = 30  # three bursts of most receivers
PROGRAM_S = 8.0  # what another program may take to answer: ModemManager asks the modem
ABSENT = 127  # the shell's exit code for a program that is not installed


class Ran(msgspec.Struct, frozen=True):
    """How a program went."""

    code: int
    out: str


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver said while somebody listened."""

    seconds: float
    bytes_read: int
    good: int  # sentences
    bad: int
    trouble: str  # why the port cannot be read, a sentence; empty where it can
    now: GnssStatus


def is_enough(bytes_read: int, good: int) -> bool:
    """Whether so much of a line, with so many sentences in it, needs no more to be judged."""
    return good >= ENOUGH_SENTENCES or (good == 0 and bytes_read >= GARBAGE_BYTES)


class HandScanners(Protocol):
    """What is known of the hand scanners."""

    @property
    def wanted(self) -> bool:
        """Whether the settings name any, or ask to look for them."""

    @property
    def faults(self) -> tuple[str, ...]:
        """One sentence for each that does not work."""

    @property
    def count(self) -> int:
        """How many work."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """What there is only in the daemon."""

    status: Callable[[], Status]
    journal: Journal
    diary: Diary
    boot: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The unit, as far as it can be reached from here."""

    config: Config
    profile: BoardProfile | None  # None: a simulated board
    listen: Callable[[], Heard]  # to the GNSS receiver: takes seconds, once a test
    panel: Panel
    clock: Clock
    camera: Camera | None = None  # None: the driver's page is off, nobody uses one
    scanners: HandScanners | None = None
    faults: tuple[str, ...] = ()  # parts of the board that do not work, a sentence each
    daemon: Running | None = None  # None: it does not run
    hands: bool = False  # somebody stands beside it who does what he is asked to
    touch: Touch | None = None  # what the screen measured; None: not tested there yet
    root: Path = Path("/")
    run: Callable[[Sequence[str]], Ran]
    wait: Callable[[float], bool]  # True: somebody wants this to end

    def read(self, path: str) -> str | None:
        """A file of the system below `root`, stripped; None where there is none, or it cannot be read."""
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

    @property
    def journal_folder(self) -> Path:
        """Where the records wait."""
        return Path(self.config.journal.folder)


def run_program(words: Sequence[str]) -> Ran:
    """Run a program that changes nothing; ABSENT where it is not installed, never raises."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PROGRAM_S, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return Ran(ABSENT, "")
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        return Ran(1, str(error))
    return Ran(done.returncode, done.stdout)
