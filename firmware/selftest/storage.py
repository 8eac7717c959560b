"""The card: which one, how worn, how fast, how full, and whether it still gives back what was written."""

from __future__ import annotations

import errno
import math
import os
import shutil
import time
from pathlib import Path

import msgspec

from firmware.journal import JournalError
from firmware.journal.look import JournalLook
from firmware.selftest.finding import Fact, Result, bad, ok, warn
from firmware.selftest.place import Place

PROBE = "selftest.probe"
WRITES, WRITE_BYTES = 100, 4_096
SLOW_MS, UNUSABLE_MS = 100, 1_000  # a driver's tap waits for one such write
PROBE_S = 10.0  # a card that takes longer for all writes has said enough
CHECK_S = 3.0  # for reading the journal: a healthy one of a gigabyte takes longer, and the newest records say most
LEAST_FREE_BYTES = 100_000_000
WORN_TENTHS, DEAD_TENTHS = 9, 11  # of JEDEC's life time estimate: 9 is 80 to 90 % used up, 11 is over
EXCHANGE = "exchange it, and keep the old one: roadproof fleet salvage reads what it still holds"


class Mount(msgspec.Struct, frozen=True):
    """Where a folder lies."""

    device: str  # major:minor
    options: frozenset[str]
    kind: str
    source: str


class Speed(msgspec.Struct, frozen=True):
    """How long synced writes took."""

    writes: int
    p95_ms: float


def storage(place: Place) -> Result:
    """The card under the journal."""
    folder = place.journal_folder
    mount = mount_of(place, folder)
    facts: dict[str, Fact] = {"file_system": mount.kind, "device": mount.source, **_card(place, mount)} if mount else {}
    if mount is not None and "ro" in mount.options:
        sentence = f"The card with {folder} is read-only and nothing is recorded: look at sudo dmesg | grep -i ext4, then {EXCHANGE}."
        return bad(sentence, **facts)
    try:
        facts["free_mb"] = shutil.disk_usage(folder).free // 1_000_000
        speed = measured(folder)
    except OSError as error:
        return bad(f"Nothing can be written to {folder} ({(error.strerror or str(error)).lower()}): {_why(error)}.", **facts)
    facts |= {"writes": speed.writes, "write_p95_ms": math.ceil(speed.p95_ms)}
    return _verdict(place, speed, facts)


def _verdict(place: Place, speed: Speed, facts: dict[str, Fact]) -> Result:
    try:
        facts |= journal_check(place.journal_folder / "journal.db")
    except JournalError as error:
        return bad(str(error), **facts)
    if facts.get("journal_damaged"):
        return bad(f"{facts['journal_damaged']} records of the journal are damaged: the card is failing, {EXCHANGE}.", **facts)
    life = facts.get("life_tenths")
    if isinstance(life, int) and life >= DEAD_TENTHS:
        return bad(f"The card has used up its life: {EXCHANGE}.", **facts)
    if speed.p95_ms > UNUSABLE_MS:
        return bad(f"A write takes {speed.p95_ms / 1000:.1f} s: the card is worn or false; {EXCHANGE}.", **facts)
    free_mb = facts["free_mb"]
    if isinstance(free_mb, int) and free_mb * 1_000_000 < LEAST_FREE_BYTES:
        return bad(f"Only {free_mb} MB are free: make room (sudo journalctl --vacuum-size=50M, old maps), or take a larger card.", **facts)
    return _wishes(place, speed, facts)


def _wishes(place: Place, speed: Speed, facts: dict[str, Fact]) -> Result:
    life = facts.get("life_tenths")
    if isinstance(life, int) and life >= WORN_TENTHS:
        return warn(f"The card has used up {life * 10 - 10} % or more of its life: exchange it at the next service.", **facts)
    if speed.p95_ms > SLOW_MS:
        return warn(
            f"A write takes {speed.p95_ms:.0f} ms: the driver waits that long for each tap; take a card of class A1, endurance type.",
            **facts,
        )
    if facts.get("journal_aside"):
        return warn(f"{facts['journal_aside']} records were set aside because they cannot be sent: send us the lines of the log.", **facts)
    grows_mb = place.config.journal.quota_mb - (place.journal_folder / "journal.db").stat().st_size // 1_000_000
    free_mb = facts["free_mb"]
    if isinstance(free_mb, int) and free_mb < grows_mb:
        return warn(
            f"{free_mb} MB are free, but the journal may grow by {grows_mb} MB: lower journal.quota_mb, or take a larger card.", **facts
        )
    return ok(f"A write takes {math.ceil(speed.p95_ms)} ms, {free_mb} MB are free, the journal is sound.", **facts)


def _why(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "make room (sudo journalctl --vacuum-size=50M, old maps), or take a larger card"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "check that the folder belongs to the user roadproof"
    return f"the card is failing, {EXCHANGE}"


def measured(folder: Path) -> Speed:
    """Write small blocks and wait for each to be on the card, as a commit does; OSError where that cannot be."""
    probe = folder / PROBE
    took_s: list[float] = []
    try:
        with probe.open("wb", buffering=0) as file:
            end_s = time.monotonic() + PROBE_S
            while len(took_s) < WRITES and time.monotonic() < end_s:
                begun_s = time.monotonic()
                file.write(os.urandom(WRITE_BYTES))
                os.fsync(file.fileno())
                took_s.append(time.monotonic() - begun_s)
    finally:
        probe.unlink(missing_ok=True)
    took_s.sort()
    return Speed(len(took_s), took_s[math.ceil(0.95 * len(took_s)) - 1] * 1000)


def journal_check(path: Path) -> dict[str, Fact]:
    """Read records and compare their hashes, for some seconds; JournalError when there is no readable journal."""
    checked = damaged = 0
    end_s = time.monotonic() + CHECK_S
    with JournalLook(path) as look:
        for _, good in look.rows():
            checked += 1
            damaged += not good
            if time.monotonic() > end_s:
                break
        return {"journal_checked": checked, "journal_damaged": damaged, "journal_aside": look.aside}


def mount_of(place: Place, folder: Path) -> Mount | None:
    """The file system that a folder lies on; None where /proc does not tell."""
    found, length = None, -1
    for line in (place.read("proc/self/mountinfo") or "").splitlines():
        left, _, right = line.partition(" - ")
        fields, kinds = left.split(), right.split()
        if len(fields) < 6 or len(kinds) < 2:  # noqa: PLR2004  proc(5): major:minor, root, mount point, options; kind, source
            continue
        point = fields[4].replace("\\040", " ")
        if len(point) >= length and folder.resolve().is_relative_to(point):
            options = ",".join(
                (fields[5], *kinds[2:3])
            )  # of this mount, and of the file system: one that failed turns itself read-only there
            found, length = Mount(fields[2], frozenset(options.split(",")), kinds[0], kinds[1]), len(point)
    return found


def _card(place: Place, mount: Mount) -> dict[str, Fact]:
    """What the card says of itself: an SD card its name and number, an eMMC also its wear."""
    device = (place.root / "sys/dev/block" / mount.device).resolve()
    disk = device.parent if (device / "partition").exists() else device
    facts: dict[str, Fact] = {}
    for name in ("type", "name", "cid", "date"):
        try:
            facts[f"card_{name}"] = (disk / "device" / name).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue
    try:  # two estimates, for two kinds of memory: the worse one counts
        facts["life_tenths"] = max(int(part, 16) for part in (disk / "device/life_time").read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return facts
    return facts
