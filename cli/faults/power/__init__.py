"""`roadproof faults power`: cut the power at every instant, and look whether all that was called saved is there."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.progress import Progress

from cli.errors import UsageError
from cli.faults.amount import count
from cli.faults.scratch import made
from cli.faults.tally import Tally

STATES = 5_000  # under two minutes on two cores


def options(command: argparse.ArgumentParser) -> None:
    """What may be typed."""
    command.add_argument("--states", type=count, metavar="N", help=f"cuts of the files' own model; no root needed (default {STATES})")
    command.add_argument("--device", type=count, metavar="N", help="cuts of a block device under ext4; needs root")
    command.add_argument(
        "--boot", type=count, metavar="N", help="such cuts after which a system boots and the daemon starts on it; needs root"
    )
    command.add_argument("--seed", type=int, default=1, metavar="N", help="which days are lived, and what survives (default 1)")
    command.add_argument("--keep", type=Path, metavar="DIR", help="where what was found broken stays to be looked at")
    command.add_argument("--tree", type=Path, metavar="DIR", help="where the root file system for --boot is kept for the next time")


def harm(arguments: argparse.Namespace, progress: Progress) -> Tally:
    """Cut in the ways that were asked for; UsageError when one of them cannot be."""
    wanted = {way: times for way in WAYS if (times := getattr(arguments, way)) is not None} or {"states": STATES}
    if arguments.keep is not None:
        made(arguments.keep)
    began_s = time.monotonic()
    found = {way: WAYS[way](times, arguments, progress) for way, times in wanted.items()}
    if len(found) == 1:
        return next(iter(found.values()))
    tally = Tally(harm="power", seed=arguments.seed)
    for way, one in found.items():
        tally.add(one)
        tally.more[way] = {"states": one.states, "seconds": one.seconds, **one.more}
    tally.seconds = round(time.monotonic() - began_s, 1)
    return tally


def _states(times: int, arguments: argparse.Namespace, progress: Progress) -> Tally:
    from cli.faults.power import states

    return states.cut(states=times, seed=arguments.seed, progress=progress, keep=arguments.keep)


def _device(times: int, arguments: argparse.Namespace, progress: Progress) -> Tally:
    from cli.faults.power import block, device

    try:
        return device.cut(cuts=times, seed=arguments.seed, progress=progress, keep=arguments.keep)
    except block.DiskError as error:
        raise UsageError(str(error)) from None


def _boot(times: int, arguments: argparse.Namespace, progress: Progress) -> Tally:
    from cli.faults.power import block, boot

    try:
        return boot.cut(boots=times, seed=arguments.seed, progress=progress, keep=arguments.keep, root=arguments.tree)
    except block.DiskError as error:
        raise UsageError(str(error)) from None


WAYS = {"states": _states, "device": _device, "boot": _boot}
