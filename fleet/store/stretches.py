"""The track in the database: a batch of fixes is one row, its payload kept as it came. Each fix is held once, under its number.

A batch that comes again, or packed anew in other batches, is stored for the fixes in it that are not held yet.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from operator import itemgetter

import msgspec

from fleet.intake import Fixes
from fleet.store.database import Database, StoreError
from mqtt import codec
from mqtt.codec import TrackPoint
from mqtt.messages import MessageError, Track
from mqtt.ranges import Ranges

INSERT = """INSERT INTO stretch (journal, first, last, fixes, first_ms, last_ms, boot, received_ms, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
AROUND = "SELECT first, last, payload FROM stretch WHERE journal = ? AND last >= ? AND first <= ?"
NEWEST = "SELECT payload FROM stretch WHERE journal = ? ORDER BY last_ms DESC LIMIT 1"
BETWEEN = """SELECT s.first_ms, s.payload FROM stretch s JOIN journal j ON j.journal = s.journal
    WHERE j.unit = ? AND s.last_ms >= ? AND s.first_ms <= ? ORDER BY s.first_ms, s.journal, s.first"""
BY_START = """SELECT s.boot, s.first_ms, s.payload FROM stretch s JOIN journal j ON j.journal = s.journal
    WHERE j.unit = ? ORDER BY s.boot, s.first_ms"""
COUNT = "SELECT coalesce(sum(s.fixes), 0) FROM stretch s JOIN journal j ON j.journal = s.journal WHERE j.unit = ?"


class Unheld(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch whose numbers are held, all or some."""

    stored: int = 0  # fixes
    differ: bool = False  # another fix is held under the number of one of them
    unreadable: bool = False  # the row that holds one of them is damaged


def write(db: Database, journal: int, fixes: Fixes, at_ms: int) -> None:
    """Store a batch, none of whose numbers is held."""
    numbers, times = fixes.values["tseq"], fixes.values["t_ms"]
    if not numbers:
        return
    told = (numbers[0], numbers[-1], len(numbers), min(times), max(times))  # type: ignore[type-var]  # columns without a None
    db.execute(INSERT, (journal, *told, fixes.boot, at_ms, fixes.payload))


def write_unheld(db: Database, journal: int, fixes: Fixes, at_ms: int) -> Unheld:
    """Store those fixes of a batch that are not held."""
    points = fixes.points
    if not points:
        return Unheld()
    held, unreadable = _around(db, journal, points[0].tseq, points[-1].tseq)
    new = [point for point in points if point.tseq not in held and point.tseq not in unreadable]
    write(db, journal, packed(fixes.unit, fixes.log, fixes.boot, new), at_ms)
    return Unheld(
        stored=len(new),
        differ=any(_differ(point, held[point.tseq]) for point in points if point.tseq in held),
        unreadable=any(point.tseq in unreadable for point in points),
    )


def _around(db: Database, journal: int, first: int, last: int) -> tuple[dict[int, TrackPoint], Ranges]:
    """The fixes of all rows that reach into these numbers; and the numbers of rows that cannot be read: one must not stop the receiver."""
    held, unreadable = dict[int, TrackPoint](), Ranges()
    for row_first, row_last, payload in db.query(AROUND, (journal, first, last)):
        try:
            held.update((point.tseq, point) for point in points_of(payload))
        except StoreError:
            unreadable.add(row_first, row_last)
    return held, unreadable


def packed(unit: str, log: str, boot: str, points: Sequence[TrackPoint]) -> Fixes:
    """Fixes as a batch that accounts for no number beside theirs."""
    first = points[0].tseq if points else 1
    span = points[-1].tseq - first + 1 if points else 1
    cols = codec.to_columns(points)
    payload = codec.pack(Track(unit=unit, boot=boot, log=log, tseq=first, span=span, cols=cols))
    return Fixes(unit=unit, log=log, boot=boot, first=first, span=span, values=codec.plain(cols), payload=payload)


def points_of(payload: bytes) -> list[TrackPoint]:
    """The fixes of a row; StoreError when it is damaged."""
    try:
        return codec.to_points(codec.unpacked(payload)[1])
    except MessageError as error:
        raise StoreError(f"a row of the track in the store is damaged: {error}; restore the newest backup") from None


def newest(db: Database, unit: str) -> TrackPoint | None:
    """The fix of a unit with the latest time."""
    journals = db.query("SELECT journal FROM journal WHERE unit = ?", (unit,))
    points = [point for key in journals for (payload,) in db.query(NEWEST, key) for point in points_of(payload)]
    return max(points, key=lambda point: point.t_ms, default=None)


def between(db: Database, unit: str, from_ms: int, to_ms: int) -> Generator[TrackPoint]:
    """The fixes of a time, both ends included, in the order of the satellites' time."""
    with closing(db.stream(BETWEEN, (unit, from_ms, to_ms))) as rows:
        yield from (point for point in _in_time(rows) if from_ms <= point.t_ms <= to_ms)


def count(db: Database, unit: str) -> int:
    """How many fixes of a unit are held."""
    return int(db.query(COUNT, (unit,))[0][0])


def count_times(db: Database, unit: str) -> int:
    """How many of them differ in their time or in the start of the system under which they were made."""
    with closing(db.stream(BY_START, (unit,))) as rows:
        return sum(_different_times(row[1:] for row in of_start) for _, of_start in groupby(rows, key=itemgetter(0)))


def _different_times(rows: Iterable[tuple[int, bytes]]) -> int:
    return sum(1 for _ in groupby(point.t_ms for point in _in_time(rows)))


def _in_time(rows: Iterable[tuple[int, bytes]]) -> Iterator[TrackPoint]:
    """The fixes of rows that come in the order of their first times; rows may overlap. Holds no more than those that do."""
    waiting: list[tuple[int, int, TrackPoint]] = []
    came = 0
    for first_ms, payload in rows:
        while waiting and waiting[0][0] < first_ms:
            yield heapq.heappop(waiting)[2]
        for point in points_of(payload):
            heapq.heappush(waiting, (point.t_ms, came, point))
            came += 1
    while waiting:
        yield heapq.heappop(waiting)[2]


def _differ(one: TrackPoint, other: TrackPoint) -> bool:
    return msgspec.structs.astuple(one)[:4] != msgspec.structs.astuple(other)[:4]
