"""`roadproof faults config`: damage every byte of a settings file; a van that has driven with good ones drives on."""

from __future__ import annotations

import argparse

from rich.progress import Progress

from cli.faults.amount import count
from cli.faults.tally import Tally


def options(command: argparse.ArgumentParser) -> None:
    """What may be typed."""
    command.add_argument("--seed", type=int, default=1, metavar="N", help="of the damage (default 1)")
    command.add_argument(
        "--starts", type=count, default=12, metavar="N", help="damaged files that the real daemon is started with (default 12)"
    )


def harm(arguments: argparse.Namespace, progress: Progress) -> Tally:
    """Damage the file in every way: what the daemon decides for each, and what it does as a process for some."""
    import time

    from cli.faults.config import bytewise, process, typewise
    from cli.faults.scratch import scratch

    begun_s = time.monotonic()
    tally = Tally(harm="config", seed=arguments.seed, faults=0, states=0, lost=0, corrupt=0, tracebacks=0)
    with scratch("config") as folder:
        parts = (
            bytewise.damage(folder, arguments.seed, progress),
            bytewise.damage_copy(folder, arguments.seed, progress),
            typewise.damage(folder, progress),
            process.damage(folder, arguments.seed, arguments.starts, progress),
        )
    for part in parts:
        tally.add(part)
        tally.more |= part.more
    tally.seconds = round(time.monotonic() - begun_s, 1)
    return tally
