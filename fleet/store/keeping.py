"""One transaction's work: items in, rows and coverage written, what can be receipted out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from fleet.intake import Blob, Fixes, Record, Refused, Report, Series, SignedRecord
from fleet.proofs import Announced, Checked, Storable, announced_in, unchecked
from fleet.rows import Holding, Kept
from fleet.store import attachments, numbers, proofs, stretches
from fleet.store.database import Database
from fleet.store.numbers import Numbers
from mqtt.messages import BlobHeld, SignedReceipt

REFUSED_LIMIT = 10_000  # rows; a sick unit must not fill the disk
TIME = ("t", "src")  # of an event
CLONED = "another {what} is held under this number: was the unit's card copied?"
DAMAGED = "the row of the track in the store that holds some of these fixes is damaged: restore the newest backup"

INSERT_RECORD = """INSERT INTO record
    (journal, series, number, span, kind, event, t_ms, boot, mono_ms, data, fault, received_ms, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
NEWEST = """INSERT INTO newest (unit, kind, at_ms, received_ms, payload) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (unit, kind) DO UPDATE SET at_ms = excluded.at_ms, received_ms = excluded.received_ms, payload = excluded.payload
    WHERE excluded.at_ms >= newest.at_ms"""
COUNT_REFUSED = """INSERT INTO refused (topic, sha256, reason, count, first_ms, last_ms, payload) VALUES (?, ?, ?, 1, ?, ?, ?)
    ON CONFLICT (topic, sha256) DO UPDATE SET count = refused.count + 1, last_ms = excluded.last_ms, reason = excluded.reason"""
FORGET_REFUSED = """DELETE FROM refused WHERE last_ms <=
    (SELECT last_ms FROM refused ORDER BY last_ms DESC LIMIT 1 OFFSET ?)"""


def keep(db: Database, items: Sequence[Storable], at_ms: int, *, heard: bool = True) -> Kept:
    """Write items inside the open transaction; `heard`: their units sent them just now.

    The rows of the units concerned are locked first, in the order of their names: receivers that share
    a database take turns on a unit and cannot block each other for ever.
    """
    work = _Work(db, at_ms)
    work.lock(sorted({item.unit for item in items if not isinstance(item, Refused)}), heard=heard)
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
        self._numbers = Numbers(db)
        self._born: set[int] = set()
        self._refused: list[Refused] = []
        self._proofs: dict[int, dict[SignedReceipt, None]] = {}  # by journal, each once, in the order they came
        self._pieces: dict[int, dict[tuple[str, str], None]] = {}  # attachments that this commit is about, by journal
        self._blobs: dict[int, dict[str, BlobHeld]] = {}
        self._new_rows: Counter[tuple[int, Series]] = Counter()
        self._stored = 0
        self._repeated = 0

    def lock(self, units: list[str], *, heard: bool) -> None:
        """Make or take the rows of the units; they stay locked until the commit."""
        for unit in units:
            self._db.execute(
                """INSERT INTO unit (unit, first_ms, seen_ms) VALUES (?, ?, ?)
                ON CONFLICT (unit) DO UPDATE SET seen_ms = CASE WHEN ? THEN excluded.seen_ms ELSE unit.seen_ms END""",
                (unit, self._at_ms, self._at_ms, heard),
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
        came = stored = len(fixes.values["tseq"])
        if self._numbers.are_new(journal, Series.TSEQ, fixes.first, fixes.span):
            stretches.write(self._db, journal, fixes, self._at_ms)
        else:
            unheld = stretches.write_unheld(self._db, journal, fixes, self._at_ms)
            stored = unheld.stored
            if unheld.differ:
                self._put_aside(fixes, "up/track", CLONED.format(what="fix"))
            if unheld.unreadable:
                self._put_aside(fixes, "up/track", DAMAGED)
        self._count(came, stored)
        self._new_rows[journal, Series.TSEQ] += stored
        self._numbers.cover(journal, Series.TSEQ, fixes.first, fixes.span)

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
            if span == record.span == 1 and not _is_same(bytes(payload), record.payload):
                self._put_aside(record, f"up/{record.kind}", CLONED.format(what="record"))
        self._numbers.cover(journal, record.series, record.number, record.span)

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

    def _put_aside(self, item: Fixes | Record, channel: str, reason: str) -> None:
        """The number is taken and receipted, but nothing that came is thrown away."""
        self._refused.append(Refused(topic=f"rp/v1/{item.unit}/{channel}", payload=item.payload, reason=reason))

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
            if report.state == "online":
                self._born.add(journal)
            if report.ledgers is not None:
                self._ask_for_attachments(journal, report.unit)
                numbers.write_ledger(self._db, journal, Series.SEQ, report.ledgers.seq, report.at_ms)
                numbers.write_ledger(self._db, journal, Series.TSEQ, report.ledgers.tseq, report.at_ms)

    def _ask_for_attachments(self, journal: int, unit: str) -> None:
        """Tell the unit how far those are held that are not whole."""
        for sha in attachments.unfinished(self._db, unit, self._at_ms):
            self._pieces.setdefault(journal, {})[unit, sha] = None

    def _journal(self, unit: str, log: str) -> int:
        """The journal's key; its row is made when it is new. The unit's lock keeps others away."""
        if (unit, log) not in self._journals:
            self._db.execute("INSERT INTO journal (unit, log, first_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (unit, log, self._at_ms))
            ((journal,),) = self._db.query("SELECT journal FROM journal WHERE unit = ? AND log = ?", (unit, log))
            self._journals[unit, log] = journal
        return self._journals[unit, log]

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
            seq, tseq = (self._numbers.settled(journal, series) for series in (Series.SEQ, Series.TSEQ))
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


def _is_same(held: bytes, came: bytes) -> bool:
    """Whether two payloads of one number are one record: an event may come again with the time that its unit knew only later."""
    return held == came or ((event := _undated(held)) is not None and event == _undated(came))


def _undated(payload: bytes) -> dict[str, Any] | None:
    """All that an event says, also what only a later version understands, without its time; None for what is no event."""
    try:
        told = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("typ") != "event":
        return None
    return {name: value for name, value in told.items() if name not in TIME}


def _is_late(report: Report, known_log: str | None, known_session: int | None) -> bool:
    """Whether a state is older than what is known: a will arrives after the birth that followed it."""
    if known_log is None or known_session is None or report.session is None:
        return False
    if report.log != known_log:
        return report.state != "online"  # only a birth begins a journal
    return report.session < known_session


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
