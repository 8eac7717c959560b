"""A look at a journal from outside: read only, also while the daemon writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec

from firmware.journal import schema
from firmware.journal.row import COLUMNS, Row, Series, checked, unsealed
from mqtt.ranges import Ranges


class SeriesLook(msgspec.Struct, frozen=True):
    """What one series holds."""

    series: str
    rows: int
    first: int  # 0 when empty
    last: int
    receipted: int  # every number to here
    waiting: int
    oldest_ms: int | None


class JournalLook:
    """Use it in a `with`; JournalError when there is no readable journal."""

    def __init__(self, path: Path) -> None:
        self._connection = schema.connect_read_only(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def log(self) -> str:
        """The journal's name."""
        return self._fact("log") or "without a name"

    @property
    def used_bytes(self) -> int:
        """Bytes in use."""
        pages, free = (self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        return int((pages - free) * schema.PAGE_BYTES)

    @property
    def aside(self) -> int:
        """How many records could not be sent and were set aside."""
        return int(self._connection.execute("SELECT count(*) FROM aside").fetchone()[0])

    def series(self) -> list[SeriesLook]:
        """Both series."""
        return [self._series(series) for series in Series]

    def waiting(self) -> dict[str, int]:
        """How many numbers of each kind ("event", "pod", "track") no receipt has named; a kind without any is not in it."""
        counts: dict[str, int] = {}
        for series in Series:
            receipted = self._receipted(series)
            for kind, number, span in self._connection.execute(f"SELECT kind, number, span FROM {series.table}"):  # noqa: S608
                if left := sum(1 + last - first for first, last in receipted.missing(number, number + span - 1)):
                    counts[kind] = counts.get(kind, 0) + left
        return counts

    def work(self, prefix: str) -> dict[str, bytes]:
        """Pieces of work in progress whose names begin so."""
        found = self._connection.execute("SELECT name, value FROM work").fetchall()
        return {name: value for name, value in found if name.startswith(prefix)}

    def _receipted(self, series: Series) -> Ranges:
        stored = self._fact(f"receipted_{series.value}")
        return Ranges(msgspec.json.decode(stored, type=list[tuple[int, int]]) if stored else ())

    def rows(self) -> Iterator[tuple[Row, bool]]:
        """Every row in order, and whether it is undamaged."""
        for series in Series:
            for columns in self._connection.execute(f"SELECT {COLUMNS}, hash FROM {series.table} ORDER BY number"):  # noqa: S608
                yield checked(columns)

    def _series(self, series: Series) -> SeriesLook:
        rows, first, last, oldest_ms = self._connection.execute(
            f"SELECT count(*), min(number), max(number + span - 1), min(made_ms) FROM {series.table}"  # noqa: S608
        ).fetchone()
        receipted = self._receipted(series)
        if first and first > 1:
            receipted.add(1, first - 1)
        waiting = (last or 0) - receipted.count()
        return SeriesLook(series.value, rows, first or 0, last or 0, receipted.upto(), max(waiting, 0), oldest_ms)

    def _fact(self, name: str) -> str | None:
        found = self._connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return unsealed(name, found[0]) if found else None
