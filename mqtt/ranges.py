"""Sets of record numbers as ranges: what was sent, what was receipted, what is missing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Span = tuple[int, int]  # first and last number, both included


class Ranges:
    """Disjoint, sorted, never touching ranges of whole numbers."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        for first, last in spans:
            self.add(first, last)

    def __iter__(self) -> Iterator[Span]:
        return iter(list(zip(self._first, self._last, strict=True)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __bool__(self) -> bool:
        return bool(self._first)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._first, number) - 1
        return at >= 0 and number <= self._last[at]

    def __repr__(self) -> str:
        return f"Ranges({list(self)})"

    @property
    def top(self) -> int:
        """The highest number held, 0 when there is none."""
        return self._last[-1] if self._last else 0

    def count(self) -> int:
        """How many numbers are held."""
        return sum(self._last) - sum(self._first) + len(self._first)

    def copy(self) -> Ranges:
        """An independent copy."""
        twin = Ranges()
        twin._first, twin._last = self._first.copy(), self._last.copy()
        return twin

    def covers(self, first: int, last: int) -> bool:
        """Whether every number of first..last is held."""
        at = bisect_right(self._first, first) - 1
        return at >= 0 and last <= self._last[at]

    def upto(self) -> int:
        """The highest number below which nothing is missing, counting from 1; 0 when 1 itself is missing."""
        return self._last[0] if self._first and self._first[0] <= 1 else 0

    def next_outside(self, number: int) -> int:
        """The first number >= number that is not held."""
        at = bisect_right(self._first, number) - 1
        return self._last[at] + 1 if at >= 0 and number <= self._last[at] else number

    def add(self, first: int, last: int) -> None:
        """Hold first..last too; ValueError when last is before first."""
        if last < first:
            raise ValueError(f"a range runs forwards, not from {first} to {last}")
        low = bisect_left(self._last, first - 1)
        high = bisect_right(self._first, last + 1)
        if low < high:
            first = min(first, self._first[low])
            last = max(last, self._last[high - 1])
        self._first[low:high] = [first]
        self._last[low:high] = [last]

    def remove(self, first: int, last: int) -> None:
        """Hold nothing of first..last any more."""
        kept: list[Span] = []
        low = bisect_left(self._last, first)
        high = bisect_right(self._first, last)
        for a, b in zip(self._first[low:high], self._last[low:high], strict=True):
            if a < first:
                kept.append((a, first - 1))
            if b > last:
                kept.append((last + 1, b))
        self._first[low:high] = [a for a, _ in kept]
        self._last[low:high] = [b for _, b in kept]

    def missing(self, first: int, last: int) -> list[Span]:
        """The parts of first..last that are not held, in order."""
        gaps: list[Span] = []
        number = self.next_outside(first)
        while number <= last:
            at = bisect_right(self._first, number)
            end = min(last, self._first[at] - 1) if at < len(self._first) else last
            gaps.append((number, end))
            number = self.next_outside(end + 1)
        return gaps
