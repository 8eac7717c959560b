"""SQLite's write-ahead log, read before SQLite does: whether a commit that was on the card cannot be read any more.

SQLite reads the log as far as the checksums hold, and says nothing of the rest. Each commit is on the card before the next begins, so that
a power cut, or a kill, spoils the last one at most, of which nobody was told; a flipped bit is told from that by the checksum that it
breaks. Source: SQLite's WAL-mode file format, 1 and 4.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from operator import mul
from pathlib import Path

import msgspec

from firmware.journal.schema import PAGE_BYTES

HEADER_BYTES, FRAME_HEADER_BYTES = 32, 24
FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES
HEADER_WORDS, FRAME_WORDS = 6, 2 + PAGE_BYTES // 4
BIG_ENDIAN = 0x377F0683  # the magic number of a log whose checksums take words in this order; the other one ends in 2
MASK = 0xFFFF_FFFF

Sums = tuple[int, int]


class Frame(msgspec.Struct, frozen=True):
    """One page of the log behind its header, or the header alone."""

    image: bytes
    order: str  # of the bytes in a word

    @property
    def words(self) -> tuple[int, ...]:
        """What the checksum is over: page number, commit mark, page."""
        page = struct.unpack_from(f"{self.order}{FRAME_WORDS - 2}I", self.image, FRAME_HEADER_BYTES)
        return struct.unpack_from(f"{self.order}2I", self.image) + page

    @property
    def salts(self) -> bytes:
        """Which log it belongs to."""
        return self.image[8:16]

    @property
    def sums(self) -> Sums:
        """Its checksum."""
        return _stored(self.image[16:24])

    @property
    def ends_commit(self) -> bool:
        """Whether a commit is whole with this one."""
        return any(self.image[4:8])


def commits_in_log(path: Path) -> list[int]:
    """The frames that end a commit, counted from 1, readable or not."""
    with _opened(path) as log:
        return [] if log is None else [number + 1 for number in log.commits()]


def unread_commits(path: Path) -> int:
    """How many commits that were on the card SQLite will pass over; to be asked before SQLite opens the journal."""
    with _opened(path) as log:
        return 0 if log is None else log.unread()


@contextmanager
def _opened(path: Path) -> Iterator[_Log | None]:
    """None where there is none, or nothing was ever written to it."""
    try:
        file = os.open(path.with_name(path.name + "-wal"), os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        is_written = os.fstat(file).st_size >= HEADER_BYTES + FRAME_BYTES and any(os.pread(file, HEADER_BYTES, 0))
        yield _Log(file) if is_written else None
    finally:
        os.close(file)


class _Log:
    """The log as it is on the card, read frame by frame: while somebody looks on for hours, it grows to many times its usual length."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._frames = (os.fstat(file).st_size - HEADER_BYTES) // FRAME_BYTES
        header = os.pread(file, HEADER_BYTES, 0)
        self._order = ">" if int.from_bytes(header[:4], "big") == BIG_ENDIAN else "<"
        self._sums = _stored(header[24:32])  # which the first frame's go on from
        self._is_sound = _sums(struct.unpack(f"{self._order}{HEADER_WORDS}I", header[:24]), (0, 0)) == self._sums
        self._salts = header[16:24] if self._is_sound else self._frame(0).salts  # of the frames that are not left from before

    def _frame(self, number: int, size: int = FRAME_BYTES) -> Frame:
        return Frame(os.pread(self._file, size, HEADER_BYTES + number * FRAME_BYTES), self._order)

    def commits(self) -> list[int]:
        """The frames that end one, counted from 0, readable or not."""
        heads = ((number, self._frame(number, FRAME_HEADER_BYTES)) for number in range(self._frames))
        return [number for number, head in heads if head.ends_commit and head.salts == self._salts]

    def unread(self) -> int:
        """Commits that were on the card and cannot be read."""
        commits = self.commits()
        if not self._is_sound:  # it was on the card before the first frame was
            return max(1, len(commits))
        readable = self._readable()
        beyond = sum(number >= readable for number in commits)
        if beyond > 1:
            return beyond
        return int(any(self._has_flipped_bit(number) for number in range(readable, self._end(readable))))

    def _readable(self) -> int:
        """How many frames SQLite reads: to the last commit before the first one that does not fit."""
        readable, before = 0, self._sums
        for number in range(self._frames):
            frame = self._frame(number)
            if frame.salts != self._salts or _sums(frame.words, before) != frame.sums:
                break
            before = frame.sums
            readable = number + 1 if frame.ends_commit else readable
        return readable

    def _end(self, first: int) -> int:
        """Behind the last frame that may belong to the commit which begins here."""
        found = first
        for number in range(first, self._frames):
            if _bits_apart(self._frame(number, FRAME_HEADER_BYTES).salts, self._salts) > 1:
                break
            found = number + 1
        return found

    def _has_flipped_bit(self, number: int) -> bool:
        """Whether one bit, put right, makes this frame fit: chance does not."""
        frame = self._frame(number)
        made = _sums(frame.words, self._frame(number - 1, FRAME_HEADER_BYTES).sums if number else self._sums)
        if made == frame.sums:
            return frame.salts != self._salts
        apart = tuple((stored - one) & MASK for stored, one in zip(frame.sums, made, strict=True))
        if sum((stored ^ one).bit_count() for stored, one in zip(frame.sums, made, strict=True)) == 1:
            return True
        for word, first, second in zip(frame.words, *WEIGHTS, strict=True):
            for bit in range(32):
                change = -(1 << bit) if word >> bit & 1 else 1 << bit
                if (first * change) & MASK == apart[0] and (second * change) & MASK == apart[1]:
                    return True
        return False


def _stored(image: bytes) -> Sums:
    first, second = struct.unpack(">2I", image)
    return first, second


def _bits_apart(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def _weights(words: int) -> tuple[list[int], list[int]]:
    """How much each word counts in the two sums: SQLite's s0 += x + s1, s1 += y + s0 for each pair, written out."""
    first, second = list[tuple[int, int]](), list[tuple[int, int]]()
    a, b, c, d = 1, 0, 0, 1
    for _ in range(words // 2):
        first.append(((a + b) & MASK, b))
        second.append(((c + d) & MASK, d))
        a, b, c, d = (a + b) & MASK, (a + 2 * b) & MASK, (c + d) & MASK, (c + 2 * d) & MASK
    return list(chain.from_iterable(reversed(first))), list(chain.from_iterable(reversed(second)))


def _carried(words: int) -> tuple[int, int, int, int]:
    a, b, c, d = 1, 0, 0, 1
    for _ in range(words // 2):
        a, b, c, d = (a + b) & MASK, (a + 2 * b) & MASK, (c + d) & MASK, (c + 2 * d) & MASK
    return a, b, c, d


WEIGHTS, CARRIED = _weights(FRAME_WORDS), _carried(FRAME_WORDS)
HEADER_WEIGHTS = _weights(HEADER_WORDS)


def _sums(words: tuple[int, ...], before: Sums) -> Sums:
    """The checksum over these words, going on from the one before."""
    first, second = WEIGHTS if len(words) == FRAME_WORDS else HEADER_WEIGHTS
    a, b, c, d = CARRIED
    return (
        (sum(map(mul, first, words)) + a * before[0] + b * before[1]) & MASK,
        (sum(map(mul, second, words)) + c * before[0] + d * before[1]) & MASK,
    )
