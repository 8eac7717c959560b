"""`roadproof scanner`: what a hand scanner sends, to set it up by."""

from __future__ import annotations

import argparse
import json
import sys
import time

from cli.errors import UsageError
from cli.words import Commands, add
from drivers.errors import BarcodeError
from drivers.gs1 import identity
from drivers.wedge import Reading, Wedges, WedgeSettings

WAIT_S = 0.25
READY = "ready; scan a code, Ctrl-C ends it"
NONE = "no hand scanner answers; plug one in, it is taken up by itself"


def add_commands(commands: Commands) -> None:
    """Add `scanner`."""
    command = add(commands, "scanner", scanner, "show what a hand scanner sends: one JSON object a code", "roadproof scanner --for 60")
    command.add_argument("ports", nargs="*", metavar="PORT", help="serial ports; every USB scanner is found without being named")
    command.add_argument("--separator", metavar="TEXT", help="what the scanner sends instead of the separator GS")
    command.add_argument("--for", type=float, dest="for_s", metavar="SECONDS", help="stop after so long; Ctrl-C does it at any time")


def scanner(arguments: argparse.Namespace) -> int:
    """Print each code until the time is over or Ctrl-C; exit code 1 when no scanner was there at the end."""
    if arguments.for_s is not None and arguments.for_s <= 0:
        raise UsageError(f"--for is {arguments.for_s:g}; give it seconds, such as 60.")
    wedges = Wedges(WedgeSettings(serial=tuple(arguments.ports), usb="auto", separator=arguments.separator))
    until_s = time.monotonic() + arguments.for_s if arguments.for_s else float("inf")
    said: tuple[str, ...] = ()
    try:
        while time.monotonic() < until_s:
            for reading in wedges.read(WAIT_S):
                print(told(reading), flush=True)
            if not wedges.count:
                time.sleep(WAIT_S)
            state = (*wedges.faults, READY if wedges.count else NONE)
            for sentence in set(state) - set(said):
                print(f"roadproof scanner: {sentence}", file=sys.stderr, flush=True)
            said = state
        return 0 if wedges.count else 1
    finally:
        wedges.close()


def told(reading: Reading) -> str:
    """One code as a JSON object: what was sent, and the name under which a parcel is matched by it, null where it is none."""
    try:
        name: str | None = identity(reading.text, reading.symbology, reading.aim)
    except BarcodeError:
        name = None
    fields = {"text": reading.text, "symbology": reading.symbology, "aim_id": reading.aim, "identity": name, "device": reading.device}
    return json.dumps(fields, ensure_ascii=False)
