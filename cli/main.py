"""The `roadproof` command: its words, its exit codes, its one-line errors."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cli import authority, bench, config, contract, daemon, demo, fleet, gnss, journal, scan, verify
from cli.errors import UsageError

EPILOG = """examples:
  roadproof demo --for 60s
  roadproof run --config /etc/roadproof/roadproof.toml
  roadproof gnss watch /dev/ttyAMA0
"""


class _Parser(argparse.ArgumentParser):
    """Says a wrong argument in one line that names the command, exit code 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(
        prog="roadproof",
        description="In-vehicle unit for a Raspberry Pi: telematics and proof of delivery that loses nothing.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for part in (demo, daemon, gnss, scan, journal, config, contract, fleet, verify, authority, bench):
        part.add_commands(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 good, 1 it failed, 2 it was typed wrongly."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(threadName)s %(message)s", stream=sys.stderr)
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except UsageError as error:
        print(f"roadproof: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
