"""One transaction's work: items in, rows and coverage written, what can be receipted out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from fleet.intake import Blob, Fixes, Record, Refused, Report, Series, SignedRecord
from fleet.proofs import Announced, Checked, Storable, announced_in, unchecked
from fleet.rows import Holding, Kept, SeriesHolding
from fleet.store import attachments, proofs
from fleet.store.database import Database
from mqtt.codec import TrackPoint
from mqtt.messages import BlobHeld, Ledger, SignedReceipt
from mqtt.ranges import Ranges

REFUSED_LIMIT = 10_000  # rows; a sick unit must not fill the disk
INTEGER_LIMIT = 2**63 - 1  # of a column
CLONED = "another {what} is held under this number: was the unit's card copied?"

INSERT_FIX = """INSERT INTO fix (journal, tseq, t_ms, lat_e7, lon_e7, alt_m, speed_cms, course_cdeg, sats, hdop_e1, boot, received_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
INSERT_RECORD = """INSERT INTO record
    (journal, series, number, span, kind, event, t_ms, boot, mono_ms, data, fault, received_ms, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
NEWEST = """INSERT INTO newest (unit, kind, at_ms, received_ms, payload) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (unit, kind) DO UPDATE SET at_ms = excluded.at_ms, received_ms = excluded.received_ms, payload = excluded.payload
    WHERE excluded.at_ms >= newest.at_ms"""
NEWEST_LEDGER = """INSERT INTO ledger (journal, series, at_ms, issued, receipted, waiting, dropped) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (journal, series) DO UPDATE SET at_ms = excluded.at_ms, issued = excluded.issued, receipted = excluded.receipted,
        waiting = excluded.waiting, dropped = excluded.dropped
    WHERE excluded.issued > ledger.issued OR (excluded.issued = ledger.issued AND excluded.at_ms >= ledger.at_ms)"""
COUNT_REFUSED = """INSERT INTO refused (topic, sha256, reason, count, first_ms, last_ms, payload) VALUES (?, ?, ?, 1, ?, ?, ?)
    ON CONFLICT (topic, sha256) DO UPDATE SET count = refused.count + 1, last_ms = excluded.last_ms, reason = excluded.reason"""
FORGET_REFUSED = """DELETE FROM refused WHERE last_ms <=
    (SELECT last_ms FROM refused ORDER BY last_ms DESC LIMIT 1 OFFSET ?)"""


def keep(db: Database, items: Sequence[Storable], at_ms: int) -> Kept:
    """Write items inside the open transaction.

    The rows of the units concerned are locked first, in the order of their names: receivers that share
    a database take turns on a unit and cannot block each other for ever.
    """
    work = _Work(db, at_ms)
    work.lock(sorted({item.unit for item in items if not isinstance(item, Refused)}))
    for item in items:
        work.write(item)
    work.assess_attachments()
    work.set_aside()
    return work.kept()


def settle(db: Database, checked: Sequence[Checked], at_ms: int) -> None:
    """Write new verdicts on stored records inside the open transaction; that is no word from their units."""
    for unit in sorted({item.unit for item in checked}):
        db.execute("UPDATE unit SET seen_ms = seen_ms WHERE unit = ?", (unit,))  # the lock that receivers take
    for item in checked:
        ((journal,),) = db.query("SELECT journal FROM journal WHERE unit = ? AND log = ?", (item.unit, item.record.log))
        proofs.write(db, item, journal, at_ms)
        for told in item.attachments:
            attachments.announce(db, item.unit, told)
            attachments.assess(db, item.unit, told.sha, at_ms)


class _Work:
    """What one transaction knows."""

    def __init__(self, db: Database, at_ms: int) -> None:
        self._db = db
        self._at_ms = at_ms
        self._journals: dict[tuple[str, str], int] = {}
        self._batch: dict[tuple[int, Series], Ranges] = {}
        self._born: set[int] = set()
        self._refused: list[Refused] = []
        self._proofs: dict[int, dict[SignedReceipt, None]] = {}  # by journal, each once, in the order they came
        self._pieces: dict[int, dict[tuple[str, str], None]] = {}  # attachments that this commit is about, by journal
        self._blobs: dict[int, dict[str, BlobHeld]] = {}
        self._new_rows: Counter[tuple[int, Series]] = Counter()
        self._stored = 0
        self._repeated = 0

    def lock(self, units: list[str]) -> None:
        """Make or take the rows of the units; they stay locked until the commit."""
        for unit in units:
            self._db.execute(
                """INSERT INTO unit (unit, first_ms, seen_ms) VALUES (?, ?, ?)
                ON CONFLICT (unit) DO UPDATE SET seen_ms = excluded.seen_ms""",
                (unit, self._at_ms, self._at_ms),
            )

    def write(self, item: Storable) -> None:
        """Write one item, or see that it is there."""
        match item:
            case Fixes():
                self._fixes(item)
            case Record():
                self._record(item)
                self._announce(item, announced_in(item.data or ""))
            case SignedRecord():
                self._proof(unchecked(item))
            case Checked():
                self._proof(item)
            case Report(kind="state"):
                self._state(item)
            case Report():
                self._report(item)
            case Blob():
                self._piece(item)
            case Refused():
                self._refused.append(item)

    def _count(self, came: int, stored: int) -> None:
        self._stored += stored
        self._repeated += came - stored

    def _fixes(self, fixes: Fixes) -> None:
        journal = self._journal(fixes.unit, fixes.log)
        rows = [(journal, *_values(point), fixes.boot, self._at_ms) for point in fixes.points]
        stored = self._db.execute_many(INSERT_FIX, rows) if rows else 0
        self._count(len(rows), stored)
        self._new_rows[journal, Series.TSEQ] += stored
        if stored < len(rows) and self._differs(journal, fixes.points):
            self._clone(fixes, "up/track", "fix")
        self._cover(journal, Series.TSEQ, fixes.first, fixes.span)

    def _differs(self, journal: int, points: list[TrackPoint]) -> bool:
        rows = self._db.query(
            "SELECT tseq, t_ms, lat_e7, lon_e7 FROM fix WHERE journal = ? AND tseq BETWEEN ? AND ?",
            (journal, points[0].tseq, points[-1].tseq),
        )
        held = {row[0]: tuple(row) for row in rows}
        return any(held[point.tseq] != _values(point)[:4] for point in points)

    def _record(self, record: Record) -> None:
        journal = self._journal(record.unit, record.log)
        key = (journal, record.series, record.number)
        stored = self._db.execute(
            INSERT_RECORD,
            (*key, record.span, record.kind, record.event, record.t_ms, record.boot, record.mono_ms, record.data, record.fault,
             self._at_ms, record.payload),
        )  # fmt: skip
        self._count(1, stored)
        self._new_rows[journal, Series.SEQ] += stored if record.series is Series.SEQ else 0
        if not stored:
            sql = "SELECT span, payload FROM record WHERE journal = ? AND series = ? AND number = ?"
            ((span, payload),) = self._db.query(sql, key)
            # A longer span replaces records that the unit dropped before it knew that they had arrived.
            if span == record.span == 1 and payload != record.payload:
                self._clone(record, f"up/{record.kind}", "record")
        self._cover(journal, record.series, record.number, record.span)

    def _proof(self, checked: Checked) -> None:
        """The record under its number, and the verdict on it."""
        self._record(checked.record)
        journal = self._journal(checked.record.unit, checked.record.log)
        aside = not proofs.holds(self._db, journal, checked.record)  # a copied card's: its number is taken, the proof is none the less one
        if aside and checked.fault:
            return
        receipt = proofs.write(self._db, checked, journal, self._at_ms, aside=aside)
        if receipt is not None:
            self._proofs.setdefault(journal, {})[receipt] = None
        self._announce(checked.record, checked.attachments)

    def _announce(self, record: Record, named: Sequence[Announced]) -> None:
        for told in named:
            attachments.announce(self._db, record.unit, told)
            self._pieces.setdefault(self._journal(record.unit, record.log), {})[record.unit, told.sha] = None

    def _piece(self, piece: Blob) -> None:
        stored, reason = attachments.take(self._db, piece, self._at_ms)
        if reason is None:
            self._count(max(1, stored), stored)
        else:
            topic = f"rp/v1/{piece.unit}/up/blob/{piece.sha}/{piece.at_byte}"
            self._refused.append(Refused(topic=topic, payload=piece.payload, reason=reason))
        journal = self._present_journal(piece.unit)
        if journal is not None:
            self._pieces.setdefault(journal, {})[piece.unit, piece.sha] = None

    def _present_journal(self, unit: str) -> int | None:
        """The journal that the unit uses: a piece does not name one. None while it has named none; it will send the piece again."""
        rows = self._db.query(
            """SELECT j.log FROM journal j JOIN unit u ON u.unit = j.unit WHERE j.unit = ?
            ORDER BY CASE WHEN j.log = u.log THEN 0 ELSE 1 END, j.journal DESC LIMIT 1""",
            (unit,),
        )
        return self._journal(unit, rows[0][0]) if rows else None

    def assess_attachments(self) -> None:
        """See what is held now of the attachments that this commit is about; a piece is not yet an attachment."""
        for journal, touched in self._pieces.items():
            for unit, sha in touched:
                held, refused = attachments.assess(self._db, unit, sha, self._at_ms)
                self._blobs.setdefault(journal, {})[sha] = held
                if refused is not None:
                    self._refused.append(refused)

    def _clone(self, item: Fixes | Record, channel: str, what: str) -> None:
        """The number is taken and receipted, but nothing that came is thrown away."""
        self._refused.append(Refused(topic=f"rp/v1/{item.unit}/{channel}", payload=item.payload, reason=CLONED.format(what=what)))

    def _state(self, report: Report) -> None:
        ((log, session),) = self._db.query("SELECT log, session FROM unit WHERE unit = ?", (report.unit,))
        if _is_late(report, log, session):
            return
        self._db.execute(
            "UPDATE unit SET log = ?, session = ?, state = ? WHERE unit = ?",
            (report.log, report.session, report.state, report.unit),
        )
        self._db.execute("DELETE FROM newest WHERE unit = ? AND kind = 'state'", (report.unit,))  # its order is the session, not the time
        self._report(report)

    def _report(self, report: Report) -> None:
        self._db.execute(NEWEST, (report.unit, report.kind, report.at_ms, self._at_ms, report.payload))
        if report.log is None:
            return
        if report.ledgers is not None or report.state == "online":
            journal = self._journal(report.unit, report.log)
            for series in Series:
                self._batch.setdefault((journal, series), Ranges())
            if report.state == "online":
                self._born.add(journal)
            if report.ledgers is not None:
                self._ledger(journal, Series.SEQ, report.ledgers.seq, report.at_ms)
                self._ledger(journal, Series.TSEQ, report.ledgers.tseq, report.at_ms)

    def _ledger(self, journal: int, series: Series, ledger: Ledger, at_ms: int) -> None:
        values = (ledger.issued, ledger.receipted, ledger.waiting, ledger.dropped)
        self._db.execute(NEWEST_LEDGER, (journal, series, at_ms, *(min(value, INTEGER_LIMIT) for value in values)))

    def _journal(self, unit: str, log: str) -> int:
        """The journal's key; its row is made when it is new. The unit's lock keeps others away."""
        if (unit, log) not in self._journals:
            self._db.execute("INSERT INTO journal (unit, log, first_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (unit, log, self._at_ms))
            ((journal,),) = self._db.query("SELECT journal FROM journal WHERE unit = ? AND log = ?", (unit, log))
            self._journals[unit, log] = journal
        return self._journals[unit, log]

    def _cover(self, journal: int, series: Series, first: int, span: int) -> None:
        self._batch.setdefault((journal, series), Ranges()).add(first, first + span - 1)

    def set_aside(self) -> None:
        """Write what was refused, in an order that all receivers keep."""
        rows = [(_printable(r.topic), hashlib.sha256(r.payload).hexdigest(), r.reason, r.payload) for r in self._refused]
        for topic, sha256, reason, payload in sorted(rows):
            self._db.execute(COUNT_REFUSED, (topic, sha256, reason, self._at_ms, self._at_ms, payload))
        if self._refused:
            self._db.execute(FORGET_REFUSED, (REFUSED_LIMIT,))

    def kept(self) -> Kept:
        """Bring counts and coverage up to date, and tell what can be receipted."""
        holdings = []
        for (unit, log), journal in self._journals.items():
            seq, tseq = (self._merged(journal, series) for series in (Series.SEQ, Series.TSEQ))
            self._db.execute(
                "UPDATE journal SET records = records + ?, fixes = fixes + ? WHERE journal = ?",
                (self._new_rows[journal, Series.SEQ], self._new_rows[journal, Series.TSEQ], journal),
            )
            holdings.append(
                Holding(
                    unit=unit, log=log, seq=seq, tseq=tseq, born=journal in self._born,
                    proofs=self._receipts(unit, journal), blobs=self._blobs.get(journal, {}),
                )
            )  # fmt: skip
        return Kept(stored=self._stored, repeated=self._repeated, refused=len(self._refused), holdings=tuple(holdings))

    def _receipts(self, unit: str, journal: int) -> tuple[SignedReceipt, ...]:
        """Of what came just now; a unit that was born is told how far its chain is known here: it may have lost card and memory."""
        newest = proofs.newest_receipt(self._db, unit) if journal in self._born else None
        return tuple({**({newest: None} if newest else {}), **self._proofs.get(journal, {})})

    def _merged(self, journal: int, series: Series) -> SeriesHolding:
        batch = self._batch.get((journal, series), Ranges())
        before = coverage(self._db, journal, series)
        after = before.copy()
        for first, last in batch:
            after.add(first, last)
        old, new = set(before), set(after)
        if old != new:
            self._replace_coverage(journal, series, sorted(old - new), sorted(new - old))
        return SeriesHolding(coverage=after, batch=batch, ledger=ledger(self._db, journal, series))

    def _replace_coverage(self, journal: int, series: Series, gone: list[tuple[int, int]], new: list[tuple[int, int]]) -> None:
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


def _values(point: TrackPoint) -> tuple[int | None, ...]:
    return (
        point.tseq, point.t_ms, point.lat_e7, point.lon_e7,
        point.alt_m, point.speed_cms, point.course_cdeg, point.sats, point.hdop_e1,
    )  # fmt: skip


def _is_late(report: Report, known_log: str | None, known_session: int | None) -> bool:
    """Whether a state is older than what is known: a will arrives after the birth that followed it."""
    if known_log is None or known_session is None or report.session is None:
        return False
    if report.log != known_log:
        return report.state != "online"  # only a birth begins a journal
    return report.session < known_session


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
