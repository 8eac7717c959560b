"""Pull the plug: the unit promises records, has its power cut, and counts afterwards what it did not keep.

A promise is a number in a ledger that was synced after the journal's commit had returned. The ledger is a file of its own: what it says
does not depend on what it accuses.
"""

from __future__ import annotations

import logging
import os
import re
import time
import zlib
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec

from firmware.clock import Clock
from firmware.diary import Diary
from firmware.journal import Journal, JournalFullError, Series
from firmware.journal.row import Row
from firmware.selftest import LEDGER
from firmware.selftest.finding import Fact, Result, bad, ok, skipped, warn
from firmware.selftest.place import Place
from mqtt.durable import write_durably
from mqtt.messages import Event
from mqtt.ranges import Ranges

log = logging.getLogger(__name__)

OUTCOME = "plug.json"
MARK = "selftest.mark"
EVERY_S = 0.5
LONGEST_S = 600.0
LINE = re.compile(rb"(\d+) (\d+) ([0-9a-f]{8})")
START_MS = 120_000  # a box that takes longer to record again has something to look at


class DrillError(Exception):
    """The drill cannot be made; the sentence says why."""


class Head(msgspec.Struct, frozen=True):
    """The first line of a ledger."""

    log: str  # the journal's name
    boot: str


class Promise(msgspec.Struct, frozen=True):
    """One record that was said to be safe."""

    number: int
    mono_ms: int


class Outcome(msgspec.Struct, frozen=True):
    """What the last drill found."""

    at_ms: int
    src: str
    cut: Literal["power", "process"]  # process: the program was ended, the system ran on
    promised: int
    lost: int
    restart_ms: int  # power: from the boot to the first record; process: from the last promise


class Ledger:
    """Writes promises down; OSError when it cannot."""

    def __init__(self, path: Path, head: Head) -> None:
        write_durably(path, msgspec.json.encode(head) + b"\n")
        self._path = path
        self._file = path.open("ab", buffering=0)

    def add(self, promise: Promise) -> None:
        """On the card when this returns."""
        told = f"{promise.number} {promise.mono_ms}".encode()
        self._file.write(b"%s %08x\n" % (told, zlib.crc32(told)))
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Nothing was cut: it says nothing."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def drill(*, journal: Journal, diary: Diary, boot: str, clock: Clock, wait: Callable[[float], bool]) -> Generator[int, None, None]:
    """Write a record every half second and promise it; yields how many, ends when `wait` says so or after ten minutes.

    DrillError when nothing can be written. Whoever ends it in order leaves nothing behind.
    """
    try:
        ledger = Ledger(journal.path.parent / LEDGER, Head(log=journal.log, boot=boot))
        with closing(ledger):
            end_s, count = time.monotonic() + LONGEST_S, 0
            while time.monotonic() < end_s:
                count += 1
                number = journal.append(boot, [diary.draft(MARK, {"n": count})]).seqs[0]
                ledger.add(Promise(number, clock.now().mono_ms))
                yield count
                if wait(EVERY_S):
                    return
    except JournalFullError as error:
        raise DrillError(str(error)) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DrillError(f"the promises cannot be written beside the journal: {reason}; test storage first") from None


def promises(path: Path) -> tuple[Head, list[Promise]] | None:
    """What a ledger holds; None where there is none, or no promise was made. A line that was cut off was none."""
    try:
        head, *lines = path.read_bytes().split(b"\n")
        begun = msgspec.json.decode(head, type=Head)
    except (OSError, msgspec.DecodeError):
        return None
    found = [LINE.fullmatch(line) for line in lines]
    made = [Promise(int(hit[1]), int(hit[2])) for hit in found if hit and zlib.crc32(hit[1] + b" " + hit[2]) == int(hit[3], 16)]
    return (begun, made) if made else None


def settle(*, journal: Journal, diary: Diary, boot: str, clock: Clock) -> Outcome | None:
    """After a start, before anything is sent: compare what was promised with what is there, and tell it. None without a drill."""
    folder = journal.path.parent
    ledger = promises(folder / LEDGER)
    outcome = None
    if ledger is not None:
        head, made = ledger
        now, cut = clock.now(), head.boot != boot
        outcome = Outcome(
            at_ms=now.at_ms,
            src=now.src,
            cut="power" if cut else "process",
            promised=len(made),
            lost=lost(journal, head, made),
            restart_ms=now.mono_ms if cut else max(0, now.mono_ms - made[-1].mono_ms),
        )
        told = {"cut": outcome.cut, "promised": outcome.promised, "lost": outcome.lost, "restart_ms": outcome.restart_ms}
        diary.note("selftest.plug", told)
    try:
        if outcome is not None:
            write_durably(folder / OUTCOME, msgspec.json.encode(outcome))
        (folder / LEDGER).unlink(missing_ok=True)
    except OSError as error:  # a full card must not keep a van from recording
        log.warning("the drill's outcome cannot be kept: %s", error.strerror)
    return outcome


def lost(journal: Journal, head: Head, made: list[Promise]) -> int:
    """How many promised records are neither in the journal nor at the receiver."""
    if journal.log != head.log:
        return len(made)  # another journal: nothing of that one is here
    first, last = made[0].number, made[-1].number
    held = journal.receipted(Series.SEQ)
    before = Ranges([(1, first - 1)] if first > 1 else [])
    here = {row.number for row in journal.waiting(Series.SEQ, before, last - first + 1) if _is_mark(row)}
    return sum(promise.number not in here and promise.number not in held for promise in made)


def _is_mark(row: Row) -> bool:
    """A number whose record is gone has a row too: one that says so."""
    try:
        return msgspec.json.decode(row.payload, type=Event).event == MARK
    except msgspec.DecodeError:
        return False


def plug(place: Place) -> Result:
    """How the last drill went."""
    try:
        done = msgspec.json.decode((place.journal_folder / OUTCOME).read_bytes(), type=Outcome)
    except (OSError, msgspec.DecodeError):
        return skipped("Not tried yet: sudo roadproof selftest --plug, and pull the plug when it says so.")
    facts: dict[str, Fact] = msgspec.structs.asdict(done)
    if done.lost:
        return bad(
            f"{done.lost} of {done.promised} records that were safe are gone after the cut: exchange the card, and keep the old one.",
            **facts,
        )
    if done.cut == "process":
        return warn(f"0 of {done.promised} records lost, but only the program was ended: do it again, and pull the plug itself.", **facts)
    back = f"first record {done.restart_ms / 1000:.0f} s after the start"
    if done.restart_ms > START_MS:
        return warn(f"0 of {done.promised} records lost, but the {back}: sudo systemd-analyze blame says what takes so long.", **facts)
    return ok(f"The plug was pulled: 0 of {done.promised} records lost, {back}.", **facts)
