"""What a hand scanner sent, and how bytes become it. Pure."""

from __future__ import annotations

import msgspec

from drivers.gs1 import AIM_PREFIX, LONGEST

GAP_S = 0.05  # a scanner sends a whole code in one go; silence of this length ends a code without a suffix
ENDS = b"\r\n\t"
# ISO/IEC 15424: the letter after "]".
SYMBOLOGIES = {"A": "CODE39", "C": "CODE128", "E": "EAN13", "I": "ITF", "L": "PDF417", "Q": "QRCODE", "d": "DATAMATRIX", "z": "AZTEC"}


class Reading(msgspec.Struct, frozen=True):
    """One code: its text without an AIM prefix, the prefix where the scanner sends it, and the symbology that it names ("" where not)."""

    text: str
    aim: str | None
    symbology: str
    device: str


def reading_of(text: str, device: str) -> Reading | None:
    """The reading of a finished text; None for an empty one."""
    text = text.strip(" ")
    found = AIM_PREFIX.match(text)
    aim = found[0] if found and found[0][1] in SYMBOLOGIES else None
    body = text[3:] if aim else text
    return Reading(text=body, aim=aim, symbology=SYMBOLOGIES[aim[1]] if aim else "", device=device) if body else None


class Lines:
    """Cuts what a serial scanner sends into codes: at CR, LF and Tab, or after silence."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._last_s = 0.0

    @property
    def pending(self) -> bool:
        """Whether a code without its end is held."""
        return bool(self._held)

    def feed(self, data: bytes, mono_s: float) -> list[str]:
        """The codes that are complete now; call it with no data, too, so that silence is noticed."""
        texts: list[str] = []
        if self._held and mono_s - self._last_s >= GAP_S:
            texts.append(self._cut())
        for byte in data:
            if byte in ENDS:
                texts.append(self._cut())
            elif len(self._held) <= LONGEST:  # more is noise, at a wrong speed
                self._held.append(byte)
        if data:
            self._last_s = mono_s
        return [text for text in texts if text]

    def _cut(self) -> str:
        held, self._held = bytes(self._held), bytearray()
        if len(held) > LONGEST:
            return ""
        try:
            return held.decode()
        except UnicodeDecodeError:
            return held.decode("latin-1")
