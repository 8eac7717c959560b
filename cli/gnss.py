"""`roadproof gnss`: look at a receiver, live or from a capture."""

from __future__ import annotations

import argparse
import functools
import json
import time
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.live import Live

from cli.errors import UsageError
from cli.gnss_picture import Rates, picture
from cli.words import Commands, add, add_group
from drivers.errors import PortGoneError
from drivers.gnss import decode as capture
from drivers.gnss.fix import Epoch
from drivers.gnss.receiver import GnssReceiver
from drivers.gnss.ublox import Ublox
from firmware.clock import BUILD_DATE

READ_BYTES = 4_096
READ_S = 0.25  # four pictures a second
RETRY_S = 1.0


def add_commands(commands: Commands) -> None:
    """Add `gnss decode` and `gnss watch`."""
    group = add_group(commands, "gnss", "look at a GNSS receiver, live or from a capture")
    command = add(
        group,
        "decode",
        decode,
        "turn a capture of raw serial bytes into one JSON object per epoch",
        "roadproof gnss decode drive.nmea --not-before 2026-01-01",
    )
    command.add_argument("capture", type=Path, metavar="CAPTURE", help="a file of raw bytes from a serial line")
    command.add_argument("--not-before", required=True, metavar="DATE", help="a day (YYYY-MM-DD) before which it cannot have been made")
    command.add_argument("--chunk", type=int, default=READ_BYTES, metavar="N", help="bytes per read (the result is the same for any)")
    command = add(group, "watch", watch, "show what a receiver says now", "roadproof gnss watch /dev/ttyAMA0 --baud 9600")
    command.add_argument("port", metavar="PORT", help="the serial port; a name below /dev/serial/by-id survives replugging")
    command.add_argument("--baud", type=int, metavar="N", help="speed of the line; found out when absent")
    command.add_argument(
        "--not-before", metavar="DATE", help="a day (YYYY-MM-DD) before which it cannot be (the day this version was made)"
    )
    command.add_argument("--for", type=float, dest="for_s", metavar="SECONDS", help="stop after so long; Ctrl-C does it at any time")
    command.add_argument("--json", action="store_true", help="one JSON object per epoch, for programs")


def decode(arguments: argparse.Namespace) -> int:
    """Print the epochs of a capture as JSON lines."""
    not_before = _day(arguments.not_before)
    if arguments.chunk < 1:
        raise UsageError(f"--chunk is {arguments.chunk}; it must be 1 or more bytes.")
    for epoch in capture.decode(_chunks(arguments.capture, arguments.chunk), not_before):
        print(epoch_json(epoch))
    return 0


def watch(arguments: argparse.Namespace) -> int:
    """Show a receiver until the time is over or Ctrl-C."""
    not_before = _day(arguments.not_before) if arguments.not_before else BUILD_DATE
    if arguments.baud is not None and arguments.baud < 1:
        raise UsageError(f"--baud is {arguments.baud}; 4800, 9600, 38400 and 115200 are usual.")
    until_s = time.monotonic() + arguments.for_s if arguments.for_s else None
    receiver = GnssReceiver(arguments.port, arguments.baud, not_before=not_before, ublox=Ublox())
    try:
        receiver.read(0.0)
    except PortGoneError as error:
        raise UsageError(str(error)) from None
    try:
        (_print_epochs if arguments.json else _show)(receiver, until_s)
    except KeyboardInterrupt:
        pass  # the usual way to end it
    finally:
        receiver.close()
    return 0


def _print_epochs(receiver: GnssReceiver, until_s: float | None) -> None:
    for epochs in _reads(receiver, until_s):
        for epoch in epochs:
            print(epoch_json(epoch), flush=True)


def _show(receiver: GnssReceiver, until_s: float | None) -> None:
    rates, last = Rates(), None
    with Live(console=Console(), auto_refresh=False, transient=False) as live:
        for epochs in _reads(receiver, until_s):
            last = epochs[-1] if epochs else last
            status = receiver.status()
            rates.add(status, time.monotonic())
            live.update(picture(status, last, rates), refresh=True)


def _reads(receiver: GnssReceiver, until_s: float | None) -> Iterator[list[Epoch]]:
    """Yield the epochs of one read after another; an unplugged receiver gives none until it is back."""
    while until_s is None or time.monotonic() < until_s:
        try:
            yield receiver.read(READ_S)
        except PortGoneError:
            yield []
            time.sleep(RETRY_S)


def epoch_json(epoch: Epoch) -> str:
    """Return an epoch as `gnss decode` and `gnss watch --json` print it."""
    at = epoch.at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if epoch.at else None
    names = ("mode", "lat_deg", "lon_deg", "alt_msl_m", "speed_mps", "course_deg", "offset_bytes")
    return json.dumps({"at": at} | {name: getattr(epoch, name) for name in names})


def _day(text: str) -> date:
    """Read a floor; a day past the end of its month (headers of old recordings have some) is the month's last."""
    try:
        year, month, day = (int(part) for part in text.split("-"))
        return date(year, month, min(day, monthrange(year, month)[1]))
    except ValueError:
        raise UsageError(f"--not-before {text!r} is not a date; write it as YYYY-MM-DD, for example 2026-01-01.") from None


def _chunks(path: Path, size: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from iter(functools.partial(file.read, size), b"")
    except OSError as error:
        raise UsageError(f"The capture {path} cannot be read: {error.strerror}.") from None
