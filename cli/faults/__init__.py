"""`roadproof faults`: do to the unit, the broker and the receiver what happens to them, and count what is lost."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from cli.words import Commands, add, add_group

# Each is a package of its own here, named after the word: `options` says what may be typed, `harm` does it and returns a tally.
HARMS = {
    "power": ("cut the power at every instant and open what is left", "roadproof faults power --states 20000"),
    "run": ("kill unit, broker and receiver and cut the link, all at random", "roadproof faults run --seconds 600 --seed 1"),
    "disk": ("fill the card, whatever room is left on it", "roadproof faults disk"),
    "bits": ("flip bits in the journal and in the attachments", "roadproof faults bits --flips 1000"),
    "clock": ("start and run at every wrong time", "roadproof faults clock"),
    "config": ("damage every byte of the settings file", "roadproof faults config"),
    "link": ("send proofs over a road that is slow, loses packets and is cut", "roadproof faults link"),
    "machine": ("unplug USB, hang the kernel, start in 1980, on an emulated computer", "roadproof faults machine --unplugs 10"),
    "peers": ("do the same to what others use, where it is installed", "roadproof faults peers --json"),
}


def add_commands(commands: Commands) -> None:
    """Add `faults` and its harms."""
    group = add_group(commands, "faults", "break the unit in every way we know, and count what is lost")
    for name, (about, example) in HARMS.items():
        command = add(group, name, do, about, example)
        command.add_argument("--json", action="store_true", help="no progress, only the line of JSON at the end")
        importlib.import_module(f"cli.faults.{name}").options(command)
        command.set_defaults(harm=name, untyped=command.get_default)
    table = add(group, "table", show, "turn what runs ended with into tables, and put them into pages", "roadproof faults table runs.jsonl")
    table.add_argument("file", type=Path, metavar="FILE", help="lines of JSON, one of each run: roadproof faults HARM --json >> FILE")
    table.add_argument(
        "--into", type=Path, nargs="+", metavar="PAGE", help="put the tables between the marks of these pages instead of printing"
    )


def do(arguments: argparse.Namespace) -> int:
    """Harm, count, say it in one line of JSON; 1 when something was lost."""
    from cli.faults import report

    return report.run(importlib.import_module(f"cli.faults.{arguments.harm}").harm, arguments)


def show(arguments: argparse.Namespace) -> int:
    """What runs counted, for pages."""
    from cli.faults import page

    return page.show(arguments)
