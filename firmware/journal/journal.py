"""Append, look at what waits, acknowledge, and let go."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import msgspec

from firmware.journal import pressure, salvage, schema
from firmware.journal.numbers import Numbers
from firmware.journal.pressure import Dropped, Tombstone
from firmware.journal.reserve import Reserve
from firmware.journal.row import COLUMNS, PLACES, JournalError, JournalFullError, JournalInUseError, Row, Series, checked, values
from mqtt import topics
from mqtt.codec import TrackPoint
from mqtt.ranges import Ranges, Span

log = logging.getLogger(__name__)

PURGE_ROWS = 500  # what one commit lets go: a pause that nobody notices
RELIEF_STEPS = 4  # likewise under pressure
READ_ROWS = 32
TOP_UNKNOWN = 1_000_000  # how far a salvage searches when the side file is lost too


class Draft(msgspec.Struct, frozen=True):
    """A record that still wants its number."""

    kind: str  # "event"
    make: Callable[[int], bytes]  # number -> the finished payload, stored and sent byte for byte


class Appended(msgspec.Struct, frozen=True):
    """What a commit made durable."""

    seqs: list[int]
    tseqs: list[int]
    refused: int = 0  # fixes that a nearly full journal did not take, counted


class Journal:
    """The one owner of the database; any thread may call it, one at a time gets in.

    `keep_ms`: how long receipted records stay, for a receiver that has to be restored from an old backup.
    """

    def __init__(self, path: Path, *, quota_bytes: int, keep_ms: int, utc_ms: Callable[[], int], tombstone: Tombstone) -> None:
        self._path = path
        self._keep_ms = keep_ms
        self._utc_ms = utc_ms
        self._tombstone_of = tombstone
        self._quota_bytes = quota_bytes
        self._lock = threading.RLock()
        self._owner = _own(path)
        self._reserve = Reserve(path.with_name("reserve"))
        self._numbers = Numbers(path.with_name(path.name + ".numbers"))
        self.salvaged: salvage.Salvaged | None = None
        try:
            self._connection = self._open()
            self._receipted = {series: self._read_receipted(series) for series in Series}
        except BaseException as error:
            os.close(self._owner)
            if isinstance(error, sqlite3.Error | OSError):
                raise JournalError(f"cannot open the journal at {path}: {error}; check the folder's rights and the free space") from error
            raise
        self._receipts_changed = False
        self._dropped = msgspec.json.decode(self._fact("dropped") or b"{}", type=Dropped)
        self._reserve.take()

    # --- what the recorder and the terminal call

    def append(self, boot: str, drafts: Sequence[Draft] = (), points: Sequence[TrackPoint] = ()) -> Appended:
        """Make records durable: when this returns they are on the card. Points get their numbers here.

        JournalFullError when there is no room even with the reserve; nothing is stored then.
        """
        with self._lock:
            self._relieve()
            refused = len(points) if self.used >= pressure.STOP_AT else 0
            taken = [] if refused else points
            try:
                appended = self._insert(boot, drafts, taken)
            except (sqlite3.OperationalError, OSError) as error:
                if not _is_full(error):
                    raise
                self._reserve.release()
                self._relieve(at_least=pressure.STOP_AT)
                try:
                    appended = self._insert(boot, drafts, taken)
                except (sqlite3.OperationalError, OSError) as again:
                    raise JournalFullError("the card is full: nothing more can be saved; free space on it or replace it") from again
            if refused:
                self._dropped.refused += refused
                self._put_fact("dropped", msgspec.json.encode(self._dropped).decode())
            return msgspec.structs.replace(appended, refused=refused)

    # --- what the uplink calls

    def waiting(self, series: Series, skip: Ranges, numbers: int) -> list[Row]:
        """The oldest rows that are neither receipted nor in `skip`, in order, until they span `numbers`.

        A damaged row is set aside and not among them.
        """
        query = f"SELECT {COLUMNS}, hash FROM {series.table} WHERE number >= ? ORDER BY number LIMIT {READ_ROWS}"  # noqa: S608
        with self._lock:
            found: list[Row] = []
            spanned, number = 0, 1
            while spanned < numbers:
                number = start = self._next_waiting(series, skip, number)
                for columns in self._connection.execute(query, (self._row_with(series, number),)).fetchall():
                    row, good = checked(columns)
                    number = max(number, row.last + 1)
                    if not good:
                        self.set_aside(series, row.number, "its hash does not fit: the card damaged it")
                    elif not self._receipted[series].covers(row.number, row.last) and not skip.covers(row.number, row.last):
                        found.append(row)
                        spanned += row.span
                    if spanned >= numbers:
                        break
                if number == start:
                    break
            return found

    def acknowledge(self, series: Series, held: Ranges) -> int:
        """Take the receiver's word that it holds these numbers; how many are new. They leave the card with a later commit."""
        with self._lock:
            receipted = self._receipted[series]
            before = receipted.count()
            for first, last in held:
                if first < self._numbers.next[series]:
                    receipted.add(first, min(last, self._numbers.next[series] - 1))
            new = receipted.count() - before
            self._receipts_changed = self._receipts_changed or new > 0
            return new

    def send_again(self, series: Series, missing: Sequence[Span]) -> list[Span]:
        """Let receipted numbers wait once more, because the receiver lost them; returns the ones that are here no longer."""
        gone = Ranges(missing)
        with self._lock:
            for first, last in missing:
                query = f"SELECT number, span FROM {series.table} WHERE number BETWEEN ? AND ?"  # noqa: S608
                for number, span in self._connection.execute(query, (self._row_with(series, first), last)).fetchall():
                    if number + span > first:
                        self._receipted[series].remove(number, number + span - 1)
                        gone.remove(number, number + span - 1)
            self._receipts_changed = True
        return list(gone)

    def set_aside_range(self, series: Series, first: int, last: int, reason: str) -> None:
        """Set aside every record of a publish that cannot be made."""
        query = f"SELECT number FROM {series.table} WHERE number BETWEEN ? AND ?"  # noqa: S608
        with self._lock:
            for (number,) in self._connection.execute(query, (first, last)).fetchall():
                self.set_aside(series, number, reason)

    def set_aside(self, series: Series, number: int, reason: str) -> None:
        """Move a record that cannot be sent to the shelf, so that it blocks nothing; its number stays accounted for."""
        with self._lock, self._transaction():
            found = self._connection.execute(f"SELECT {COLUMNS}, hash FROM {series.table} WHERE number = ?", (number,)).fetchone()  # noqa: S608
            if found is None:
                return
            row, good = checked(found)
            following = self._connection.execute(f"SELECT min(number) FROM {series.table} WHERE number > ?", (number,)).fetchone()[0]  # noqa: S608
            span = row.span if good else (following or self._numbers.next[series]) - number
            self._connection.execute(
                "INSERT INTO aside (series, number, span, kind, reason, payload) VALUES (?, ?, ?, ?, ?, ?)",
                (series.value, number, span, row.kind, reason, row.payload),
            )
            self._connection.execute(f"DELETE FROM {series.table} WHERE number = ?", (number,))  # noqa: S608
            self._put(series, self._marker(series, number, span, row.boot or "000000", reason))
        log.error("%s %d was set aside: %s", series.value, number, reason)

    def next_session(self, unix_s: int) -> int:
        """A number for a new connection, higher than all before, also after the journal was lost while the clock is right."""
        with self._lock:
            session = max(int(self._fact("session") or 0) + 1, unix_s)
            try:
                with self._transaction():
                    self._put_fact("session", str(session))
            except sqlite3.OperationalError as error:
                if not _is_full(error):
                    raise
                log.warning("the card is full: session %d could not be noted", session)
            return session

    # --- what status shows

    @property
    def log(self) -> str:
        """The journal's name."""
        return self._numbers.log

    @property
    def used(self) -> float:
        """The part of the quota in use, 0 to 1."""
        return self.used_bytes / max(self._quota_bytes, 1)

    @property
    def used_bytes(self) -> int:
        """Bytes in use in the database, free pages not counted."""
        with self._lock:
            pages = self._pragma("page_count") - self._pragma("freelist_count")
        return pages * schema.PAGE_BYTES

    @property
    def quota_bytes(self) -> int:
        """The most that the database may take."""
        return self._quota_bytes

    @property
    def path(self) -> Path:
        """The database file."""
        return self._path

    @property
    def dropped(self) -> Dropped:
        """What went under pressure, a copy."""
        with self._lock:
            return msgspec.structs.replace(self._dropped)

    def issued(self, series: Series) -> int:
        """The highest number given to a record."""
        with self._lock:
            return self._numbers.next[series] - 1

    def receipted(self, series: Series) -> Ranges:
        """The numbers that the receiver holds, a copy."""
        with self._lock:
            return self._receipted[series].copy()

    def waiting_count(self, series: Series) -> int:
        """How many numbers still wait for their receipt."""
        with self._lock:
            return self._numbers.next[series] - 1 - self._receipted[series].count()

    def close(self) -> None:
        """Save what receipts said and let go of the database."""
        with self._lock:
            try:
                with self._transaction():
                    self._let_go()
            except sqlite3.OperationalError as error:
                log.warning("the last receipts could not be saved (%s); what they cover is sent once more", error)
            self._connection.close()
            os.close(self._owner)

    # --- inside

    def _insert(self, boot: str, drafts: Sequence[Draft], points: Sequence[TrackPoint]) -> Appended:
        first_seq, first_tseq = (self._numbers.next[series] for series in Series)
        self._numbers.reserve(Series.SEQ, len(drafts))
        self._numbers.reserve(Series.TSEQ, len(points))
        made_ms = self._utc_ms()
        with self._transaction():
            for number, draft in enumerate(drafts, start=first_seq):
                self._put(Series.SEQ, Row(number=number, span=1, kind=draft.kind, boot=boot, made_ms=made_ms, payload=draft.make(number)))
            if points:
                numbered = [msgspec.structs.replace(point, tseq=number) for number, point in enumerate(points, start=first_tseq)]
                payload = pressure.encode_points(numbered)
                row = Row(number=first_tseq, span=len(points), kind=topics.TRACK.kind, boot=boot, made_ms=made_ms, payload=payload)
                self._put(Series.TSEQ, row)
            self._let_go()
        self._numbers.next[Series.SEQ] += len(drafts)
        self._numbers.next[Series.TSEQ] += len(points)
        return Appended(list(range(first_seq, first_seq + len(drafts))), list(range(first_tseq, first_tseq + len(points))))

    def _let_go(self) -> None:
        """Within a commit that writes anyway: delete what is receipted and old enough, remember what is receipted."""
        pressed = self.used >= pressure.THIN_AT
        before_ms = self._utc_ms() - (0 if pressed else self._keep_ms)
        for series in Series:
            self._delete_oldest(series, before_ms)
        if self._receipts_changed:
            for series in Series:
                self._put_fact(f"receipted_{series.value}", msgspec.json.encode(list(self._receipted[series])).decode())
            self._receipts_changed = False

    def _delete_oldest(self, series: Series, before_ms: int) -> None:
        """Delete the receipted rows at the head. The newest row stays: it is what the numbers go on from."""
        query = f"SELECT number, span, made_ms FROM {series.table} ORDER BY number LIMIT ?"  # noqa: S608
        last_deletable = 0
        # Most commits find that the oldest row must stay, and look at no other.
        for limit in (2, PURGE_ROWS):
            rows = self._connection.execute(query, (limit,)).fetchall()
            deletable = takewhile(
                lambda row: row[2] <= before_ms and self._receipted[series].covers(row[0], row[0] + row[1] - 1), rows[:-1]
            )
            numbers = [row[0] for row in deletable]
            if not numbers:
                break
            last_deletable = numbers[-1]
        if last_deletable:
            self._connection.execute(f"DELETE FROM {series.table} WHERE number <= ?", (last_deletable,))  # noqa: S608

    def _relieve(self, at_least: float = 0.0) -> None:
        for _ in range(RELIEF_STEPS):
            used = max(self.used, at_least)
            if used < pressure.THIN_AT:
                return
            try:
                with self._transaction():
                    self._let_go()
                    step = pressure.relieve(self._connection, used, self._utc_ms(), self._tombstone)
                    if step is not None:
                        self._dropped.seq += step.seq
                        self._dropped.tseq += step.tseq
                        self._put_fact("dropped", msgspec.json.encode(self._dropped).decode())
            except sqlite3.OperationalError as error:
                if not _is_full(error):
                    raise
                step = None
            if step is None:
                return

    def _next_waiting(self, series: Series, skip: Ranges, number: int) -> int:
        while True:
            beyond = skip.next_outside(self._receipted[series].next_outside(number))
            if beyond == number:
                return number
            number = beyond

    def _row_with(self, series: Series, number: int) -> int:
        """The key of the row that accounts for a number, or the number itself where none does."""
        found = self._connection.execute(
            f"SELECT number FROM {series.table} WHERE number <= ? ORDER BY number DESC LIMIT 1",  # noqa: S608
            (number,),
        ).fetchone()
        return found[0] if found else number

    def _put(self, series: Series, row: Row) -> None:
        self._connection.execute(f"INSERT INTO {series.table} VALUES ({PLACES})", values(row))  # noqa: S608

    def _tombstone(self, number: int, span: int, reason: str) -> bytes:
        return self._tombstone_of(self.log, number, span, reason)

    def _marker(self, series: Series, number: int, span: int, boot: str, reason: str) -> Row:
        """A row that accounts for numbers whose records are gone."""
        kind = topics.EVENT.kind if series is Series.SEQ else topics.TRACK.kind
        payload = self._tombstone(number, span, reason) if series is Series.SEQ else pressure.encode_points([])
        level = pressure.SPARSE_LEVEL
        return Row(number=number, span=span, kind=kind, boot=boot, made_ms=self._utc_ms(), level=level, payload=payload)

    def _open(self) -> sqlite3.Connection:
        try:
            connection = schema.connect(self._path, self._quota_bytes)
            if salvage.is_sound(connection):
                return self._continue_in(connection)
            connection.close()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            log.error("the journal is damaged: %s", error)  # noqa: TRY400  one sentence, not a traceback
        return self._salvage()

    def _continue_in(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        self._connection = connection
        named = self._fact("log")
        if named:
            self._numbers.adopt(named)
        else:
            self._put_fact("log", self._numbers.log)
        for series in Series:
            self._numbers.start(series, self._top(series), damaged=named is None)
        return connection

    def _salvage(self) -> sqlite3.Connection:
        kept = salvage.quarantine(self._path)
        named = salvage.known_name(kept)
        if named:
            self._numbers.adopt(named)
        for series in Series:
            self._numbers.start(series, 0, damaged=True)
        self._connection = connection = schema.connect(self._path, self._quota_bytes)
        n_ok = n_bad = 0
        tops = {series: max(self._numbers.next[series], TOP_UNKNOWN) for series in Series}
        with self._transaction():
            self._put_fact("log", self._numbers.log)
            for series, row in salvage.readable_rows(kept, tops):
                if row is None:
                    n_bad += 1
                else:
                    self._put(series, row)
                    n_ok += 1
            for series in Series:
                self._numbers.start(series, self._top(series), damaged=True)
                self._account_for_gaps(series)
        self.salvaged = salvage.Salvaged(quarantined=kept.name, n_ok=n_ok, n_bad=n_bad)
        log.error("the journal was damaged: %d records were saved into a new one, %d were unreadable; the old one is %s", n_ok, n_bad, kept)
        return connection

    def _account_for_gaps(self, series: Series) -> None:
        rows = self._connection.execute(f"SELECT number, span FROM {series.table} ORDER BY number").fetchall()  # noqa: S608
        held = Ranges((number, number + span - 1) for number, span in rows)
        first = rows[0][0] if rows else self._numbers.next[series]
        for gap_first, gap_last in held.missing(first, self._numbers.next[series] - 1):
            self._put(series, self._marker(series, gap_first, gap_last - gap_first + 1, "000000", "the journal was damaged"))

    def _top(self, series: Series) -> int:
        query = f"SELECT number + span - 1 FROM {series.table} ORDER BY number DESC LIMIT 1"  # noqa: S608
        found = self._connection.execute(query).fetchone()
        return int(found[0]) if found else 0

    def _read_receipted(self, series: Series) -> Ranges:
        stored = self._fact(f"receipted_{series.value}")
        receipted = Ranges(msgspec.json.decode(stored, type=list[tuple[int, int]]) if stored else ())
        oldest = self._connection.execute(f"SELECT min(number) FROM {series.table}").fetchone()[0]  # noqa: S608
        below = (oldest or self._numbers.next[series]) - 1
        if below > 0:  # what is here no longer was receipted, or counted as dropped
            receipted.add(1, below)
        return receipted

    def _fact(self, name: str) -> str | None:
        found = self._connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def _put_fact(self, name: str, value: str) -> None:
        self._connection.execute("INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value))

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _is_full(error: Exception) -> bool:
    return "full" in str(error) or getattr(error, "errno", None) == 28  # noqa: PLR2004  ENOSPC


def _own(path: Path) -> int:
    """Lock the journal for this process; the lock ends with it, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise JournalError(f"cannot write in {path.parent}: {reason}; check the folder's owner and rights") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise JournalInUseError(f"the journal at {path} is in use by another process; only one daemon may run on it") from None
    return descriptor
