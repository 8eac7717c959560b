"""The gap report: what is held of each journal, what its unit still has, and what neither side has. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fleet.intake import Series
from fleet.rows import SeriesRow
from mqtt.ranges import Span


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One series of one journal."""

    unit: str
    log: str
    series: Series
    current: bool  # False: the unit has replaced this journal; what waits there comes only from its old card
    held: int  # numbers that the store holds or knows to be dropped
    stored: int  # rows behind them
    waiting: list[Span]  # numbers that the unit gave and the store has not yet seen
    missing: list[Span]  # numbers that the unit believes stored and the store does not hold: a backup was restored
    thinned: int  # numbers held without a row: the unit dropped them on purpose
    dropped: int | None  # records that the unit says it dropped under pressure; None when it has not said

    @property
    def complete(self) -> bool:
        """Whether nothing is waited for."""
        return not self.waiting and not self.missing


def gap(row: SeriesRow) -> Gap:
    """Compare what is held with what the unit says of it."""
    receipted = row.ledger.receipted if row.ledger else 0
    issued = row.ledger.issued if row.ledger else 0
    held = row.coverage.count()
    return Gap(
        unit=row.unit,
        log=row.log,
        series=row.series,
        current=row.current,
        held=held,
        stored=row.rows,
        waiting=row.coverage.missing(receipted + 1, max(issued, row.coverage.top)),
        missing=row.coverage.missing(1, receipted),
        thinned=max(0, held - row.rows),
        dropped=row.ledger.dropped if row.ledger else None,
    )


def count(spans: Sequence[Span]) -> int:
    """How many numbers there are in ranges."""
    return sum(last - first + 1 for first, last in spans)


def span_text(spans: Sequence[Span], limit: int = 5) -> str:
    """Ranges as people write them: "3, 7 to 12 and 2 ranges more"."""
    told = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in spans[:limit])
    return told if len(spans) <= limit else f"{told} and {len(spans) - limit} ranges more"
