"""`roadproof fleet send-run`: the day's stops to a unit."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cli.errors import UsageError
from cli.fleet.place import DEFAULT_CONFIG, read_settings
from cli.words import Commands, add
from fleet.dispatch import DispatchError, send_run
from fleet.runfile import RunFile, RunFileError, read
from mqtt import topics
from mqtt.session import LinkError


def add_commands(group: Commands) -> None:
    """Add send-run."""
    command = add(group, "send-run", run_send_run, "give a unit its day's stops", "roadproof fleet send-run monday.json --unit van-12")
    command.add_argument("file", metavar="FILE", type=Path, help="the run as JSON: docs/run.md")
    command.add_argument("--unit", metavar="U", required=True, help="the unit that drives it")
    command.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        default=DEFAULT_CONFIG,
        help=f"settings with an operator's [broker] login; default {DEFAULT_CONFIG}",
    )


def run_send_run(arguments: argparse.Namespace) -> int:
    """Check a run file and publish it."""
    unit = arguments.unit
    if not topics.UNIT.fullmatch(unit):
        raise UsageError(f"{unit!r} is no unit name: small letters, digits and hyphens, 32 at most")
    wanted = read_run(arguments.file)
    broker = read_settings(arguments.config).broker
    try:
        sent = send_run(broker, unit, wanted.plan, wanted.n)
    except (DispatchError, LinkError) as error:
        print(f"roadproof: {error}", file=sys.stderr)
        return 1
    stops = len(wanted.plan.stops)
    before = "the first that the broker holds" if sent.previous is None else f"it had version {sent.previous}"
    print(f"{unit} has its run of {wanted.plan.day}: {stops} stops, version {sent.n} ({before})")
    return 0


def read_run(path: Path) -> RunFile:
    """The run in a file; UsageError names every fault in it."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: byte {error.start} is not a character") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    except RunFileError as error:
        raise UsageError("\nroadproof: ".join(f"{path}: {fault}" for fault in error.faults)) from None
