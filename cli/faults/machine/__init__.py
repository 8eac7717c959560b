"""`roadproof faults machine`: what only a whole computer has, done to one: USB, a clock without a battery, a kernel that hangs."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.progress import Progress

from cli.errors import UsageError
from cli.faults.amount import count
from cli.faults.tally import Tally

UNPLUGS = 10


def options(command: argparse.ArgumentParser) -> None:
    """What may be typed."""
    command.add_argument(
        "--unplugs", type=count, default=UNPLUGS, metavar="N", help=f"how often the receiver is unplugged (default {UNPLUGS})"
    )
    command.add_argument("--tree", type=Path, metavar="DIR", help="where the system that is emulated is kept for the next time")


def harm(arguments: argparse.Namespace, progress: Progress) -> Tally:
    """Start the computer and do everything to it; UsageError when this machine cannot emulate it."""
    from cli.faults.machine import computer, installed
    from cli.faults.power import block, booted, tree

    block.need(block.PROGRAMS | tree.PROGRAMS | booted.PROGRAMS | installed.PROGRAMS | computer.PROGRAMS)
    began_s = time.monotonic()
    try:
        tally = _harmed(arguments.unplugs, arguments.tree or tree.default_folder("machine"), progress)
    except block.DiskError as error:
        raise UsageError(str(error)) from None
    tally.seconds = round(time.monotonic() - began_s, 1)
    return tally


def _harmed(unplugs: int, kept: Path, progress: Progress) -> Tally:
    from cli.faults.machine import image
    from cli.faults.machine.computer import Computer
    from cli.faults.machine.trials import LONG_AGO, PORT, Trials
    from cli.faults.scratch import kept_or_thrown

    tally = Tally(harm="machine", lost=0, tracebacks=0)
    steps = ("its disk", "starting in 1980", "no receiver", "no memory", "a hung kernel", "starting again")
    bar = progress.add_task(steps[0], total=len(steps))

    def next_step(name: str) -> None:
        progress.update(bar, description=name, advance=1)

    with kept_or_thrown(None, "machine") as folder:
        disk = image.made(folder, kept, PORT)
        next_step(steps[1])
        computer = Computer(disk, LONG_AGO)
        try:
            tally.more["boot_s"] = round(computer.boot(), 1)
            trials = Trials(computer, tally)
            trials.begin()
            trials.clock()
            next_step(steps[2])
            trials.unplugs(unplugs)
            next_step(steps[3])
            trials.memory()
            trials.told()
            next_step(steps[4])
            held = trials.hang()
        finally:
            computer.cut()
        next_step(steps[5])
        computer = Computer(disk, LONG_AGO)
        try:
            computer.boot()
            again = Trials(computer, tally)
            again.back(held)
            again.told()
        finally:
            computer.cut()
    progress.advance(bar)
    return tally
