"""Keys of a scanner that types, turned back into the code. Pure.

Linux input events (linux/input.h), a scanner set to the US layout. A group separator comes as Ctrl+], as Alt with 0029 on the number block
(some scanners send every character so), or as Linux takes it from a keyboard: Ctrl+Shift+U, its number in hexadecimal digits, and a space,
Enter or the end of Ctrl.
"""

from __future__ import annotations

import struct

from drivers.gs1 import LONGEST

EVENT = struct.Struct("llHHi")  # time (two longs), type, code, value
EV_SYN, EV_KEY, SYN_DROPPED = 0, 1, 3
UP, DOWN = 0, 1
SHIFTS, CONTROLS, ALTS = frozenset({42, 54}), frozenset({29, 97}), frozenset({56, 100})
CAPS_LOCK, U = 58, 22
ENDS = frozenset({15, 28, 96})  # Tab, Enter, the number block's Enter


def _row(first: int, plain: str, shifted: str) -> dict[int, tuple[str, str]]:
    return {first + place: pair for place, pair in enumerate(zip(plain, shifted, strict=True))}


KEYS: dict[int, tuple[str, str]] = {
    **_row(2, "1234567890-=", "!@#$%^&*()_+"),
    **_row(16, "qwertyuiop[]", "QWERTYUIOP{}"),
    **_row(30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    **_row(43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    57: (" ", " "),
    55: ("*", "*"),
    74: ("-", "-"),
    78: ("+", "+"),
    83: (".", "."),
    98: ("/", "/"),
}
LONGEST_NUMBER, HIGHEST = 6, 0x10FFFF
NUMBER_BLOCK = {71: "7", 72: "8", 73: "9", 75: "4", 76: "5", 77: "6", 79: "1", 80: "2", 81: "3", 82: "0"}


class KeyText:
    """Follows the keys of one scanner and gives each code at its Enter or Tab."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._held: set[int] = set()
        self._alt_digits = ""
        self._hex_digits: str | None = None  # since Ctrl+Shift+U
        self._capitals = False
        self._lost = False

    @property
    def pending(self) -> bool:
        """Whether a code without its end is held."""
        return bool(self._text)

    def feed(self, packed: bytes) -> list[str]:
        """The codes that the events (whole ones, as the kernel gives them) complete."""
        texts = [self._event(kind, code, value) for _, _, kind, code, value in EVENT.iter_unpack(packed)]
        return [text for text in texts if text]

    def flush(self) -> str:
        """What was typed since the last end: for a scanner without a suffix, after a silence."""
        text, self._text = "".join(self._text), []
        self._alt_digits, self._hex_digits = "", None
        lost, self._lost = self._lost or len(text) > LONGEST, False
        return "" if lost else text

    def _event(self, kind: int, code: int, value: int) -> str | None:
        if kind == EV_SYN and code == SYN_DROPPED:  # the kernel's buffer ran over: this code is not whole
            self._lost = True
            self._held.clear()
        if kind != EV_KEY:
            return None
        if value == UP:
            self._release(code)
        elif value == DOWN:
            return self._press(code)
        return None

    def _press(self, code: int) -> str | None:
        if self._hex_digits is not None and self._is_of_number(code):
            return None
        if code in ENDS:
            return self.flush()
        if code in SHIFTS | CONTROLS | ALTS:
            self._held.add(code)
        elif code == CAPS_LOCK:
            self._capitals = not self._capitals
        elif self._held & ALTS and code in NUMBER_BLOCK:
            self._alt_digits += NUMBER_BLOCK[code]
        elif code == U and self._held & CONTROLS and self._held & SHIFTS:
            self._hex_digits = ""
        else:
            self._type(self._sign(code))
        return None

    def _release(self, code: int) -> None:
        self._held.discard(code)
        if code in ALTS and self._alt_digits:
            number, self._alt_digits = int(self._alt_digits[-4:]), ""
            self._type(chr(number % 256))
        if code in CONTROLS and self._hex_digits:
            self._end_number()

    def _is_of_number(self, code: int) -> bool:
        """Whether a key belongs to a number after Ctrl+Shift+U: a digit of it, or its end."""
        digit = NUMBER_BLOCK.get(code) or KEYS.get(code, ("", ""))[0]
        if len(digit) == 1 and digit in "0123456789abcdef":
            self._hex_digits = ((self._hex_digits or "") + digit)[-LONGEST_NUMBER:]
            return True
        if code in {*SHIFTS, *CONTROLS}:
            return False
        ended = bool(self._hex_digits)
        self._end_number()
        return ended and (code in ENDS or digit == " ")

    def _end_number(self) -> None:
        digits, self._hex_digits = self._hex_digits, None
        if digits and int(digits, 16) <= HIGHEST:
            self._type(chr(int(digits, 16)))

    def _sign(self, code: int) -> str:
        if code in NUMBER_BLOCK:
            return NUMBER_BLOCK[code]
        plain, shifted = KEYS.get(code, ("", ""))
        if self._held & CONTROLS:
            return chr(ord(plain.upper()) & 0x1F) if plain and plain in "abcdefghijklmnopqrstuvwxyz[\\]" else ""
        with_shift = bool(self._held & SHIFTS) != (self._capitals and plain.isalpha())
        return shifted if with_shift else plain

    def _type(self, sign: str) -> None:
        if len(self._text) <= LONGEST:
            self._text.append(sign)
