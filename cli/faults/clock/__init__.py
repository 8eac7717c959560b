"""`roadproof faults clock`: every wrong time that a unit can meet; order stays, doubt is marked, and no number comes twice."""

from __future__ import annotations

import argparse

from rich.progress import Progress

from cli.faults.amount import count
from cli.faults.tally import Tally


def options(command: argparse.ArgumentParser) -> None:
    """What may be typed."""
    command.add_argument("--seed", type=int, default=1, metavar="N", help="of the cases (default 1)")
    command.add_argument("--cases", type=count, default=120, metavar="N", help="how many, each with three starts of the unit (default 120)")


def harm(arguments: argparse.Namespace, progress: Progress) -> Tally:
    """Drive through each case in virtual time."""
    from cli.faults.clock import cases

    return cases.meet(cases=arguments.cases, seed=arguments.seed, progress=progress)
