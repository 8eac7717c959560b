"""`roadproof hardware`: which board and parts this machine has, beside what its profile expects."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from cli.daemon import CONFIG, load_config
from cli.errors import UsageError
from cli.words import Commands, add
from drivers.board import BoardProfile, BoardSettings, profile_of
from drivers.errors import DriverError
from drivers.fitting import Fit, fit
from drivers.hardware import Hardware, seen, summary


def add_commands(commands: Commands) -> None:
    """Add `hardware`."""
    command = add(commands, "hardware", hardware, "tell what board and parts it sees, and what is missing", "roadproof hardware --json")
    command.add_argument("--config", type=Path, metavar="FILE", help=f"settings file that names the profile (default {CONFIG})")
    command.add_argument("--profile", metavar="NAME", help="compare with this board profile instead")
    command.add_argument("--json", action="store_true", help="everything, for programs")


def hardware(arguments: argparse.Namespace) -> int:
    """Show the parts; 1 when one that the profile expects is missing, 2 when the settings cannot be used."""
    found, board = seen(), _board(arguments)
    profile = _profile(board)
    fits = fit(profile, found, board.gnss_port) if board and profile else []
    if arguments.json:
        print(json.dumps({"seen": msgspec.to_builtins(found), "expected": msgspec.to_builtins(fits)}))
    else:
        _show(found, fits)
        if profile is None:
            print("No board profile is compared: name one with --profile, for example --profile raspberry-pi-4.", file=sys.stderr)
    return int(any(one.fault for one in fits))


def _board(arguments: argparse.Namespace) -> BoardSettings | None:
    """The settings of the box; None on a machine that has none yet."""
    if arguments.profile:
        return BoardSettings(profile=arguments.profile)
    if arguments.config is None and not CONFIG.exists():
        return None
    return load_config(arguments.config or CONFIG).board


def _profile(board: BoardSettings | None) -> BoardProfile | None:
    try:
        return profile_of(board) if board else None
    except DriverError as error:
        raise UsageError(str(error)) from None


def _show(found: Hardware, fits: list[Fit]) -> None:
    console = Console()
    parts = Table("part", "seen", title=found.model or "unknown board", title_justify="left")
    for part, text in summary(found).items():
        parts.add_row(part, text)
    console.print(parts)
    if not fits:
        return
    compared = Table("part", "expected by the profile", "seen", "")
    for one in fits:
        compared.add_row(one.part, one.expected, one.seen or "-", "missing" if one.fault else "ok")
    console.print(compared)
    for one in fits:
        if one.fault:
            console.print(f"{one.part}: {one.fault}", markup=False, highlight=False, soft_wrap=True)
