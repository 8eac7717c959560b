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
from firmware.journal.batches import Batch, Batches
from firmware.journal.commits import Appended, Commits, Draft
from firmware.journal.database import is_full
from firmware.journal.marker import UNKNOWN_BOOT, Markers
from firmware.journal.numbers import Numbers
from firmware.journal.opening import Opening, opened, own
from firmware.journal.pressure import Dropped, Tombstone
from firmware.journal.receipts import Receipts
from firmware.journal.reserve import Reserve
from firmware.journal.row import JournalError, Row, Series
from mqtt import topics
from mqtt.codec import TrackPoint
from mqtt.ranges import Ranges, Span

log = logging.getLogger(__name__)

READ_ROWS = 32
SPOILT = "its hash does not fit: the card damaged it"


class Journal:
    """The one owner of the database; any thread may call it, one at a time gets in.

    `keep_ms`: how long receipted records stay, for a receiver that has to be restored from an old backup.
    """

    def __init__(self, path: Path, *, quota_bytes: int, keep_ms: int, utc_ms: Callable[[], int], tombstone: Tombstone) -> None:
        self._path = path
        self._utc_ms = utc_ms
        self._quota_bytes = quota_bytes
        self._lock = threading.RLock()
        self._tell: Callable[[], None] = lambda: None
        self._owner = own(path)
        reserve = Reserve(path.with_name("reserve"))
        self._numbers = Numbers(path.with_name(path.name + ".numbers"))
        self._markers = Markers(self._numbers, utc_ms, tombstone)
        try:
            opening = Opening(path, quota_bytes, self._numbers, self._markers)
            self._database = opened(opening, reserve)
            with self._database.closed_on_error():
                self._receipts = Receipts(self._database, self._numbers)
                self._batches = Batches(self._database)
                self._commits = Commits(
                    database=self._database,
                    numbers=self._numbers,
                    markers=self._markers,
                    receipts=self._receipts,
                    batches=self._batches,
                    reserve=reserve,
                    quota_bytes=quota_bytes,
                    keep_ms=keep_ms,
                    utc_ms=utc_ms,
                )
                reserve.take()
        except BaseException as error:
            os.close(self._owner)
            if isinstance(error, sqlite3.Error | OSError):
                raise JournalError(f"cannot open the journal at {path}: {error}; check the folder's rights and the free space") from error
            raise
        self.salvaged: salvage.Salvaged | None = opening.salvaged

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
            appended = self._commits.append(boot, drafts, points, odometer, work or {})
        if appended.seqs:
            self._tell()
        return appended

    def on_record(self, tell: Callable[[], None]) -> None:
        """Call this after each commit with numbered records (events, proofs), on the thread that appended and outside the lock.

        It must return at once.
        """
        self._tell = tell

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
                if start >= self._numbers.next[series]:
                    break
                for row, good in self._database.rows_from(series, self._database.key_with(series, number), READ_ROWS):
                    if good and row.last < number:
                        continue  # the newest row: nothing lies behind it
                    number = max(number, row.last + 1 if good else row.number + 1)
                    if not good:
                        self._shelve_row(series, row.number)
                    elif not self._receipts.cover(series, row) and not skip.covers(row.number, row.last):
                        found.append(row)
                        spanned += row.span
                    if spanned >= numbers:
                        break
                if number == start:
                    break
            return found

    def next_batch(self, skip: Ranges, made_for: str) -> Batch | None:
        """The batch packed ahead that is next in turn, all of its numbers waiting and none in `skip`."""
        with self._lock:
            batch = self._batches.get(self._receipts.next_waiting(Series.TSEQ, skip, 1), made_for)
            if batch is None or not self._receipts.all_waiting(Series.TSEQ, skip, batch.number, batch.last):
                return None
            return batch

    def keep_batch(self, batch: Batch, rows: Iterable[Row]) -> bool:
        """Keep a batch packed ahead from these rows; False when they changed meanwhile, or the room is wanted for other things."""
        with self._lock:
            if self.used >= pressure.THIN_AT or any(self._database.row(Series.TSEQ, row.number) != (row, True) for row in rows):
                return False
            try:
                with self._database.transaction():
                    self._batches.put(batch)
            except sqlite3.OperationalError as error:
                if not is_full(error):
                    raise
                return False
            return True

    def packed_to(self) -> int:
        """The last number of the track in the newest batch packed ahead, 0 without any."""
        with self._lock:
            return self._batches.packed_to()

    def open_count(self, series: Series, sent: Ranges) -> int:
        """How many of these numbers are not receipted."""
        with self._lock:
            return self._receipts.open_count(series, sent)

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
                        self._shelve_row(Series.SEQ, row.number)
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
        return self._commits.used

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
            return msgspec.structs.replace(self._commits.dropped)

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
                    self._commits.let_go()
            except sqlite3.OperationalError as error:
                log.warning("the last receipts could not be saved (%s); what they cover is sent once more", error)
            finally:
                self._database.close()
                os.close(self._owner)

    # --- inside

    def _shelve_row(self, series: Series, number: int) -> None:
        """Set a damaged row aside; where the card is full it stays in its place, unsent, and it is tried again when it is met again."""
        try:
            self.set_aside(series, number, SPOILT)
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise
            log.error("%s %d cannot be set aside on a full card: %s", series.value, number, SPOILT)  # noqa: TRY400  said every time

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
