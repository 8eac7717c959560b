"""What gives way when the journal nears its quota: first what was receipted, then every second old fix, proofs never.

Each step is one small transaction: a full card cannot take a large one. Every record that goes is counted, and its numbers stay
accounted for: the rows that remain span them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import msgspec

from firmware.journal.row import COLUMNS, PLACES, Row, Series, checked, values
from mqtt import codec, topics
from mqtt.codec import TrackPoint

THIN_AT = 0.70  # of the quota: old fixes lose every second one
SPARSE_AT = 0.85  # one fix in five minutes remains
STOP_AT = 0.95  # new fixes are refused, events go oldest first
OLD_MS = 24 * 3_600_000
EVENT_KEEP_MS = 30 * OLD_MS
ANY_AGE_MS = 2**62  # also what a wrong clock dated into the future
SPARSE_MS = 300_000
SPARSE_LEVEL = 9
ROWS_A_STEP = 50
POINTS_A_ROW = 300

Tombstone = Callable[
    [str, int, int, str], bytes
]  # the journal's name, first number, span, reason -> the payload of an event that accounts for them


class Dropped(msgspec.Struct):
    """How many records went under pressure since the journal was made."""

    seq: int = 0
    tseq: int = 0
    refused: int = 0  # fixes that got no number because the journal was full


def columns_of(row: Row) -> codec.Columns:
    """The fixes of a row of the track, as it keeps them."""
    return msgspec.json.decode(row.payload, type=codec.Columns)


def decode_points(row: Row) -> list[TrackPoint]:
    """The same as points."""
    return codec.from_columns(columns_of(row))


def encode_points(points: Sequence[TrackPoint]) -> bytes:
    """Fixes as a row keeps them."""
    return msgspec.json.encode(codec.to_columns(points))


def relieve(connection: sqlite3.Connection, used: float, now_ms: int, tombstone: Callable[[int, int, str], bytes]) -> Dropped | None:
    """Take one step; what it dropped, None when nothing is left to take. Runs inside the caller's transaction."""
    if used >= STOP_AT:
        return _thin(connection, ANY_AGE_MS, SPARSE_LEVEL) or _drop_events(connection, ANY_AGE_MS, tombstone)
    if used >= SPARSE_AT:
        return _thin(connection, now_ms - OLD_MS, SPARSE_LEVEL) or _thin(connection, ANY_AGE_MS, SPARSE_LEVEL)
    if used >= THIN_AT:
        levels = (_thin(connection, now_ms - OLD_MS, level) for level in range(1, SPARSE_LEVEL))
        return next((step for step in levels if step), None) or _drop_events(connection, now_ms - EVENT_KEEP_MS, tombstone)
    return None


def _thin(connection: sqlite3.Connection, before_ms: int, level: int) -> Dropped | None:
    """Bring the oldest rows below a level to it: neighbours become one row that spans all their numbers."""
    table = Series.TSEQ.table
    found = connection.execute(
        f"SELECT {COLUMNS}, hash FROM {table} WHERE level < ? AND made_ms < ?"  # noqa: S608
        f" AND number < (SELECT max(number) FROM {table}) ORDER BY number LIMIT {ROWS_A_STEP}",
        (level, before_ms),
    ).fetchall()
    rows = [row for row, good in map(checked, found) if good]  # a damaged row is set aside when it is read for sending
    dropped = 0
    for group in _neighbours(rows):
        points = [point for row in group for point in decode_points(row)]
        kept = _every_five_minutes(points) if level == SPARSE_LEVEL else points[::2]
        dropped += len(points) - len(kept)
        connection.execute(f"DELETE FROM {table} WHERE number BETWEEN ? AND ?", (group[0].number, group[-1].number))  # noqa: S608
        merged = msgspec.structs.replace(
            group[0], span=group[-1].last - group[0].number + 1, level=level, payload=encode_points(kept), made_ms=group[-1].made_ms
        )
        connection.execute(f"INSERT INTO {table} VALUES ({PLACES})", values(merged))  # noqa: S608
    return Dropped(tseq=dropped) if rows else None


def _neighbours(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Runs of rows of one boot without a number between them, each small enough to be one row."""
    group: list[Row] = []
    for row in rows:
        apart = group and (row.boot != group[-1].boot or row.number != group[-1].last + 1)
        if apart or sum(kept.span for kept in group) + row.span > POINTS_A_ROW:
            if group:
                yield group
            group = []
        group.append(row)
    if group:
        yield group


def _every_five_minutes(points: Sequence[TrackPoint]) -> list[TrackPoint]:
    return [next(part) for _, part in groupby(points, key=lambda point: point.t_ms // SPARSE_MS)]


def _drop_events(connection: sqlite3.Connection, before_ms: int, tombstone: Callable[[int, int, str], bytes]) -> Dropped | None:
    """Replace the oldest run of events by one that accounts for them."""
    table = Series.SEQ.table
    run = _oldest_run(connection, before_ms)
    if not run:
        return None
    connection.execute(f"DELETE FROM {table} WHERE number BETWEEN ? AND ?", (run[0].number, run[-1].number))  # noqa: S608
    span = run[-1].last - run[0].number + 1
    payload = tombstone(run[0].number, span, "the journal is full")
    marker = msgspec.structs.replace(run[0], span=span, kind=topics.EVENT.kind, level=SPARSE_LEVEL, payload=payload)
    connection.execute(f"INSERT INTO {table} VALUES ({PLACES})", values(marker))  # noqa: S608
    return Dropped(seq=len(run))


def _oldest_run(connection: sqlite3.Connection, before_ms: int) -> list[Row]:
    """The oldest events without a number between them, at least two: a single one is as small as what would replace it."""
    table = Series.SEQ.table
    kinds = [channel.kind for channel in topics.CHANNELS if channel.keep is topics.Keep.KEEP]
    found = connection.execute(
        f"SELECT {COLUMNS}, hash FROM {table} WHERE made_ms < ? AND level < {SPARSE_LEVEL}"  # noqa: S608
        f" AND kind IN ({', '.join('?' for _ in kinds)}) AND number < (SELECT max(number) FROM {table}) ORDER BY number",
        (before_ms, *kinds),
    )
    run: list[Row] = []
    for row, good in map(checked, found):
        if run and (not good or row.number != run[-1].last + 1 or len(run) == ROWS_A_STEP):
            if len(run) > 1:
                break
            run = []
        if good:
            run.append(row)
    found.close()
    return run if len(run) > 1 else []
