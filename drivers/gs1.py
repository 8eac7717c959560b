"""What a code says: GS1's identifiers out of a scanned text, and the one name under which a parcel is matched.

GS1 General Specifications (application identifiers, FNC1 as GS 0x1D), GS1 Digital Link, UPU S10, ISO/IEC 15424 (AIM prefixes).
Two readers, and a test that they agree: `parse` tells every field, through biip, for people and reports. `identity` is what the terminal
asks for each scan; it needs three identifiers and no more, and biip costs 0.3 s, 84 MB for a moment and 12 MB for good when it is
imported (measured with 5.2: its table of the world's company prefixes).
"""

from __future__ import annotations

import re
import urllib.parse
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from drivers.errors import BarcodeError

if TYPE_CHECKING:
    from biip.gs1_element_strings import GS1ElementString

GS = "\x1d"
LONGEST = 4_296  # characters of the largest QR code
AIM_PREFIX = re.compile(r"\][A-Za-z][0-9A-Za-z]")
GS1_AIMS = frozenset({"]C1", "]d2", "]Q3", "]J1", "]e0", "]e1", "]e2", "]L6"})  # the symbologies that announce a GS1 message
STARTS_WITH_IDENTIFIER = re.compile(r"0[01][0-9]{14}")
GTIN_DIGITS = (8, 12, 13, 14)
SSCC_DIGITS = 18
# GS1 General Specifications, element strings with predefined length: these first two digits, so many characters in all. Every other one
# ends at a GS.
FIXED = {
    "00": 20,
    "01": 16,
    "02": 16,
    "03": 16,
    "04": 18,
    "20": 4,
    "41": 16,
    **{str(head): 8 for head in range(11, 20)},
    **{str(head): 10 for head in range(31, 37)},
}
PRINTED = re.compile(r"\((\d{2,4})\)([^(]+)")
SERIAL = re.compile(r"[!-\"%-?A-Z_a-z]{1,20}")  # GS1's 82 characters
S10 = re.compile(r"([A-Z]{2})([0-9]{8})([0-9])([A-Z]{2})")
S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


class Gs1(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a code says in GS1's terms; an identifier with a wrong check digit is absent and named in `faults`."""

    sscc: str | None = None  # 18 digits
    gtin: str | None = None  # 14 digits, zeros in front
    lot: str | None = None
    expiry: str | None = None  # YYYY-MM-DD
    serial: str | None = None
    faults: tuple[str, ...] = ()

    @property
    def identifies(self) -> bool:
        """Whether it names a thing or a kind of things."""
        return self.sscc is not None or self.gtin is not None


NOTHING = Gs1()


def mod10_holds(digits: str) -> bool:
    """Whether the last digit is GS1's check digit of the others."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return total % 10 == 0


def s10_holds(text: str) -> bool:
    """Whether it is an item identifier of the world's posts (UPU S10) with a right check digit."""
    found = S10.fullmatch(text)
    if found is None:
        return False
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(found[2], S10_WEIGHTS, strict=True)) % 11
    return int(found[3]) == {10: 0, 11: 5}.get(rest, rest)


def parse(text: str, aim: str | None = None) -> Gs1:
    """The GS1 fields of a scanned text; no field where it is not GS1.

    `aim` is the symbology identifier where the scanner gave one apart from the text. Without it, a text is taken as GS1 only where it is
    beyond doubt: a Digital Link, "(00)..." as printed below a code, or a message that begins with an identifier whose check digit holds.
    Raises BarcodeError for control characters other than GS.
    """
    prefix, body = _split(_checked(text), aim)
    if body.lower().startswith(("http://", "https://")):
        return _link(body)
    if body.startswith("("):
        return _printed(body)
    if prefix in GS1_AIMS:
        return _message(body)
    number = _number(body)
    if number.identifies:
        return number
    told = _message(body) if STARTS_WITH_IDENTIFIER.match(body) else NOTHING
    return told if told.identifies and not told.faults else NOTHING


def identity(text: str, symbology: str = "", aim: str | None = None) -> str:
    """The name under which a parcel is matched: the same for every way of writing or encoding it.

    "sscc:00" with 18 digits; "gtin:" with 14 digits and, where there is one, ":" and the serial number; "s10:" with 13 characters; else
    "raw:" and the text. Depends on the text alone, never on `symbology`: the fleet's list of parcels has texts without one. Raises
    BarcodeError for control characters other than GS and for nothing at all.
    """
    del symbology
    prefix, body = _split(_checked(text), aim)
    found = _identifiers(prefix, body)
    if found.sscc is not None:
        return f"sscc:00{found.sscc}"
    if found.gtin is not None:
        return f"gtin:{found.gtin}" if found.serial is None else f"gtin:{found.gtin}:{found.serial}"
    bare = re.sub(r"[ -]", "", body).upper()
    return f"s10:{bare}" if s10_holds(bare) else f"raw:{body}"


def _identifiers(prefix: str, body: str) -> Gs1:
    """SSCC, GTIN and serial number alone, by the same rules as `parse`."""
    if body.lower().startswith(("http://", "https://")):
        return _named(_of_link(body))
    if body.startswith("("):
        return _named(PRINTED.findall("".join(body.split())))
    number = _number(body) if prefix not in GS1_AIMS else NOTHING
    if number.identifies or not (prefix in GS1_AIMS or STARTS_WITH_IDENTIFIER.match(body)):
        return number
    return _named(_elements(body))


