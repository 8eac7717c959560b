"""The `roadproof` command: its words, its exit codes, its one-line errors."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cli.errors import UsageError
from firmware.version import VERSION

# The first word -> the module that answers to it. Only that one is imported: the daemon must not carry what the demo needs.
MODULES = {
    "demo": "demo", "run": "daemon", "status": "daemon", "gnss": "gnss", "scan": "scan", "scanner": "scanner", "journal": "journal",
    "config": "config", "contract": "contract", "fleet": "fleet", "verify": "verify",
    "enrol": "enrol", "renew": "renew", "wipe": "wipe",
    "bench": "bench", "faults": "faults", "package": "package", "hardware": "hardware",
    "selftest": "selftest",
}  # fmt: skip

EPILOG = """examples:
  roadproof demo --for 60s
  roadproof run --config /etc/roadproof/roadproof.toml
  roadproof gnss watch /dev/ttyAMA0
"""


class _Parser(argparse.ArgumentParser):
    """Says a wrong argument in one line that names the command, exit code 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser(word: str | None = None) -> argparse.ArgumentParser:
    """The command line of one first word; the whole of it without one, or with one that there is not."""
    top = _Parser(
        prog="roadproof",
        description="In-vehicle unit for a Raspberry Pi: telematics and proof of delivery that loses nothing.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"roadproof {VERSION}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for name in [MODULES[word]] if word in MODULES else dict.fromkeys(MODULES.values()):
        importlib.import_module(f"cli.{name}").add_commands(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 good, 1 it failed, 2 it was typed wrongly."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(threadName)s %(message)s", stream=sys.stderr)
    words = sys.argv[1:] if argv is None else argv
    arguments = parser(words[0] if words else None).parse_args(words)
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
