"""`roadproof faults run`: a storm over unit, broker, receiver and the road between them, while proofs are given."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rich.progress import Progress

from cli.faults.amount import number
from cli.faults.scratch import kept_or_thrown
from cli.faults.tally import Tally

NAMES = ("unit", "broker", "wipe", "receiver", "restore", "cut", "break", "hole", "silence")
FASTEST_HZ = 10


def options(command: argparse.ArgumentParser) -> None:
    """What may be typed."""
    command.add_argument(
        "--seconds", type=number(1), default=90.0, metavar="S", help="how long it blows (default 90); settling comes on top"
    )
    command.add_argument("--seed", type=int, metavar="N", help="what happens when; the same number, the same order (default: a new one)")
    command.add_argument(
        "--only", choices=NAMES, nargs="+", default=NAMES, metavar="KIND", help=f"only these kinds of fault: {', '.join(NAMES)}"
    )
    command.add_argument(
        "--hz", type=number(1, FASTEST_HZ), default=5.0, metavar="N", help="positions a second of the van's receiver, 1 to 10 (default 5)"
    )
    command.add_argument(
        "--postgres", metavar="URL", help="keep the fleet's records in this empty PostgreSQL database instead of an SQLite file"
    )
    command.add_argument(
        "--forget-on",
        choices=("receipt", "puback"),
        default="receipt",
        help="uplink.forget_on of the unit; puback loses records, see how many",
    )
    command.add_argument("--keep", type=Path, metavar="DIR", help="leave journal, store and logs here, to look into")


def harm(arguments: argparse.Namespace, progress: Progress) -> Tally:
    """Blow, heal, and count what is nowhere."""
    from cli.faults.run.forecast import Forecast
    from cli.faults.run.storm import blow

    forecast = Forecast(
        seconds=arguments.seconds,
        seed=int.from_bytes(os.urandom(3)) if arguments.seed is None else arguments.seed,
        kinds=tuple(arguments.only),
        rate_hz=arguments.hz,
        postgres=arguments.postgres,
        forget_on=arguments.forget_on,
    )
    with kept_or_thrown(arguments.keep, "storm") as folder:
        return blow(folder, forecast, progress)
