"""After a power cut: what is left of the disk is given to a real systemd, which starts the real daemon on it from its real unit."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.progress import Progress

from cli.faults.power import block, booted, checkout, tree
from cli.faults.power.block import DiskError, hidden_folder, need, until
from cli.faults.power.booted import Machine
from cli.faults.power.day import DAY
from cli.faults.power.device import STEPS, Toll, WrittenDay
from cli.faults.power.promise import Promise, broken
from cli.faults.power.unit import UNIT
from cli.faults.tally import Tally
from firmware import status as statuses
from firmware.journal import Series
from firmware.status import Status
from firmware.status_file import STATUS_FILE

PROGRAMS = block.PROGRAMS | tree.PROGRAMS | booted.PROGRAMS | {"journalctl": "systemd"}
SERVICE = "roadproof.service"


class Place:
    """What every boot of a day's disks shares: the root file system, and what is shown in it."""

    def __init__(self, folder: Path, root: Path, keys: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._root = root
        self._keys = keys
        self._shown = checkout.shown(folder, root, unit=UNIT, keys=keys)

    def started(self, left: Path, promise: Promise) -> Tally:
        """Boot with this folder as the unit's own, halt, then look whether every promise is kept."""
        tally = Tally(harm="power", tracebacks=0)
        logs = self._folder / "logs"
        logs.mkdir()
        machine = Machine(self._root, self._shown, {"/var/lib/roadproof": left, "/var/log/journal": logs}, self._folder / "console")
        try:
            machine.wait_until_up()
            faults = [*_faults_of_start(machine, promise), *([] if machine.halt() else ["it did not halt in order"])]
        finally:
            machine.end()
        faults += _faults_told(logs)
        shutil.rmtree(logs)
        tally.tracebacks = len(faults)
        tally.examples = faults
        tally.add(broken(left, self._keys, promise.after_start()))
        return tally


def cut(
    *,
    boots: int,
    seed: int,
    progress: Progress,
    steps: int = STEPS,
    root: Path | None = None,
    keep: Path | None = None,
    command: Sequence[str] = DAY,
) -> Tally:
    """Live a day on a logged disk, cut its power so often, boot on what is left each time and see whether every promise is kept.

    `root`: where the root file system that is booted is, or will be; `keep`: a folder for the images on which something is broken.
    UsageError when this machine cannot do it.
    """
    need(PROGRAMS)
    began_s = time.monotonic()
    bar = progress.add_task("a root file system", total=boots)
    booted = tree.made(root or tree.default_folder())
    progress.update(bar, description="a day on a logged disk")
    with hidden_folder() as folder:
        day = WrittenDay(folder / "day", seed, steps=steps, command=command)
        place = Place(folder / "place", booted, day.keys)
        progress.update(bar, description="cutting its power and booting")
        toll = Toll(day, folder / "left", keep)
        for one in day.cuts(boots):
            toll.take(one, partial(place.started, promise=one.promise))
            progress.advance(bar)
        tally = toll.total()
    tally.seconds = round(time.monotonic() - began_s, 1)
    return tally


def _faults_of_start(machine: Machine, promise: Promise) -> list[str]:
    """What is wrong with the daemon once systemd calls it started."""
    if machine.typed("systemctl", "start", SERVICE) != 0:
        return ["the daemon did not become ready"]
    file = machine.files / "run/roadproof" / STATUS_FILE
    try:
        until(lambda: statuses.read(file) is not None, "the daemon's status")
    except DiskError:
        return ["the daemon left no status"]
    status = statuses.read(file) or Status()
    faults = [] if status.log == promise.log or not promise.log else [f"its status shows the journal {status.log}, not {promise.log}"]
    for series, shown in ((Series.SEQ, status.seq), (Series.TSEQ, status.tseq)):
        if shown.issued < promise.top(series):
            faults.append(f"its status shows {shown.issued} numbers of {series} given, not {promise.top(series)}")
    return faults


def _faults_told(logs: Path) -> list[str]:
    """What systemd's journal holds against the daemon: tracebacks, an end that was none in order."""
    told = subprocess.run(
        ["journalctl", "--directory", str(logs), "--unit", SERVICE, "--output", "json", "--quiet"],
        check=True,
        capture_output=True,
        text=True,
    )
    messages = [str(json.loads(line).get("MESSAGE", "")) for line in told.stdout.splitlines()]
    faults = [message for message in messages if "Traceback" in message or "Failed with result" in message]
    return faults if any("Deactivated successfully" in message for message in messages) else [*faults, "the daemon did not end in order"]
