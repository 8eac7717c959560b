"""`roadproof bench`: what the road and a proof cost, measured on this machine; ratios where machines differ."""

from __future__ import annotations

import argparse

from cli.words import Commands, add

PARTS = ("payload", "journal", "drain", "plugs", "pictures", "terminal")


def add_commands(commands: Commands) -> None:
    """Add `bench`."""
    command = add(commands, "bench", run, "measure what a fix and a proof cost, and how fast a backlog drains", "roadproof bench --json")
    command.add_argument("--json", action="store_true", help="for programs")
    command.add_argument("--markdown", action="store_true", help="the page docs/figures.md")
    command.add_argument("--only", metavar="PART", choices=PARTS, help="one of: %(choices)s")


def run(arguments: argparse.Namespace) -> int:
    """Measure and show."""
    from cli.bench import report  # half the project: the other commands, the daemon among them, do without it

    return report.run(arguments)