def _named(elements: list[tuple[str, str]]) -> Gs1:
    said = dict(reversed(elements))  # the first of each kind
    sscc, gtin, serial = said.get("00", ""), said.get("01", ""), said.get("21", "")
    return Gs1(
        sscc=sscc if re.fullmatch(r"[0-9]{18}", sscc) and mod10_holds(sscc) else None,
        gtin=gtin if re.fullmatch(r"[0-9]{14}", gtin) and mod10_holds(gtin) else None,
        serial=serial if SERIAL.fullmatch(serial) else None,
    )


def _elements(body: str) -> list[tuple[str, str]]:
    """The element strings of a message by their first two digits, which are all of the identifier for the three that count.

    None of them where one is broken.
    """
    found = []
    while body:
        size = FIXED.get(body[:2])
        if size is None:
            element, _, body = body.partition(GS)
        else:
            element, body = body[:size], body[size:].removeprefix(GS)
            if len(element) < size or not (element.isascii() and element.isdecimal()):
                return []
        if not re.match(r"[0-9]{2}.", element):
            return []
        found.append((element[:2], element[2:]))
    return found


def _of_link(uri: str) -> list[tuple[str, str]]:
    """The identifiers in the path of a Digital Link; none in that of an ordinary address."""
    try:
        parts = urllib.parse.urlsplit(uri).path.split("/")
    except ValueError:
        return []
    first = next((place for place, part in enumerate(parts) if part in {"00", "01"}), len(parts))
    names, values = parts[first::2], [urllib.parse.unquote(part) for part in parts[first + 1 :: 2]]
    if len(names) != len(values):
        return []
    return [(name, value.zfill(14) if name == "01" else value) for name, value in zip(names, values, strict=True)]


def _checked(text: str) -> str:
    text = text.strip(" \r\n\t")
    if not text.strip(GS):
        raise BarcodeError("the code is empty; scan it again")
    if len(text) > LONGEST:
        raise BarcodeError(f"the code has {len(text)} characters, more than any label; scan the parcel's own label")
    odd = next((sign for sign in text if (sign < " " and sign != GS) or "\x7f" <= sign <= "\x9f"), None)
    if odd is not None:
        raise BarcodeError(f"the code holds a control character (U+{ord(odd):04X}); scan the parcel's own label, or type its number")
    return text


def _split(text: str, aim: str | None) -> tuple[str, str]:
    """The AIM prefix, "" where there is none, and the text without it and without a leading FNC1."""
    found = AIM_PREFIX.match(text)
    prefix, body = (found[0], text[3:]) if found else (aim or "", text)
    return prefix, body.strip(GS) or text


def _number(digits: str) -> Gs1:
    """A text of digits alone: an SSCC or a GTIN where its length and check digit say so."""
    if not (digits.isascii() and digits.isdecimal() and mod10_holds(digits)):
        return NOTHING
    if len(digits) == 2 + SSCC_DIGITS and digits.startswith("00"):
        return Gs1(sscc=digits[2:])
    if len(digits) == SSCC_DIGITS:
        return Gs1(sscc=digits)
    return Gs1(gtin=digits.zfill(14)) if len(digits) in GTIN_DIGITS and digits.strip("0") else NOTHING


def _message(body: str) -> Gs1:
    from biip import ParseError
    from biip.gs1_messages import GS1Message

    try:
        return _fields(GS1Message.parse(body).element_strings)
    except ParseError as error:
        return Gs1(faults=(str(error),))


def _printed(body: str) -> Gs1:
    from biip import ParseError
    from biip.gs1_messages import GS1Message

    try:
        return _fields(GS1Message.parse_hri(body).element_strings)
    except ParseError:
        return NOTHING


def _link(uri: str) -> Gs1:
    from biip import ParseError
    from biip.gs1_digital_link_uris import GS1DigitalLinkURI

    try:
        return _fields(GS1DigitalLinkURI.parse(uri).element_strings)
    except (ParseError, ValueError):  # a URI that is none, or an ordinary one
        return NOTHING


def _fields(elements: list[GS1ElementString]) -> Gs1:
    """The five fields that a delivery asks for, the first of each kind."""
    said: dict[str, GS1ElementString] = {}
    for element in elements:
        said.setdefault(element.ai.ai, element)
    faults = tuple(fault for element in elements for fault in (element.sscc_error, element.gtin_error) if fault)
    sscc, gtin = said.get("00"), said.get("01")
    return Gs1(
        sscc=sscc.value if sscc and sscc.sscc else None,
        gtin=gtin.value.zfill(14) if gtin and gtin.gtin else None,
        lot=_value(said, "10"),
        expiry=_day(said.get("17")),
        serial=_value(said, "21"),
        faults=faults,
    )


def _value(said: dict[str, GS1ElementString], ai: str) -> str | None:
    return said[ai].value if ai in said else None


def _day(element: GS1ElementString | None) -> str | None:
    found: date | None = element.date if element is not None else None
    return found.isoformat() if found is not None else None
