"""How a journal begins: made new, gone on with, or salvaged from a damaged one."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from pathlib import Path

from firmware.journal import salvage, schema, wal
from firmware.journal.database import Database, held_fact, is_full
from firmware.journal.marker import Markers
from firmware.journal.numbers import Numbers
from firmware.journal.reserve import Reserve
from firmware.journal.row import JournalError, JournalInUseError, Series
from mqtt.ranges import Ranges

log = logging.getLogger(__name__)

TOP_UNKNOWN = 1_000_000  # how far a salvage searches when the side file is lost too


def own(path: Path) -> int:
    """Lock the journal for this process; the lock ends with the descriptor, however the process ends."""
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


class Opening:
    """One attempt, by the owner; it also says from where the numbers run."""

    def __init__(self, path: Path, quota_bytes: int, numbers: Numbers, markers: Markers) -> None:
        self._path = path
        self._quota_bytes = quota_bytes
        self._numbers = numbers
        self._markers = markers
        self._unread = wal.unread_commits(path)  # asked now: SQLite's locks end when its files are opened and closed again
        self._log_kept: salvage.Salvaged | None = None
        self.salvaged: salvage.Salvaged | None = None

    def database(self) -> Database:
        """A sound database, ready to be written; sqlite3.Error or OSError when there can be none."""
        if salvage.is_unfinished(self._path):
            return self._salvage()
        try:
            database = Database(schema.connect(self._path, self._quota_bytes, before_writing=self._keep_unread_log))
            with database.closed_on_error():
                if salvage.is_sound(database.connection):
                    self._go_on(database)
                    return database
            database.close()
        except salvage.DAMAGE as error:
            if not salvage.is_damage(error):
                raise
            log.error("the journal is damaged: %s", error)  # noqa: TRY400  one sentence, not a traceback
        return self._salvage()

    # --- a sound one

    def _keep_unread_log(self) -> None:
        """The last commits stand in a damaged part of the log: put a copy of it away before it is overwritten."""
        if not self._unread or self._log_kept is not None:
            return
        try:
            kept = salvage.keep_log(self._path).name
        except OSError as error:  # no room: the numbers of these commits must be passed over all the same
            kept = f"nowhere ({(error.strerror or str(error)).lower()})"
        self._log_kept = salvage.Salvaged(quarantined=kept, n_ok=0, n_bad=self._unread)
        log.error("the journal's log was damaged: the last %d commits could not be read; it is kept as %s", self._unread, kept)

    def _go_on(self, database: Database) -> None:
        named = database.fact("log")
        if named:
            self._numbers.adopt(named)
        for series in Series:
            held_top = max(database.top(series), int(database.fact(f"floor_{series.value}") or 0))
            self._numbers.start(series, held_top, damaged=named is None or self._log_kept is not None)
        if not named:
            if self._numbers.next[Series.SEQ] > 1:
                log.error("the journal at %s was lost; the numbers go on behind those that it may have used", self._path)
            with database.transaction():
                self._note_beginning(database)
        if self._log_kept is not None:  # the numbers of the commits that could not be read must not be used again
            with database.transaction():
                for series in Series:
                    self._account_for_gaps(database, series)
            self.salvaged = self._log_kept

    # --- a damaged one

    def _salvage(self) -> Database:
        kept = salvage.quarantine(self._path)
        database = Database(schema.connect(self._path, self._quota_bytes))
        with database.closed_on_error(), salvage.opened(kept) as damaged, database.transaction():
            n_ok, n_bad = self._save_from(damaged, database) if damaged else (0, 1)
            for series in Series:
                self._numbers.start(series, database.top(series), damaged=True)
                self._account_for_gaps(database, series)
            self._note_beginning(database)
        salvage.finish(self._path)
        self.salvaged = salvage.Salvaged(quarantined=kept.name, n_ok=n_ok, n_bad=n_bad)
        log.error("the journal was damaged: %d records were saved into a new one, %d were unreadable; the old one is %s", n_ok, n_bad, kept)
        return database

    def _save_from(self, damaged: sqlite3.Connection, database: Database) -> tuple[int, int]:
        """Take over every readable row; how many there were, and how many places where none could be read."""
        named = salvage.known_name(damaged)
        if named:
            self._numbers.adopt(named)
        for series in Series:
            self._numbers.start(series, 0, damaged=True)
        for name in ["odometer", *(held_fact(series) for series in Series if named)]:  # held numbers mean nothing in another journal
            if value := salvage.known_fact(damaged, name):
                database.put_fact(name, value)
        n_ok = n_bad = 0
        for piece in salvage.readable_work(damaged):
            if piece is None:
                n_bad += 1
            else:
                database.put_piece(*piece)
                n_ok += 1
        tops = {series: max(self._numbers.next[series], TOP_UNKNOWN) for series in Series}
        for series, row in salvage.readable_rows(damaged, tops):
            if row is None:
                n_bad += 1
            else:
                database.put(series, row)
                n_ok += 1
        return n_ok, n_bad

    # --- either

    def _note_beginning(self, database: Database) -> None:
        """Remember the name, and from where the numbers run: a table that is still empty at the next start could not tell."""
        database.put_fact("log", self._numbers.log)
        for series in Series:
            database.put_fact(f"floor_{series.value}", str(self._numbers.next[series] - 1))

    def _account_for_gaps(self, database: Database, series: Series) -> None:
        """A gap that the receiver holds is none: what stays for a signature lets later records go before it."""
        last = self._numbers.next[series] - 1
        spans = database.spans(series, 1, last)
        first = spans[0][0] if spans else last + 1
        for gap_first, gap_last in Ranges([*spans, *database.held(series)]).missing(first, last):
            database.put(series, self._markers.row(series, gap_first, gap_last - gap_first + 1, "the journal was damaged"))


def opened(opening: Opening, reserve: Reserve) -> Database:
    """The database; where the card is too full for what an opening writes, a new version's tables for one, the reserve gives way."""
    try:
        return opening.database()
    except (sqlite3.OperationalError, OSError) as error:
        if not is_full(error) or not reserve.release():
            raise
    return opening.database()
