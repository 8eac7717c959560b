"""GS1 identifiers as the Digital Links that EPCIS 2.0 wants, from what was read at the door. Pure.

Sources: GS1 General Specifications, figure 7.8.5-2 (lengths) and 7.9 (check digit); GS1 Digital Link 1.2, section 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

SEPARATOR = "\x1d"  # FNC1 as scanners hand it over
SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
BRACKETED = re.compile(r"\((\d{2,4})\)([^(]*)")
LINK = "https://id.gs1.org"
AI_DIGITS = {"23": 3, "24": 3, "25": 3, "40": 3, "41": 3, "42": 3, "71": 3, "31": 4, "32": 4, "33": 4, "34": 4, "35": 4, "36": 4,
             "39": 4, "43": 4, "70": 4, "72": 4, "80": 4, "81": 4, "82": 4}  # fmt: skip
FIXED_VALUE = {"00": 18, "01": 14, "02": 14, "03": 14, "04": 16, "11": 6, "12": 6, "13": 6, "14": 6, "15": 6, "16": 6, "17": 6, "18": 6,
               "19": 6, "20": 2, "31": 6, "32": 6, "33": 6, "34": 6, "35": 6, "36": 6, "41": 13}  # fmt: skip
PLAIN_GTIN = {8, 12, 13, 14}  # EAN-8, UPC-A, EAN-13, ITF-14
LONGEST_SERIAL = 20


def item_uri(code: str) -> str:
    """A Digital Link for an SSCC or a GTIN with its serial number; a URN of our own for everything else."""
    fields = dict(_fields(code))
    sscc, gtin, serial = fields.get("00", ""), fields.get("01", ""), fields.get("21", "")
    if _is_number(sscc, 18):
        return f"{LINK}/00/{sscc}"
    if _is_number(gtin, 14) and 1 <= len(serial) <= LONGEST_SERIAL:
        return f"{LINK}/01/{gtin}/21/{quote(serial, safe='')}"
    return f"urn:roadproof:item:{quote(code, safe='')}"


def class_uri(code: str) -> str | None:
    """A Digital Link for goods that are known by kind only, a GTIN without a serial number; None when it is none."""
    fields = dict(_fields(code))
    gtin = fields.get("01", "") or (code.zfill(14) if len(code) in PLAIN_GTIN and code.isascii() and code.isdigit() else "")
    if not _is_number(gtin, 14) or fields.get("21"):
        return None
    lot = fields.get("10", "")
    return f"{LINK}/01/{gtin}" + (f"/10/{quote(lot, safe='')}" if 1 <= len(lot) <= LONGEST_SERIAL else "")


def _fields(code: str) -> Iterator[tuple[str, str]]:
    """Application identifiers and their values; what cannot be one ends it."""
    text = SYMBOLOGY.sub("", code, count=1) if code.startswith("]") else code
    if "".join(f"({ai}){value}" for ai, value in BRACKETED.findall(text)) == text:
        yield from BRACKETED.findall(text)
        return
    rest = text.removeprefix(SEPARATOR)
    while rest[:2].isascii() and rest[:2].isdigit() and len(rest) > 2:  # noqa: PLR2004  # the shortest identifier
        digits = AI_DIGITS.get(rest[:2], 2)
        length = FIXED_VALUE.get(rest[:2])
        ai, rest = rest[:digits], rest[digits:]
        value, rest = (rest[:length], rest[length:].removeprefix(SEPARATOR)) if length else _until_separator(rest)
        yield ai, value


def _until_separator(text: str) -> tuple[str, str]:
    value, _, rest = text.partition(SEPARATOR)
    return value, rest


def _is_number(text: str, length: int) -> bool:
    """Whether these are so many digits, the last of which checks the others."""
    if len(text) != length or not text.isascii() or not text.isdigit():
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(text))) % 10 == 0
