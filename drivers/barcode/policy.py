"""Which readings are believed. Pure.

Each rule has its measured reason: decoders "find" short Interleaved 2 of 5 codes in stripes and cardboard, and Code 39 with percent signs.
"""

from __future__ import annotations

import re

from drivers.gs1 import LONGEST, mod10_holds

SHORTEST_LINEAR = 6  # characters; a shorter Code 128 or Code 39 is on no parcel and often a misreading
EAN_DIGITS = 13
SURE_LINES = 16  # of a picture that say the same: the wrong values of made frames were seen in 6 lines
ITF_DIGITS = 14  # ITF-14 alone: the symbology has no start pattern worth the name
ODD = re.compile(r"[\x00-\x03\x05-\x08\x0b\x0c\x0e-\x1c\x7f-\x9f]")  # in no shipper's PDF417; its correction may put a wrong text right
CODE128 = re.compile(r"[0-9A-Za-z \x1d.,:;/+%$#&|_()=-]+")  # what shippers write
CODE39 = re.compile(r"[0-9A-Z .$/+-]+")
MATRIX = frozenset({"QRCODE", "DATAMATRIX", "PDF417", "AZTEC"})  # protected by Reed-Solomon: no wrong value in 1050 frames


def believed(text: str, symbology: str, *, close: bool = False) -> str | None:
    """The text to go on with, None for a reading that is not to be trusted: wrong check digit, length or symbology."""
    if not text or len(text) > LONGEST:
        return None
    if symbology in MATRIX:
        return None if symbology == "PDF417" and ODD.search(text) else text
    if symbology in {"EAN13", "UPCA"}:
        digits = text.zfill(EAN_DIGITS)
        return digits if len(digits) == EAN_DIGITS and digits.isdecimal() and mod10_holds(digits) else None
    if symbology == "ITF":
        return text if len(text) == ITF_DIGITS and text.isdecimal() and mod10_holds(text) else None
    if symbology == "CODE39":
        return text if len(text) >= SHORTEST_LINEAR and CODE39.fullmatch(text) else None
    # Its one check digit lets one in a hundred misreadings pass; a close look is taken at poor pictures, and made most of them.
    return text if symbology == "CODE128" and len(text) >= SHORTEST_LINEAR and (not close or CODE128.fullmatch(text)) else None


def is_doubtful(symbology: str, lines: int, *, close: bool, sharpened: bool) -> bool:
    """Whether a value wants a second witness: one check digit, or none, is no proof.

    Of poor EAN pictures the engines misread 3 to 7 in 100, most of them in few `lines` of the picture; a close look is taken at poor ones,
    and what was sharpened was not there at all.
    """
    if symbology in MATRIX:
        return False
    if not close and lines < SURE_LINES:
        return True
    return (sharpened and symbology != "CODE128") or (close and symbology == "EAN13")
