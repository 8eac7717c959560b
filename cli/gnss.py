"""`roadproof gnss`: look at a receiver, live or from a capture."""

from __future__ import annotations

import argparse
import functools
import json
import pathlib
from collections.abc import Iterator
from datetime import date

from cli.errors import UsageError
from drivers.gnss import decode as capture
from drivers.gnss.fix import Epoch

READ_BYTES = 4_096


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `gnss decode` and `gnss watch`."""
    gnss = commands.add_parser("gnss", help="look at a GNSS receiver, live or from a capture")
    actions = gnss.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_decode(actions)


def _add_decode(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "decode",
        help="raw serial bytes in, one JSON object per epoch out",
        epilog="example: roadproof gnss decode drive.nmea --not-before 2025-01-01",
    )
    parser.add_argument("capture", type=pathlib.Path, metavar="CAPTURE", help="a file of raw bytes from a serial line")
    parser.add_argument("--not-before", required=True, metavar="YYYY-MM-DD", help="a day before which it cannot have been made")
    parser.add_argument("--chunk", type=int, default=READ_BYTES, metavar="N", help="bytes per read (the result is the same for any)")
    parser.set_defaults(run=decode)


def decode(arguments: argparse.Namespace) -> int:
    """Print the epochs of a capture as JSON lines."""
    not_before = _day(arguments.not_before)
    if arguments.chunk < 1:
        raise UsageError(f"--chunk is {arguments.chunk}; it must be 1 or more bytes.")
    for epoch in capture.decode(_chunks(arguments.capture, arguments.chunk), not_before):
        print(json.dumps(epoch_json(epoch)))
    return 0


def epoch_json(epoch: Epoch) -> dict[str, object]:
    """Return the fields of an epoch as `gnss decode` and `gnss watch --json` print them."""
    at = epoch.at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if epoch.at else None
    return {
        "at": at,
        "mode": epoch.mode,
        "lat_deg": epoch.lat_deg,
        "lon_deg": epoch.lon_deg,
        "alt_msl_m": epoch.alt_msl_m,
        "speed_mps": epoch.speed_mps,
        "course_deg": epoch.course_deg,
        "offset_bytes": epoch.offset_bytes,
    }


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--not-before {text!r} is not a date; write it as YYYY-MM-DD, for example 2025-01-01.") from None


def _chunks(path: pathlib.Path, size: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from iter(functools.partial(file.read, size), b"")
    except OSError as error:
        raise UsageError(f"The capture {path} cannot be read: {error.strerror}.") from None
