"""Where a barcode goes: to the sign-in, the load, or the stop. Pure."""

from __future__ import annotations

import re

from msgspec.structs import replace

from firmware.day import load, parcels, signin
from firmware.day.turn import Turn, is_moving, refuse
from firmware.day.work import Scanned

LONGEST_SYMBOLOGY = 40  # characters, as a record takes it
CONTROL = re.compile("[\x00-\x1c\x1e\x1f\x7f-\x9f\ud800-\udfff]")  # GS, 0x1D, parts the fields of a GS1 message


def scan(turn: Turn, scanned: Scanned) -> None:
    """Take a barcode; a parcel's label has no control characters, and nothing is scanned while driving."""
    if not scanned.code.strip():
        refuse("scan.empty")
    if any(CONTROL.search(text) for text in (scanned.code, scanned.symbology, scanned.identity)):
        refuse("scan.control")
    if is_moving(turn.work, turn.moment):
        refuse("moving")
    scanned = replace(scanned, symbology=scanned.symbology[:LONGEST_SYMBOLOGY])
    screen = turn.work.face.screen
    if screen == "signin":
        signin.take_badge(turn, scanned)
    elif turn.work.day.driver is None:
        refuse("session.none")
    elif screen == "load":
        load.scan(turn, scanned)
    elif screen == "scan":
        parcels.scan(turn, scanned)
    else:
        refuse("scan.not_now")
