"""Which readings are believed. Pure.

Each rule has its measured reason: decoders "find" short Interleaved 2 of 5 codes in stripes and cardboard, and Code 39 with percent signs.
"""

from __future__ import annotations

import re

from drivers.gs1 import LONGEST, mod10_holds

SHORTEST_LINEAR = 6  # characters; a shorter Code 128 or Code 39 is on no parcel and often a misreading
EAN_DIGITS = 13
ITF_DIGITS = 14  # ITF-14 alone: the symbology has no start pattern worth the name
CODE39 = re.compile(r"[0-9A-Z .$/+-]+")
MATRIX = frozenset({"QRCODE", "DATAMATRIX", "PDF417", "AZTEC"})  # protected by Reed-Solomon: no wrong value in 1050 frames


def believed(text: str, symbology: str) -> str | None:
    """The text to go on with, None for a reading that is not to be trusted: wrong check digit, length or symbology."""
    if not text or len(text) > LONGEST:
        return None
    if symbology in MATRIX:
        return text
    if symbology in {"EAN13", "UPCA"}:
        digits = text.zfill(EAN_DIGITS)
        return digits if len(digits) == EAN_DIGITS and digits.isdecimal() and mod10_holds(digits) else None
    if symbology == "ITF":
        return text if len(text) == ITF_DIGITS and text.isdecimal() and mod10_holds(text) else None
    if symbology == "CODE39":
        return text if len(text) >= SHORTEST_LINEAR and CODE39.fullmatch(text) else None
    return text if symbology == "CODE128" and len(text) >= SHORTEST_LINEAR else None
