"""How commands are added: a name, a sentence, an example."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cli.errors import UsageError

Commands = Any  # argparse's own class for them has no public name
Run = Callable[[argparse.Namespace], int]


def add(commands: Commands, name: str, run: Run, about: str, example: str) -> argparse.ArgumentParser:
    """Add a command that runs `run`, its sentence and its example in --help."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=about,
        description=about[0].upper() + about[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def add_group(commands: Commands, name: str, about: str) -> Commands:
    """Add a word that has commands below it."""
    group = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
    return group.add_subparsers(metavar="COMMAND", required=True)


def time_text(at_ms: int) -> str:
    """UTC for people, to the second."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"


def time_ms(option: str, text: str) -> int:
    """A time as people type it, in milliseconds since 1970, UTC unless it carries an offset; UsageError when it is none."""
    try:
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text} is no time; write 2026-05-04 or 2026-05-04T08:00") from None
