"""The fleet's store: each record once, and the word on what is held. The only SQL of the other end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from fleet.intake import Series
from fleet.proofs import Chain, Checked, Storable
from fleet.rows import AttachmentRow, Counts, EventRow, Holding, Kept, ProofRow, RefusedRow, SeriesHolding, SeriesRow, UnitRow, WaitingProof
from fleet.store import attachments, keeping, migrations, numbers, proofs, stretches
from fleet.store.database import Database, Row, StoreAwayError, StoreError, TryAgainError, UnstorableError
from fleet.store.postgres import PostgresDatabase
from fleet.store.sqlite import SqliteDatabase
from mqtt.codec import TrackPoint
from mqtt.messages import SignedReceipt

__all__ = [
    "AttachmentRow", "Counts", "EventRow", "Holding", "Kept", "ProofRow", "RefusedRow", "SeriesHolding", "SeriesRow", "Store",
    "StoreAwayError", "StoreError", "UnitRow", "UnstorableError", "WaitingProof", "open_store",
]  # fmt: skip

RACES = 20  # lost transactions in a row after which the database counts as away
COUNT_RECORDS = "SELECT count(*) FROM record r JOIN journal j ON j.journal = r.journal WHERE j.unit = ? AND r.series = 'seq'"
COUNT_HAPPENINGS = """SELECT count(*) FROM (
    SELECT DISTINCT r.boot, r.mono_ms, r.event, r.data,
        CASE WHEN r.event IS NULL THEN r.number END AS own_number, CASE WHEN r.event IS NULL THEN r.journal END AS own_journal
    FROM record r JOIN journal j ON j.journal = r.journal WHERE j.unit = ? AND r.series = 'seq') AS happenings"""

Done = TypeVar("Done")


def open_store(url: str, *, writing: bool = True) -> Store:
    """The store of a URL, not yet opened; StoreError when the URL is none."""
    parts = urlsplit(url)
    if parts.scheme in {"postgresql", "postgres"}:
        return Store(PostgresDatabase(url), writing=writing)
    if parts.scheme == "sqlite" and parts.path and not parts.netloc:
        return Store(SqliteDatabase(Path(unquote(parts.path)), writing=writing), writing=writing)
    raise StoreError(f"{url} is no store: write sqlite:///absolute/path.db or postgresql://user@host/database")


class Store:
    """Everything the fleet sent. For one thread."""

    def __init__(self, db: Database, *, writing: bool = True) -> None:
        self._db = db
        self._writing = writing

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self._db.place

    def open(self) -> None:
        """Connect, and make or check the schema; StoreAwayError when it may work later, StoreError when it will not."""
        self._db.connect()
        if self._writing:
            migrations.bring_up_to_date(self._db, _now_ms())
        else:
            migrations.check_version(self._db)

    def close(self) -> None:
        """Let go."""
        self._db.close()

    def keep(self, items: Sequence[Storable], at_ms: int, *, heard: bool = True) -> Kept:
        """Store items in one transaction; on return they are durable, on an error none of them is stored.

        `heard`: their units sent them just now, and count as seen.
        StoreAwayError: the same items may be tried again later. UnstorableError: the database does not take one of them.
        """
        return self._committed(lambda: keeping.keep(self._db, items, at_ms, heard=heard))

    def settle(self, checked: Sequence[Checked], at_ms: int) -> None:
        """Keep new verdicts on records that are stored already, in one transaction."""
        self._committed(lambda: keeping.settle(self._db, checked, at_ms))

    def _committed(self, work: Callable[[], Done]) -> Done:
        if not self._db.connected:
            self.open()
        for _ in range(RACES):
            try:
                with self._db.transaction():
                    return work()
            except TryAgainError as error:
                lost = error
        raise lost

    def units(self) -> list[UnitRow]:
        """Every unit that was ever heard, by name."""
        rows = self._db.query(
            """SELECT u.unit, u.first_ms, u.seen_ms, u.log, u.state, live.payload, last.payload, health.payload FROM unit u
            LEFT JOIN newest live ON live.unit = u.unit AND live.kind = 'live'
            LEFT JOIN newest last ON last.unit = u.unit AND last.kind = 'last'
            LEFT JOIN newest health ON health.unit = u.unit AND health.kind = 'health' ORDER BY u.unit"""
        )
        return [UnitRow(**dict(zip(UnitRow.__struct_fields__, row, strict=True))) for row in rows]

    def series(self, unit: str | None = None) -> list[SeriesRow]:
        """Both series of every journal, of one unit or of all; the unit's present journal first."""
        rows = self._db.query(
            """SELECT j.journal, j.unit, j.log, coalesce(u.log, j.log) = j.log, j.records, j.fixes
            FROM journal j JOIN unit u ON u.unit = j.unit WHERE ? OR j.unit = ? ORDER BY j.unit, j.first_ms DESC, j.journal DESC""",
            (unit is None, unit),
        )
        return [
            SeriesRow(
                unit=name, log=log, series=series, current=bool(current), rows=count,
                coverage=numbers.coverage(self._db, journal, series), ledger=numbers.ledger(self._db, journal, series),
            )
            for journal, name, log, current, records, fixes in rows
            for series, count in ((Series.SEQ, records), (Series.TSEQ, fixes))
        ]  # fmt: skip

    def newest_fix(self, unit: str) -> TrackPoint | None:
        """The fix with the latest time."""
        return stretches.newest(self._db, unit)

    def fixes(self, unit: str, from_ms: int, to_ms: int) -> Generator[TrackPoint]:
        """The fixes of a time, both ends included, in the order of the satellites' time."""
        return stretches.between(self._db, unit, from_ms, to_ms)

    def events(self, unit: str, limit: int) -> list[EventRow]:
        """The last numbered messages of a unit, oldest first."""
        rows = self._db.query(
            """SELECT j.log, r.number, r.span, r.kind, r.event, r.t_ms, r.received_ms, r.data, r.fault, r.payload
            FROM record r JOIN journal j ON j.journal = r.journal WHERE j.unit = ? AND r.series = 'seq'
            ORDER BY j.first_ms DESC, j.journal DESC, r.number DESC LIMIT ?""",
            (unit, limit),
        )
        return [_event(row) for row in reversed(rows)]

    def newest_event(self, unit: str, event: str) -> EventRow | None:
        """The last event of this name that came from a unit."""
        rows = self._db.query(
            """SELECT j.log, r.number, r.span, r.kind, r.event, r.t_ms, r.received_ms, r.data, r.fault, r.payload
            FROM record r JOIN journal j ON j.journal = r.journal WHERE j.unit = ? AND r.series = 'seq' AND r.event = ?
            ORDER BY r.received_ms DESC, j.first_ms DESC, r.number DESC LIMIT 1""",
            (unit, event),
        )
        return _event(rows[0]) if rows else None

    def proofs(self, unit: str | None = None, stop: str | None = None) -> list[ProofRow]:
        """Signed records in the order of their time: of a unit, of a stop, or all."""
        return proofs.rows(self._db, unit, stop)

    def proofs_by_id(self, start: str) -> list[ProofRow]:
        """Signed records whose id begins like this."""
        return proofs.by_id(self._db, start)

    def waiting_proofs(self, unit: str | None = None) -> list[WaitingProof]:
        """Signed records that were not found good, or have no receipt."""
        return proofs.waiting(self._db, unit)

    def receipts(self, unit: str) -> list[SignedReceipt]:
        """Every receipt signed for a unit, also of records that are not here any more."""
        return proofs.receipts(self._db, unit)

    def whole_attachments(self, unit: str) -> set[str]:
        """The attachments of a unit that are there, by the SHA-256 of what was sent."""
        return proofs.whole(self._db, unit)

    def sealed_attachment(self, unit: str, sha: str) -> bytes | None:
        """An attachment as it was sent, sealed; None while it is not whole."""
        return attachments.sealed(self._db, unit, sha)

    def attachments_named(self, start: str) -> list[AttachmentRow]:
        """Attachments whose SHA-256, as sent or opened, begins like this."""
        return attachments.named(self._db, start)

    def receivers(self) -> dict[str, Chain]:
        """The certificates under which the receipts here were signed, by their SHA-256."""
        return proofs.receivers(self._db)

    def refused(self) -> list[RefusedRow]:
        """What was set aside, newest first."""
        rows = self._db.query("SELECT topic, sha256, reason, count, last_ms, payload FROM refused ORDER BY last_ms DESC, topic, sha256")
        return [RefusedRow(**dict(zip(RefusedRow.__struct_fields__, row, strict=True))) for row in rows]

    def counts(self, unit: str) -> Counts:
        """How many rows there are, and how many differ in what they say: the check that nothing is stored twice."""
        return Counts(
            fixes=stretches.count(self._db, unit),
            records=self._number(COUNT_RECORDS, unit),
            fixes_distinct_time=stretches.count_times(self._db, unit),
            records_distinct=self._number(COUNT_HAPPENINGS, unit),
        )

    def _number(self, sql: str, unit: str) -> int:
        rows: list[Row] = self._db.query(sql, (unit,))
        return int(rows[0][0])


def _event(row: Row) -> EventRow:
    return EventRow(**dict(zip(EventRow.__struct_fields__, row, strict=True)))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
