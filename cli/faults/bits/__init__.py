"""`roadproof faults bits`: flip one bit after the other in what the unit keeps; nothing wrong is ever sent, and nothing goes unnoticed."""

from __future__ import annotations

import argparse

from rich.progress import Progress

from cli.faults.amount import count
from cli.faults.tally import Tally


def options(command: argparse.ArgumentParser) -> None:
    """What may be typed."""
    command.add_argument("--seed", type=int, default=1, metavar="N", help="of the day and of the flips (default 1)")
    command.add_argument("--flips", type=count, default=400, metavar="N", help="how many, each in a fresh copy of the day (default 400)")


def harm(arguments: argparse.Namespace, progress: Progress) -> Tally:
    """Flip, start the unit, and send everything that it would send."""
    from cli.faults.bits import flips

    return flips.flip(flips=arguments.flips, seed=arguments.seed, progress=progress)
