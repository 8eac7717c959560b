"""`roadproof faults peers`: the same faults for us and for what a user would pick instead."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.progress import Progress

from cli.faults.tally import Tally

PEERS = ("roadproof", "paho", "bridge", "thingsboard-sqlite", "thingsboard-file")
FAULTS = ("kill", "broker", "link", "power")
PART = 0.1  # of the records of a full run: about two minutes where no ThingsBoard gateway is installed


def options(command: argparse.ArgumentParser) -> None:
    """What may be typed."""
    command.add_argument("--venv", type=Path, metavar="DIR", help="virtual environment with thingsboard-gateway in it")
    command.add_argument("--only", choices=PEERS, metavar="NAME", help="one of: %(choices)s")
    command.add_argument("--fault", choices=FAULTS, metavar="NAME", help="one of: %(choices)s")
    command.add_argument(
        "--part",
        type=float,
        default=PART,
        metavar="P",
        help=f"part of 3,000, 5,000, 4,000 and 2,000 records; 1 for a full run (default {PART})",
    )
    command.add_argument("--seed", type=int, default=1, metavar="N", help="which unsynced writes survive the power cut (default 1)")
    command.add_argument("--keep", type=Path, metavar="DIR", help="new folder where everybody's files and logs stay")


def harm(arguments: argparse.Namespace, progress: Progress) -> Tally:
    """Do it to each; the tally is ours, the others stand beside it in `more`."""
    from cli.faults.peers import comparison

    return comparison.compared(arguments, progress)
