"""What was committed on the unit, as a look from outside saw it: the oracle of the storm."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from firmware.journal import JournalError, Row, Series
from firmware.journal.look import JournalLook
from firmware.journal.pressure import decode_points
from mqtt import topics
from mqtt.codec import TrackPoint
from mqtt.messages import Event, Pod

DIGEST_BYTES = 8


def fix_digest(point: TrackPoint) -> bytes:
    """What a fix says."""
    return _digest(msgspec.msgpack.encode(point))


def record_digest(kind: str, payload: bytes) -> bytes:
    """What a record says. An event's time may be corrected while it waits (firmware/redating.py), all else of it may not change."""
    if kind == topics.EVENT.kind:
        event = msgspec.json.decode(payload, type=Event)
        return _digest(msgspec.json.encode([event.boot, event.mono_ms, event.event, event.data]))
    if kind == topics.POD.kind:
        pod = msgspec.json.decode(payload, type=Pod)
        return _digest(f"{pod.rec}|{pod.jws}".encode())
    return _digest(payload)


def _digest(told: bytes) -> bytes:
    return hashlib.blake2b(told, digest_size=DIGEST_BYTES).digest()


class Memory:
    """Every number that was seen in the unit's journal, and what was under it."""

    def __init__(self) -> None:
        self.held: dict[Series, dict[int, bytes]] = {series: {} for series in Series}
        self.logs = set[str]()  # names of the journals seen: more than one, and the first was lost
        self.reused: list[str] = []  # sentences: numbers that had two contents
        self.damaged: list[str] = []  # sentences: rows whose hash does not fit
        self._known: dict[tuple[Series, int], int] = {}  # rows seen, with a hash of what they held: mostly nothing is new

    @property
    def committed(self) -> int:
        """How many records: a number that no look saw, below one that was seen, was committed before that one."""
        return sum(max(held, default=0) for held in self.held.values())

    def look(self, journal: Path) -> bool:
        """Read all that the journal holds now; False while there is none. May be called while the unit writes, or lies dead."""
        try:
            with JournalLook(journal) as look:
                self.logs.add(look.log)
                for row, good in look.rows():
                    self._take(row, good=good)
        except JournalError:
            return False
        return True

    def _take(self, row: Row, *, good: bool) -> None:
        series = Series.TSEQ if row.kind == topics.TRACK.kind else Series.SEQ
        content = hash(row.payload)
        if self._known.get((series, row.number)) == content:
            return
        self._known[series, row.number] = content
        if not good:
            self.damaged.append(f"{series.value} {row.number} in the unit's journal is damaged")
        elif series is Series.SEQ:
            self._hold(series, row.number, record_digest(row.kind, row.payload))
        else:
            for point in decode_points(row):
                self._hold(series, point.tseq, fix_digest(point))

    def _hold(self, series: Series, number: int, digest: bytes) -> None:
        if self.held[series].setdefault(number, digest) != digest:
            self.reused.append(f"{series.value} {number} had two contents on the unit")
