"""The numbers of a journal: which of them are held, or accounted for by the unit, and what the unit itself says of them."""

from __future__ import annotations

from fleet.intake import Series
from fleet.rows import SeriesHolding
from fleet.store.database import Database
from mqtt.messages import Ledger
from mqtt.ranges import Ranges, Span

INTEGER_LIMIT = 2**63 - 1  # of a column
NEWEST_LEDGER = """INSERT INTO ledger (journal, series, at_ms, issued, receipted, waiting, dropped) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (journal, series) DO UPDATE SET at_ms = excluded.at_ms, issued = excluded.issued, receipted = excluded.receipted,
        waiting = excluded.waiting, dropped = excluded.dropped
    WHERE excluded.issued > ledger.issued OR (excluded.issued = ledger.issued AND excluded.at_ms >= ledger.at_ms)"""


class Numbers:
    """What one transaction adds to what was held before it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._before: dict[tuple[int, Series], Ranges] = {}
        self._came: dict[tuple[int, Series], Ranges] = {}

    def are_new(self, journal: int, series: Series, first: int, span: int) -> bool:
        """Whether none of these was held, nor came in this transaction. What is held is covered."""
        whole = [(first, first + span - 1)]
        return all(held.missing(*whole[0]) == whole for held in (self._held_before(journal, series), self._new(journal, series)))

    def cover(self, journal: int, series: Series, first: int, span: int) -> None:
        """These came, or the unit accounted for them."""
        self._new(journal, series).add(first, first + span - 1)

    def settled(self, journal: int, series: Series) -> SeriesHolding:
        """Write what is covered now; tell all of it."""
        came, before = self._new(journal, series), self._held_before(journal, series)
        after = before.copy()
        for first, last in came:
            after.add(first, last)
        old, new = set(before), set(after)
        if old != new:
            self._replace(journal, series, sorted(old - new), sorted(new - old))
        return SeriesHolding(coverage=after, batch=came, ledger=ledger(self._db, journal, series))

    def _new(self, journal: int, series: Series) -> Ranges:
        return self._came.setdefault((journal, series), Ranges())

    def _held_before(self, journal: int, series: Series) -> Ranges:
        if (journal, series) not in self._before:
            self._before[journal, series] = coverage(self._db, journal, series)
        return self._before[journal, series]

    def _replace(self, journal: int, series: Series, gone: list[Span], new: list[Span]) -> None:
        if gone:
            self._db.execute_many(
                "DELETE FROM coverage WHERE journal = ? AND series = ? AND first = ?", [(journal, series, first) for first, _ in gone]
            )
        self._db.execute_many(
            "INSERT INTO coverage (journal, series, first, last) VALUES (?, ?, ?, ?)", [(journal, series, *span) for span in new]
        )


def coverage(db: Database, journal: int, series: Series) -> Ranges:
    """The numbers held of one series."""
    return Ranges(db.query("SELECT first, last FROM coverage WHERE journal = ? AND series = ? ORDER BY first", (journal, series)))


def ledger(db: Database, journal: int, series: Series) -> Ledger | None:
    """What the unit last said of one series."""
    rows = db.query("SELECT issued, receipted, waiting, dropped FROM ledger WHERE journal = ? AND series = ?", (journal, series))
    return Ledger(issued=rows[0][0], receipted=rows[0][1], waiting=rows[0][2], dropped=rows[0][3]) if rows else None


def write_ledger(db: Database, journal: int, series: Series, told: Ledger, at_ms: int) -> None:
    """Keep what the unit says now of one series, if nothing newer is kept."""
    values = (told.issued, told.receipted, told.waiting, told.dropped)
    db.execute(NEWEST_LEDGER, (journal, series, at_ms, *(min(value, INTEGER_LIMIT) for value in values)))
