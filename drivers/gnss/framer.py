"""Raw serial bytes in, checked NMEA sentences out; whatever else is on the line is passed over."""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

import msgspec

LONGEST_BODY_BYTES = 250  # NMEA 0183 says 82; proprietary sentences go over 200
SLICE_BYTES = 3_800  # with a held-back candidate this keeps the buffer under 4 kB
CHECKSUM_DIGITS = 2

# A candidate runs from `$` to a byte that ends every sentence; the next `$` always starts a new one.
_CANDIDATE = re.compile(rb"\$([^$*\r\n]{0,%d})(?:\*([0-9A-Fa-f]{0,2}))?" % LONGEST_BODY_BYTES)
_ADDRESS = re.compile(rb"[A-Z][A-Z0-9]{3,9},")  # tells a damaged sentence from a `$` inside a binary frame
_WHOLE = re.compile(_ADDRESS.pattern + rb"[ -~]*")
_ODD = re.compile(rb"[^0-9A-Z,.+-]")  # what no position, time or satellite sentence holds
LOWEST_VISIBLE_BIT = 0x10  # flipped in a digit, it and the bits above it give no digit, letter, comma or point


class Sentence(msgspec.Struct, frozen=True):
    """The text between `$` and `*` of a sentence whose checksum holds."""

    text: str
    end_bytes: int  # offset in the stream of the byte after the checksum


class Framer:
    """Cuts a byte stream into sentences; how the stream is cut into reads does not change the result."""

    def __init__(self) -> None:
        self._held = b""
        self._offset_bytes = 0  # of the first held byte
        self.good = 0
        self.bad = 0
        self.mended = 0  # of the good ones

    @property
    def held_bytes(self) -> int:
        """How much of an unfinished sentence is kept."""
        return len(self._held)

    @property
    def read_bytes(self) -> int:
        """How much of the stream has been seen."""
        return self._offset_bytes + len(self._held)

    def push(self, data: bytes) -> list[Sentence]:
        """Return every sentence that these bytes complete, in order."""
        found: list[Sentence] = []
        for start in range(0, len(data), SLICE_BYTES):
            found += self._take(data[start : start + SLICE_BYTES])
        return found

    def cut(self) -> None:
        """Forget an unfinished sentence: the line was interrupted, what comes next does not continue it."""
        self._offset_bytes += len(self._held)
        self._held = b""

    def _take(self, data: bytes) -> list[Sentence]:
        stream, base = self._held + data, self._offset_bytes
        keep_from = len(stream)
        found = []
        for candidate in _CANDIDATE.finditer(stream):
            body, checksum = candidate.groups()
            if candidate.end() == len(stream) and (checksum is None or len(checksum) < CHECKSUM_DIGITS):
                keep_from = candidate.start()
            elif (whole := self._whole(body, checksum)) is not None:
                found.append(Sentence(whole.decode("ascii"), base + candidate.end()))
            elif _ADDRESS.match(body):
                self.bad += 1
        self.good += len(found)
        self._held = stream[keep_from:]
        self._offset_bytes = base + keep_from
        return found

    def _whole(self, body: bytes, checksum: bytes | None) -> bytes | None:
        """Return the sentence if its checksum holds, or holds once the one bit that is visibly wrong is put right."""
        if checksum is None or len(checksum) < CHECKSUM_DIGITS:
            return None
        syndrome = reduce(xor, body, 0) ^ int(checksum, 16)
        if syndrome:
            mended = _mended(body, syndrome)
            self.mended += mended is not None
            return mended
        return body if _WHOLE.fullmatch(body) else None


def _mended(body: bytes, syndrome: int) -> bytes | None:
    """Put right a single flipped bit, where the byte shows that it is the damaged one; None where that is not certain.

    A lone flipped bit leaves its value as the checksum's difference. If it also turned a byte into one that these sentences
    never hold, no other single flip explains both. Two flips leave two bits, or none.
    """
    odd = _ODD.findall(body)
    if len(odd) != 1 or syndrome < LOWEST_VISIBLE_BIT or syndrome & (syndrome - 1):
        return None
    right = bytes([odd[0][0] ^ syndrome])
    whole = body.replace(odd[0], right)
    return whole if not _ODD.match(right) and _ADDRESS.match(whole) else None
