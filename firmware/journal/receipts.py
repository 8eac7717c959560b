"""What the receiver holds, and which rows may go for it.

A plain receipt is unsigned, and whoever runs the broker could write one: it lets events and fixes go. A proof goes only when its signed
receipt was checked, see `release`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

import msgspec

from firmware.journal.database import SIGNED_LEVEL, Database
from firmware.journal.numbers import Numbers
from firmware.journal.row import Row, Series
from mqtt import topics
from mqtt.ranges import Ranges, Span

PURGE_ROWS = 500  # what one commit lets go: a pause that nobody notices


class Receipts:
    """The receipted numbers of both series, written with a later commit; whoever uses it holds the journal's lock."""

    def __init__(self, database: Database, numbers: Numbers) -> None:
        self._database = database
        self._numbers = numbers
        self._changed = False
        self._released = set[int]()  # proofs, until a commit says so on their rows
        self._leading = dict.fromkeys(Series, 1)  # below this key there is nothing to let go: only proofs that nobody signed for
        self._held = {series: self._read(series) for series in Series}

    def held(self, series: Series) -> Ranges:
        """The numbers that the receiver holds, a copy."""
        return self._held[series].copy()

    def count(self, series: Series) -> int:
        """How many they are."""
        return self._held[series].count()

    def cover(self, series: Series, row: Row) -> bool:
        """Whether the receiver holds all that a row accounts for."""
        return self._held[series].covers(row.number, row.last)

    def next_waiting(self, series: Series, skip: Ranges, number: int) -> int:
        """The first number from this one on that is neither receipted nor in `skip`."""
        while True:
            beyond = skip.next_outside(self._held[series].next_outside(number))
            if beyond == number:
                return number
            number = beyond

    def all_waiting(self, series: Series, skip: Ranges, first: int, last: int) -> bool:
        """Whether none of these numbers is receipted or in `skip`."""
        whole = [(first, last)]
        return self._held[series].missing(first, last) == whole == skip.missing(first, last)

    def open_count(self, series: Series, sent: Ranges) -> int:
        """How many of these numbers are not receipted."""
        held = self._held[series]
        return sum(last - first + 1 for a, b in sent for first, last in held.missing(a, b))

    def add(self, series: Series, held: Ranges) -> int:
        """Take the receiver's word, as far as these numbers were given; how many are new."""
        receipted = self._held[series]
        before = receipted.count()
        for first, last in held:
            if first < self._numbers.next[series]:
                receipted.add(first, min(last, self._numbers.next[series] - 1))
        new = receipted.count() - before
        self._changed = self._changed or new > 0
        return new

    def take_back(self, series: Series, missing: Sequence[Span]) -> list[Span]:
        """The receiver lost these numbers: whole rows wait again; returns the numbers that no row accounts for any longer."""
        gone = Ranges(missing)
        for first, last in missing:
            for row_first, row_last in self._database.spans(series, self._database.key_with(series, first), last):
                if row_last >= first:
                    self._held[series].remove(row_first, row_last)
                    gone.remove(row_first, row_last)
        self._changed = True
        return list(gone)

    def release(self, numbers: Iterable[int]) -> None:
        """The receiver signed for the proofs of these numbers: a plain receipt lets them go too, from the next commit on."""
        self._released.update(numbers)

    def let_go(self, before_ms: int) -> None:
        """Within a commit that writes anyway: delete what is receipted and made before then, remember what is receipted."""
        self._mark_released()
        for series in Series:
            self._delete_oldest(series, before_ms)
        if self._changed:
            for series in Series:
                self._database.put_held(series, self._held[series])
            self._database.after_commit(self._note_saved)

    def _note_saved(self) -> None:
        self._changed = False

    def _mark_released(self) -> None:
        numbers = frozenset(self._released)
        for number in numbers:
            row, good = self._database.row(Series.SEQ, number) or (None, False)
            if row is not None and good and row.kind == topics.POD.kind:
                self._database.delete(Series.SEQ, number)
                self._database.put(Series.SEQ, msgspec.structs.replace(row, level=SIGNED_LEVEL))
        if numbers:
            self._leading[Series.SEQ] = min(self._leading[Series.SEQ], *numbers)
            self._database.after_commit(lambda: self._released.difference_update(numbers))

    def _delete_oldest(self, series: Series, before_ms: int) -> None:
        """Delete the receipted rows at the head. The newest row stays: it is what the numbers go on from."""
        first_deletable = last_deletable = 0
        # Most commits find that the oldest row must stay, and look at no other.
        for limit in (2, PURGE_ROWS):
            rows = self._database.oldest(series, self._leading[series], limit)
            deletable = takewhile(lambda row: row[2] <= before_ms and self._held[series].covers(row[0], row[0] + row[1] - 1), rows[:-1])
            keys = [row[0] for row in deletable]
            if not keys:
                break
            first_deletable, last_deletable = keys[0], keys[-1]
        if rows:
            self._leading[series] = rows[0][0]
        if last_deletable:
            self._database.delete_between(series, first_deletable, last_deletable)

    def _read(self, series: Series) -> Ranges:
        receipted = Ranges(self._database.held(series))
        oldest = self._database.key_from(series, 1)
        below = (oldest or self._numbers.next[series]) - 1
        if below > 0:  # what is here no longer was receipted, or counted as dropped
            receipted.add(1, below)
        return receipted
