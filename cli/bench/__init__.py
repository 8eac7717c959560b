"""`roadproof bench`: what the road and a proof cost, measured on this machine; ratios where machines differ."""

from __future__ import annotations

import argparse
from pathlib import Path

from cli.words import Commands, add

PARTS = ("payload", "journal", "drain", "peers", "network", "running", "card", "backlog", "plugs", "pictures", "scan", "terminal")
PAGE = Path("docs/performance.md")
TIMES = 3


def add_commands(commands: Commands) -> None:
    """Add `bench`."""
    command = add(
        commands, "bench", run, "measure what a fix and a proof cost, and how fast a backlog drains", "roadproof bench scan drain --json"
    )
    command.add_argument("--times", type=int, default=TIMES, metavar="N", help=f"runs of each part at most (default {TIMES})")
    command.add_argument("parts", nargs="*", type=_part, metavar="PART", help=f"what to measure, all of it without: {', '.join(PARTS)}")
    command.add_argument(
        "--from", dest="results", type=Path, nargs="+", metavar="FILE", help="measure nothing: show what --json told before"
    )
    shown = command.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="for programs")
    shown.add_argument(
        "--markdown",
        type=Path,
        nargs="?",
        const=PAGE,
        metavar="FILE",
        help=f"write a page, with its plots in plots/ beside it (default {PAGE})",
    )


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"there is no part {name}; there are {', '.join(PARTS)}")
    return name


def run(arguments: argparse.Namespace) -> int:
    """Measure and show."""
    from cli.bench import report  # half the project: the other commands, the daemon among them, do without it

    return report.run(arguments)
