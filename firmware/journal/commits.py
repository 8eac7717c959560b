"""Commits: records, fixes and pieces of work onto the card together, and room made for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence

import msgspec

from firmware.journal import pressure
from firmware.journal.batches import Batches
from firmware.journal.database import Database, is_full
from firmware.journal.marker import Markers
from firmware.journal.numbers import Numbers
from firmware.journal.pressure import Dropped
from firmware.journal.receipts import Receipts
from firmware.journal.reserve import Reserve
from firmware.journal.row import JournalFullError, Row, Series
from mqtt import topics
from mqtt.codec import TrackPoint

RELIEF_STEPS = 4  # small commits in a row under pressure: a pause that nobody notices


class Draft(msgspec.Struct, frozen=True):
    """A record that still wants its number."""

    kind: str  # "event"
    make: Callable[[int], bytes]  # number -> the finished payload, stored and sent byte for byte


class Appended(msgspec.Struct, frozen=True):
    """What a commit made durable."""

    seqs: list[int]
    tseqs: list[int]
    refused: int = 0  # fixes that a nearly full journal did not take, counted


class Commits:
    """Makes them; whoever uses it holds the journal's lock."""

    def __init__(
        self,
        *,
        database: Database,
        numbers: Numbers,
        markers: Markers,
        receipts: Receipts,
        batches: Batches,
        reserve: Reserve,
        quota_bytes: int,
        keep_ms: int,
        utc_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._numbers = numbers
        self._markers = markers
        self._receipts = receipts
        self._batches = batches
        self._reserve = reserve
        self._quota_bytes = quota_bytes
        self._keep_ms = keep_ms
        self._utc_ms = utc_ms
        self.dropped = msgspec.json.decode(database.fact("dropped") or b"{}", type=Dropped)  # what went under pressure so far

    @property
    def used(self) -> float:
        """The part of the quota in use, 0 to 1."""
        return self._database.used_bytes / max(self._quota_bytes, 1)

    def append(
        self,
        boot: str,
        drafts: Sequence[Draft],
        points: Sequence[TrackPoint],
        odometer: str | None,
        work: Mapping[str, bytes | None],
    ) -> Appended:
        """One commit of all of it; JournalFullError when there is no room even with the reserve, and nothing is stored then."""
        self.relieve()
        refused = len(points) if self.used >= pressure.STOP_AT else 0
        taken = [] if refused else points
        try:
            appended = self._insert(boot, drafts, taken, odometer, work=work, refused=refused)
        except (sqlite3.OperationalError, OSError) as error:
            if not is_full(error):
                raise
            self._reserve.release()
            self.relieve(at_least=pressure.STOP_AT)
            try:
                appended = self._insert(boot, drafts, taken, odometer, work=work, refused=refused)
            except (sqlite3.OperationalError, OSError) as again:
                raise JournalFullError("the card is full: nothing more can be saved; free space on it or replace it") from again
        self._reserve.take()
        return appended

    def let_go(self, *, pressed: bool = False) -> None:
        """Within a commit that writes anyway: delete what is receipted and old enough, remember what is receipted."""
        pressed = pressed or self.used >= pressure.THIN_AT
        self._receipts.let_go(pressure.ANY_AGE_MS if pressed else self._utc_ms() - self._keep_ms)

    def relieve(self, at_least: float = 0.0) -> None:
        """Make room where the quota, or so much of it at least, is in use: first copies go, then records as their kind allows."""
        for _ in range(RELIEF_STEPS):
            used = max(self.used, at_least)
            if used < pressure.THIN_AT or not self._took_a_step(used):
                return

    def _took_a_step(self, used: float) -> bool:
        try:
            with self._database.transaction():
                self.let_go(pressed=True)
                if self._batches.drop_newest():
                    return True
                step = pressure.relieve(self._database.connection, used, self._utc_ms(), self._markers.tombstone)
                if step is not None:
                    self._count(step)
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise
            return False
        return step is not None

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
                self._count(Dropped(refused=refused))
            self.let_go()
        self._numbers.next[Series.SEQ] += len(drafts)
        self._numbers.next[Series.TSEQ] += len(points)
        return Appended(list(range(first_seq, first_seq + len(drafts))), list(range(first_tseq, first_tseq + len(points))), refused)

    def _count(self, more: Dropped) -> None:
        """Within the commit that drops: the count is on the card with it, or neither is."""
        now = self.dropped
        total = Dropped(seq=now.seq + more.seq, tseq=now.tseq + more.tseq, refused=now.refused + more.refused)
        self._database.put_fact("dropped", msgspec.json.encode(total).decode())
        self._database.after_commit(lambda: setattr(self, "dropped", total))
