"""One damaged folder: the unit starts on it and sends everything. That is what was saved, or the unit says that something is wrong."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from cli.faults.power.examination import LATER_S, Examination
from cli.faults.power.said import digest, point_digest
from cli.faults.power.unit import BEGAN_S, UNIT, Now, Unit
from cli.faults.tally import Tally
from firmware.evidence.book import BLOB
from firmware.journal import Row, Series
from firmware.journal.pressure import decode_points
from mqtt import topics
from mqtt.messages import BlobHeld, Event, Held, Receipt
from mqtt.ranges import Ranges

ALL = 10**9
PIECES_AT_MOST = 100_000  # of attachments: a lane that never ends would be a finding of its own
RECEIVED = "2026-12-12T08:00:00.000Z"


class Notice(Examination):
    """Counts as lost and corrupt what nobody would notice."""

    def tally(self) -> Tally:
        """Open it as it is, send all, and go on."""
        try:
            unit = Unit(self._folder, self._keys, Now(BEGAN_S + LATER_S))
            try:
                self._send_all(unit)
            finally:
                unit.close()
        except Exception as error:  # noqa: BLE001  a unit that does not start, or stops, is what is looked for
            self._count("tracebacks", f"the unit ended with {type(error).__name__}: {error}")
        return self._tally

    def _send_all(self, unit: Unit) -> None:
        self._tally.more = {"salvaged": int(unit.journal.salvaged is not None)}
        for series in Series:
            self._check_sent(unit, series)
        self._check_attachments_sent(unit)
        self._go_on(unit)

    def _check_sent(self, unit: Unit, series: Series) -> None:
        rows = self._rows(unit, series)
        told = _accounted(rows)  # numbers whose records are gone, and a record says so
        sent = dict(_contents(rows, series))
        salvaged = unit.journal.salvaged is not None
        for number, content in self._promise.due(series).items():
            if number in self._promise.receipted[series] and number not in sent:
                continue  # the receiver has it: what is left is for its signature, and checked when it is sent again
            if number not in sent and number not in told and not salvaged:
                self._count("lost", f"{series} {number} is not there, and nothing says so")
            elif sent.get(number, content) != content and number not in told:
                self._count("corrupt", f"{series} {number} is sent, and is not what was saved")
        invented = [number for number in sent if number not in self._promise.given[series] and number <= self._promise.top(series)]
        if invented:
            self._count("corrupt", f"{series} {invented[:3]} was never saved and is sent", len(invented))

    def _rows(self, unit: Unit, series: Series) -> list[Row]:
        unit.journal.waiting(series, Ranges(), ALL)  # sets aside what is damaged; what stands for it waits after that
        rows = unit.journal.waiting(series, Ranges(), ALL)
        return [*rows, *(unit.journal.unsigned() if series is Series.SEQ else ())]

    def _check_attachments_sent(self, unit: Unit) -> None:
        """By the product's own lane, to a receiver that takes every piece."""
        waiting = {name.removeprefix(BLOB) for name in unit.journal.work(BLOB)}
        sent, lane = dict[str, bytes](), unit.post.lane
        unit.post.open(0.0, largest_bytes=None)
        for piece in range(1, PIECES_AT_MOST):
            left = unit.post.lane.waiting
            chunk = unit.post.next(0.0)
            if chunk is None and piece > 1 and unit.post.lane.waiting == left:
                break
            if chunk is None:
                continue
            sent[chunk.name] = sent.get(chunk.name, b"") + chunk.payload
            lane.sent(piece, chunk, 0.0)
            lane.taken(piece, 0.0)
            upto = len(sent[chunk.name])
            unit.post.take(_receipt(unit, chunk.name, upto, whole=upto >= (unit.attachments.size(chunk.name) or 0)), 0.0)
        given_up = _given_up(unit)
        for name in waiting:
            if name in sent and sha256(sent[name]).hexdigest() != name:
                self._count("corrupt", f"attachment {name[:8]} was sent, and is not what was kept")
            elif name not in sent and name not in given_up:
                self._count("lost", f"attachment {name[:8]} was not sent, and nothing says so")

    def _check_new(self, what: str, given: int, before: int) -> None:
        """A session's number is higher than all before by the clock alone, once the journal was damaged."""
        if what != "session":
            super()._check_new(what, given, before)


def _contents(rows: list[Row], series: Series) -> list[tuple[int, str]]:
    if series is Series.SEQ:
        return [(row.number, digest(row.payload)) for row in rows if row.kind != topics.TRACK.kind and not _is_stand_in(row)]
    return [(fix.tseq, point_digest(fix)) for row in rows for fix in decode_points(row)]


def _accounted(rows: list[Row]) -> Ranges:
    """The numbers of rows that stand for others."""
    told = Ranges()
    for row in rows:
        if (row.kind == topics.TRACK.kind and not decode_points(row)) or _is_stand_in(row):
            told.add(row.number, row.last)
    return told


def _is_stand_in(row: Row) -> bool:
    return row.kind == topics.EVENT.kind and msgspec.json.decode(row.payload, type=Event).event == "storage.dropped"


def _given_up(unit: Unit) -> set[str]:
    """The attachments that the fleet is told to be lost."""
    rows = unit.journal.waiting(Series.SEQ, Ranges(), ALL)
    events = [msgspec.json.decode(row.payload, type=Event) for row in rows if row.kind == topics.EVENT.kind]
    return {name for event in events if event.event == "attachment.lost" for name in event.data["attachments"]}


def _receipt(unit: Unit, name: str, upto: int, *, whole: bool) -> Receipt:
    held = Held(upto=0)
    return Receipt(unit=UNIT, log=unit.journal.log, received=RECEIVED, seq=held, tseq=held, blobs={name: BlobHeld(upto=upto, whole=whole)})
