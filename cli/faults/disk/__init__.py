"""`roadproof faults disk`: the card runs full in the middle of a day, with every room that may be left on it."""

from __future__ import annotations

import argparse

from rich.progress import Progress

from cli.faults.amount import count
from cli.faults.tally import Tally


def options(command: argparse.ArgumentParser) -> None:
    """What may be typed."""
    command.add_argument("--seed", type=int, default=1, metavar="N", help="of the days (default 1)")
    command.add_argument("--sizes", type=count, default=60, metavar="N", help="how many rooms are left, a page more each time (default 60)")


def harm(arguments: argparse.Namespace, progress: Progress) -> Tally:
    """Fill a small file system of its own, again and again, while the day goes on."""
    from cli.faults.disk import card

    return card.fill(sizes=arguments.sizes, seed=arguments.seed, progress=progress)
