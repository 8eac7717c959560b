"""Raw serial bytes in, checked NMEA sentences out; whatever else is on the line is passed over."""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

import msgspec

LONGEST_BODY_BYTES = 250  # NMEA 0183 says 82; proprietary sentences go over 200
SLICE_BYTES = 3_800  # with a held-back candidate this keeps the buffer under 4 kB
CHECKSUM_DIGITS = 2

# A candidate runs from `$` to the first byte that no sentence may hold; the next `$` always starts a new one.
_CANDIDATE = re.compile(rb"\$([ -#%%-)+-~]{0,%d})(?:\*([0-9A-Fa-f]{0,2}))?" % LONGEST_BODY_BYTES)
_ADDRESS = re.compile(rb"[A-Z][A-Z0-9]{3,9},")  # tells a damaged sentence from a `$` inside a binary frame


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
            elif not _ADDRESS.match(body):
                continue
            elif _holds(body, checksum):
                found.append(Sentence(body.decode("ascii"), base + candidate.end()))
            else:
                self.bad += 1
        self.good += len(found)
        self._held = stream[keep_from:]
        self._offset_bytes = base + keep_from
        return found


def _holds(body: bytes, checksum: bytes | None) -> bool:
    return checksum is not None and len(checksum) == CHECKSUM_DIGITS and reduce(xor, body) == int(checksum, 16)
