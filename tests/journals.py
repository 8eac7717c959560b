"""Real journals for the tests, and what must always hold of one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from firmware.journal import Draft, Journal, Series
from firmware.journal.look import JournalLook
from firmware.journal.pressure import decode_points
from mqtt.codec import TrackPoint
from mqtt.ranges import Ranges, Span

BOOT = "0a1b2c3d4e5f"
START_MS = 1_797_000_000_000  # December 2026
DAY_MS = 86_400_000


class Now:
    """The journal's clock, with hands."""

    def __init__(self, at_ms: int = START_MS) -> None:
        self.at_ms = at_ms

    def __call__(self) -> int:
        return self.at_ms


def tombstone(log: str, number: int, span: int, reason: str) -> bytes:
    return json.dumps({"log": log, "seq": number, "span": span, "event": "storage.dropped", "data": {"reason": reason}}).encode()


def open_journal(folder: Path, now: Now | None = None, *, quota_bytes: int = 50_000_000, keep_ms: int = 0) -> Journal:
    return Journal(folder / "journal.db", quota_bytes=quota_bytes, keep_ms=keep_ms, utc_ms=now or Now(), tombstone=tombstone)


def event(name: str = "ignition.on", log: str = "", filling: int = 0) -> Draft:
    return Draft("event", lambda number: json.dumps({"log": log, "seq": number, "event": name, "data": {"x": "x" * filling}}).encode())


def proof(size: int = 2_000) -> Draft:
    return Draft("pod", lambda number: b"pod %d " % number + b"p" * size)


def points(count: int, first_ms: int = START_MS, every_ms: int = 1_000) -> list[TrackPoint]:
    """A drive: a fix a second."""
    return [
        TrackPoint(tseq=0, t_ms=first_ms + n * every_ms, lat_e7=510_543_210 + 83 * n + n % 7, lon_e7=37_250_000 + 121 * n + n % 11,
                   alt_m=8 + n % 3, speed_cms=1_388 + n % 40, course_cdeg=4_512 + n % 90, sats=11, hdop_e1=8)
        for n in range(count)
    ]  # fmt: skip


def spans_of_rows(folder: Path, series: Series) -> list[Span]:
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        rows: Iterable[Span] = db.execute(f"SELECT number, number + span - 1 FROM {series.table} ORDER BY number").fetchall()  # noqa: S608
        return list(rows)


def unaccounted(folder: Path, journal: Journal, series: Series) -> list[Span]:
    """Numbers that were issued, are not receipted, and that no row accounts for."""
    known = journal.receipted(series)
    for first, last in spans_of_rows(folder, series):
        known.add(first, last)
    return known.missing(1, journal.issued(series))


def overlapping(spans: list[Span]) -> list[tuple[Span, Span]]:
    return [(a, b) for a, b in pairwise(spans) if b[0] <= a[1]]


def fixes_on_card(folder: Path) -> list[TrackPoint]:
    with JournalLook(folder / "journal.db") as look:
        return [point for row, good in look.rows() if good and row.kind == "track" for point in decode_points(row)]


def everything_waiting(journal: Journal, series: Series) -> list[Span]:
    """What the uplink would send until nothing is left, as it asks for it."""
    sent = Ranges()
    while rows := journal.waiting(series, sent, 300):
        for row in rows:
            sent.add(row.number, row.last)
    return list(sent)
