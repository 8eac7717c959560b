"""The enrolment card: the one QR that turns a blank box into a unit, and the Wi-Fi QR that may stand beside it.

`RP1:host:port|unit|CODE|FINGERPRINT`: where the authority answers, the unit's name, the one-time code (80 bits), and what its root must
hash to (the first 128 bits of SHA-256 over the DER); code and fingerprint in base32 without padding. All of it is untrusted text.
"""

from __future__ import annotations

import re

import msgspec

UNIT = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")  # as mqtt/messages.UnitId
SERVICE = "svc-"  # begins the names of the fleet's own programs: never a unit's
CARD, WIFI = "RP1:", "WIFI:"
LONGEST_CHARACTERS = 400  # a host's name has 253 at most
PLACE = re.compile(r"(?P<host>\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):(?P<port>[0-9]{1,5})")
CODE_LETTERS, FINGERPRINT_LETTERS = 16, 26
BASE32 = re.compile(r"[A-Z2-7]+")
WIFI_FIELD = re.compile(r"([A-Za-z0-9]+):((?:[^\\;]|\\.)*)(?:;|$)")
SSID_BYTES = 32  # IEEE 802.11


class CardError(ValueError):
    """A text that is no card; the sentence says what is wrong with it, and never repeats the code."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What the office hands to the technician."""

    host: str  # of the authority; an IPv6 address without its brackets
    port: int
    unit: str
    code: str  # 16 letters of base32, without hyphens
    fingerprint: str  # 26 letters of base32

    @property
    def text(self) -> str:
        """As the QR says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{CARD}{host}:{self.port}|{self.unit}|{self.code}|{self.fingerprint}"


class Wifi(msgspec.Struct, frozen=True, kw_only=True):
    """A network to join, as phones' QR codes name it."""

    ssid: str
    password: str | None = None
    hidden: bool = False


def is_card(text: str) -> bool:
    """Whether a text means to be a card, good or not."""
    return text.strip()[: len(CARD)].upper() == CARD


def is_wifi(text: str) -> bool:
    """Whether a text means to be a network, good or not."""
    return text.strip()[: len(WIFI)].upper() == WIFI


def read_card(text: str) -> Card:
    """The card that a text is; CardError says what is wrong with one."""
    text = text.strip()
    if not is_card(text):
        raise CardError("this is no enrolment code: it begins with RP1: and comes from `roadproof fleet enrol`")
    parts = text[len(CARD) :].split("|")
    if len(text) > LONGEST_CHARACTERS or len(parts) != 4:  # noqa: PLR2004  place, unit, code, fingerprint
        raise CardError("the enrolment code is cut off or has something behind it: copy it whole, in quotes, or scan it again")
    place, unit, code, fingerprint = parts
    host, port = read_place(place)
    if not UNIT.fullmatch(unit) or unit.startswith(SERVICE):
        raise CardError("the enrolment code names no unit: small letters, digits and hyphens, 32 at most; make a new one in the office")
    return Card(
        host=host,
        port=port,
        unit=unit,
        code=_letters(code, CODE_LETTERS, "one-time code"),
        fingerprint=_letters(fingerprint, FINGERPRINT_LETTERS, "fingerprint"),
    )


def read_place(text: str) -> tuple[str, int]:
    """Host and port of `host:port`; CardError when it is none."""
    found = PLACE.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 2**16:
        raise CardError(f"{text[:80]!r} is no address of an authority: host:port is expected, like est.example.org:8443")
    return found["host"].strip("[]"), int(found["port"])


def _letters(text: str, count: int, what: str) -> str:
    letters = text.replace("-", "").replace(" ", "").upper()
    if len(letters) != count or not BASE32.fullmatch(letters):
        raise CardError(f"the {what} on the card is misread: it has {count} letters and digits, without 0, 1, 8 and 9; type it again")
    return letters


def read_wifi(text: str) -> Wifi:
    """The network that a text is; CardError says what is wrong with one."""
    fields = {key.upper(): re.sub(r"\\(.)", r"\1", value) for key, value in WIFI_FIELD.findall(text.strip()[len(WIFI) :])}
    ssid, password = fields.get("S", ""), fields.get("P") or None
    if not ssid or len(ssid.encode()) > SSID_BYTES or ssid.startswith("-") or not (ssid + (password or "")).isprintable():
        raise CardError("the Wi-Fi code names no network that can be joined: make it again, with the network's name in it")
    if fields.get("T", "nopass").lower() not in {"", "nopass"} and password is None:
        raise CardError(f"the Wi-Fi code for {ssid} lacks the password: make it again")
    return Wifi(ssid=ssid, password=password, hidden=fields.get("H", "").lower() == "true")
