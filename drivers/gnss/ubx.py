"""UBX, the binary frames of u-blox receivers: built here, and picked out of a stream that also holds sentences.

Source: u-blox 8 / u-blox M8 Receiver Description Including Protocol Specification (UBX-13003221), chapters UBX Frame
Structure and UBX Checksum; the same in every generation since.
"""

from __future__ import annotations

import msgspec

SYNC = b"\xb5\x62"
HEAD_BYTES = 6  # sync, class, id, length
CHECKSUM_BYTES = 2
LONGEST_PAYLOAD_BYTES = 512  # of the answers that are read here the longest, MON-VER, has some 300


class Frame(msgspec.Struct, frozen=True):
    """One UBX message; without payload most are a question."""

    kind: tuple[int, int]  # class and id
    payload: bytes = b""

    def encoded(self) -> bytes:
        """The bytes on the wire."""
        body = bytes(self.kind) + len(self.payload).to_bytes(2, "little") + self.payload
        return SYNC + body + checksum(body)


def checksum(body: bytes) -> bytes:
    """The two bytes that follow class, id, length and payload (8-bit Fletcher)."""
    first = second = 0
    for byte in body:
        first = (first + byte) & 0xFF
        second = (second + first) & 0xFF
    return bytes((first, second))


class UbxFramer:
    """Cuts frames out of a byte stream; how the stream is cut into reads does not change the result."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def held_bytes(self) -> int:
        """How much of an unfinished frame is kept."""
        return len(self._held)

    def push(self, data: bytes) -> list[Frame]:
        """Return every frame that these bytes complete, in order; damaged and overlong ones are passed over."""
        stream, at = self._held + data, 0
        found: list[Frame] = []
        while (at := stream.find(SYNC, at)) >= 0:
            end = _end(stream, at)
            if end is None:
                self._held = stream[at:]
                return found
            if _is_whole(stream, at, end):
                found.append(Frame((stream[at + 2], stream[at + 3]), stream[at + HEAD_BYTES : end - CHECKSUM_BYTES]))
                at = end
            else:
                at += len(SYNC)
        self._held = stream[-1:] if stream.endswith(SYNC[:1]) else b""
        return found

    def cut(self) -> None:
        """Forget an unfinished frame: the line was interrupted."""
        self._held = b""


def _end(stream: bytes, at: int) -> int | None:
    """Where the frame at this place ends; None while that is not known or not there yet."""
    if len(stream) - at < HEAD_BYTES:
        return None
    length = int.from_bytes(stream[at + 4 : at + HEAD_BYTES], "little")
    end = at + HEAD_BYTES + length + CHECKSUM_BYTES
    return None if length <= LONGEST_PAYLOAD_BYTES and end > len(stream) else end


def _is_whole(stream: bytes, at: int, end: int) -> bool:
    return end <= len(stream) and checksum(stream[at + 2 : end - CHECKSUM_BYTES]) == stream[end - CHECKSUM_BYTES : end]
