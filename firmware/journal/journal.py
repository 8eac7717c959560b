"""Append, look at what waits, acknowledge, and let go."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from firmware.journal import pressure, salvage
from firmware.journal.database import is_full
from firmware.journal.marker import UNKNOWN_BOOT, Markers
from firmware.journal.numbers import Numbers
from firmware.journal.opening import Opening, own
from firmware.journal.pressure import Dropped, Tombstone
from firmware.journal.receipts import Receipts
from firmware.journal.reserve import Reserve
from firmware.journal.row import JournalError, JournalFullError, Row, Series
from mqtt import topics
from mqtt.codec import TrackPoint
from mqtt.ranges import Ranges, Span

log = logging.getLogger(__name__)

RELIEF_STEPS = 4  # small commits in a row under pressure: a pause that nobody notices
READ_ROWS = 32
SPOILT = "its hash does not fit: the card damaged it"


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
        self._quota_bytes = quota_bytes
        self._lock = threading.RLock()
        self._owner = own(path)
        self._reserve = Reserve(path.with_name("reserve"))
        self._numbers = Numbers(path.with_name(path.name + ".numbers"))
        self._markers = Markers(self._numbers, utc_ms, tombstone)
        opening = Opening(path, quota_bytes, self._numbers, self._markers)
        try:
            self._database = opening.database()
            self._receipts = Receipts(self._database, self._numbers)
        except BaseException as error:
            os.close(self._owner)
            if isinstance(error, sqlite3.Error | OSError):
                raise JournalError(f"cannot open the journal at {path}: {error}; check the folder's rights and the free space") from error
            raise
        self.salvaged: salvage.Salvaged | None = opening.salvaged
        self._dropped = msgspec.json.decode(self._database.fact("dropped") or b"{}", type=Dropped)
        self._reserve.take()

    # --- what the recorder and the terminal call

    def append(
        self,
        boot: str,
        drafts: Sequence[Draft] = (),
        points: Sequence[TrackPoint] = (),
        odometer: str | None = None,
        work: Mapping[str, bytes | None] | None = None,
    ) -> Appended:
        """Make records durable: when this returns they are on the card, all in one commit. Points get their numbers here.

        `odometer` is its state after these points, `work` the pieces of unfinished work that changed (None: done with), both to be read
        back after a restart.

        JournalFullError when there is no room even with the reserve; nothing is stored then.
        """
        with self._lock:
            self._relieve()
            refused = len(points) if self.used >= pressure.STOP_AT else 0
            taken = [] if refused else points
            try:
                appended = self._insert(boot, drafts, taken, odometer, work=work or {}, refused=refused)
            except (sqlite3.OperationalError, OSError) as error:
                if not is_full(error):
                    raise
                self._reserve.release()
                self._relieve(at_least=pressure.STOP_AT)
                try:
                    appended = self._insert(boot, drafts, taken, odometer, work=work or {}, refused=refused)
                except (sqlite3.OperationalError, OSError) as again:
                    raise JournalFullError("the card is full: nothing more can be saved; free space on it or replace it") from again
            self._reserve.take()
            return appended

    def redate(self, boot: str, rewrite: Callable[[bytes], bytes | None]) -> int:
        """Rewrite the events of one start that no receipt covers yet, all in one commit; how many there were.

        `rewrite` returns the corrected payload, None to leave it. An event that is on its way already may reach the receiver with both
        times under its one number: the receiver keeps the first. On a full card nothing changes.
        """
        with self._lock:
            try:
                with self._database.transaction():
                    keys = self._database.keys(Series.SEQ, topics.EVENT.kind, boot)
                    return sum(self._rewrite(key, rewrite) for key in keys)
            except sqlite3.OperationalError as error:
                if not is_full(error):
                    raise
                log.warning("the card is full: events from before the time was known keep the time they have")
                return 0

    def work(self, prefix: str = "") -> dict[str, bytes]:
        """The pieces of unfinished work whose names begin so, in the order in which the names first came.

        A damaged piece is put on the shelf and not among them.
        """
        with self._lock:
            pieces = [(name, value, good) for name, value, good in self._database.pieces() if name.startswith(prefix)]
            for name, value, good in pieces:
                if not good:
                    self._shelve_piece(name, value)
            return {name: value for name, value, good in pieces if good}

    # --- what the uplink calls

    def waiting(self, series: Series, skip: Ranges, numbers: int) -> list[Row]:
        """The oldest rows that are neither receipted nor in `skip`, in order, until they span `numbers`.

        A damaged row is set aside and not among them.
        """
        with self._lock:
            found: list[Row] = []
            spanned, number = 0, 1
            while spanned < numbers:
                number = start = self._receipts.next_waiting(series, skip, number)
                for row, good in self._database.rows_from(series, self._database.key_with(series, number), READ_ROWS):
                    if good and row.last < number:
                        continue  # the newest row: nothing lies behind it
                    number = max(number, row.last + 1 if good else row.number + 1)
                    if not good:
                        self.set_aside(series, row.number, SPOILT)
                    elif not self._receipts.cover(series, row) and not skip.covers(row.number, row.last):
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
            return self._receipts.add(series, held)

    def release(self, numbers: Iterable[int]) -> None:
        """The receiver signed for these proofs: they leave the card as other receipted records do. No other proof ever does."""
        with self._lock:
            self._receipts.release(numbers)

    def unsigned(self, first: int = 1) -> Iterator[Row]:
        """The proofs from a number on that were not released, receipted or not; a damaged one is set aside and not among them."""
        while True:
            with self._lock:
                found = self._database.unsigned(first, READ_ROWS)
                for row, good in found:
                    if not good:
                        self.set_aside(Series.SEQ, row.number, SPOILT)
            yield from (row for row, good in found if good)
            if len(found) < READ_ROWS:
                return
            first = found[-1][0].number + 1

    def send_again(self, series: Series, missing: Sequence[Span]) -> list[Span]:
        """Let receipted numbers wait once more, because the receiver lost them; returns the ones that are here no longer."""
        with self._lock:
            return self._receipts.take_back(series, missing)

    def set_aside_range(self, series: Series, first: int, last: int, reason: str) -> None:
        """Set aside every record of a publish that cannot be made."""
        with self._lock:
            for number, _ in self._database.spans(series, first, last):
                self.set_aside(series, number, reason)

    def set_aside(self, series: Series, number: int, reason: str) -> None:
        """Move a record that cannot be sent to the shelf, so that it blocks nothing; its number stays accounted for."""
        with self._lock, self._database.transaction():
            found = self._database.row(series, number)
            if found is None:
                return
            row, good = found
            span = row.span if good else (self._database.key_from(series, number + 1) or self._numbers.next[series]) - number
            self._database.shelve(series, row, span, reason)
            self._database.put(series, self._markers.row(series, number, span, reason, row.boot if good else UNKNOWN_BOOT))
        log.error("%s %d was set aside: %s", series.value, number, reason)

    def next_session(self, unix_s: int) -> int:
        """A number for a new connection, higher than all before, also after the journal was lost while the clock is right."""
        with self._lock:
            session = max(int(self._database.fact("session") or 0) + 1, unix_s)
            try:
                with self._database.transaction():
                    self._database.put_fact("session", str(session))
            except sqlite3.OperationalError as error:
                if not is_full(error):
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
            return self._database.used_bytes

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

    @property
    def odometer(self) -> str | None:
        """What the last commit with an odometer said."""
        with self._lock:
            return self._database.fact("odometer")

    def issued(self, series: Series) -> int:
        """The highest number given to a record."""
        with self._lock:
            return self._numbers.next[series] - 1

    def receipted(self, series: Series) -> Ranges:
        """The numbers that the receiver holds, a copy."""
        with self._lock:
            return self._receipts.held(series)

    def waiting_count(self, series: Series) -> int:
        """How many numbers still wait for their receipt."""
        with self._lock:
            return self._numbers.next[series] - 1 - self._receipts.count(series)

    def age_s(self, row: Row) -> float:
        """How long ago a row was written, by the unit's UTC; negative when the clock went back."""
        return (self._utc_ms() - row.made_ms) / 1000

    def close(self) -> None:
        """Save what receipts said and let go of the database."""
        with self._lock:
            try:
                with self._database.transaction():
                    self._let_go()
            except sqlite3.OperationalError as error:
                log.warning("the last receipts could not be saved (%s); what they cover is sent once more", error)
            self._database.close()
            os.close(self._owner)

    # --- inside

    def _insert(
        self,
        boot: str,
        drafts: Sequence[Draft],
        points: Sequence[TrackPoint],
        odometer: str | None,
        *,
        work: Mapping[str, bytes | None],
        refused: int,
    ) -> Appended:
        first_seq, first_tseq = (self._numbers.next[series] for series in Series)
        self._numbers.reserve(Series.SEQ, len(drafts))
        self._numbers.reserve(Series.TSEQ, len(points))
        made_ms = self._utc_ms()
        with self._database.transaction():
            for number, draft in enumerate(drafts, start=first_seq):
                self._database.put(
                    Series.SEQ, Row(number=number, span=1, kind=draft.kind, boot=boot, made_ms=made_ms, payload=draft.make(number))
                )
            if points:
                numbered = [msgspec.structs.replace(point, tseq=number) for number, point in enumerate(points, start=first_tseq)]
                payload = pressure.encode_points(numbered)
                row = Row(number=first_tseq, span=len(points), kind=topics.TRACK.kind, boot=boot, made_ms=made_ms, payload=payload)
                self._database.put(Series.TSEQ, row)
            if odometer is not None:
                self._database.put_fact("odometer", odometer)
            for name, value in work.items():
                self._database.put_piece(name, value)
            if refused:
                self._count_dropped(Dropped(refused=refused))
            self._let_go()
        self._numbers.next[Series.SEQ] += len(drafts)
        self._numbers.next[Series.TSEQ] += len(points)
        return Appended(list(range(first_seq, first_seq + len(drafts))), list(range(first_tseq, first_tseq + len(points))), refused)

    def _shelve_piece(self, name: str, value: bytes) -> None:
        log.error("the piece %s of the work in progress was set aside: its hash does not fit, the card damaged it", name)
        try:
            with self._database.transaction():
                self._database.shelve_piece(name, value, SPOILT)
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise

    def _rewrite(self, key: int, rewrite: Callable[[bytes], bytes | None]) -> bool:
        """Whether there was something to correct in this event; a receipted or a damaged one is left alone."""
        row, good = self._database.row(Series.SEQ, key) or (None, False)
        if row is None or not good or self._receipts.cover(Series.SEQ, row) or (payload := rewrite(row.payload)) is None:
            return False
        self._database.delete(Series.SEQ, key)
        self._database.put(Series.SEQ, msgspec.structs.replace(row, payload=payload, made_ms=self._utc_ms()))
        return True

    def _let_go(self, *, pressed: bool = False) -> None:
        """Within a commit that writes anyway: delete what is receipted and old enough, remember what is receipted."""
        pressed = pressed or self.used >= pressure.THIN_AT
        self._receipts.let_go(pressure.ANY_AGE_MS if pressed else self._utc_ms() - self._keep_ms)

    def _count_dropped(self, more: Dropped) -> None:
        """Within the commit that drops: the count is on the card with it, or neither is."""
        now = self._dropped
        total = Dropped(seq=now.seq + more.seq, tseq=now.tseq + more.tseq, refused=now.refused + more.refused)
        self._database.put_fact("dropped", msgspec.json.encode(total).decode())
        self._database.after_commit(lambda: setattr(self, "_dropped", total))

    def _relieve(self, at_least: float = 0.0) -> None:
        for _ in range(RELIEF_STEPS):
            used = max(self.used, at_least)
            if used < pressure.THIN_AT:
                return
            try:
                with self._database.transaction():
                    self._let_go(pressed=True)
                    step = pressure.relieve(self._database.connection, used, self._utc_ms(), self._markers.tombstone)
                    if step is not None:
                        self._count_dropped(step)
            except sqlite3.OperationalError as error:
                if not is_full(error):
                    raise
                step = None
            if step is None:
                return
