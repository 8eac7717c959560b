"""What stands for numbers whose records are gone."""

from __future__ import annotations

from collections.abc import Callable

from firmware.journal import pressure
from firmware.journal.numbers import Numbers
from firmware.journal.pressure import Tombstone
from firmware.journal.row import Row, Series
from mqtt import topics

UNKNOWN_BOOT = "000000"


class Markers:
    """Makes them under the journal's name, dated with the unit's clock."""

    def __init__(self, numbers: Numbers, utc_ms: Callable[[], int], tombstone: Tombstone) -> None:
        self._numbers = numbers
        self._utc_ms = utc_ms
        self._tombstone_of = tombstone

    def tombstone(self, number: int, span: int, reason: str) -> bytes:
        """The payload of an event that accounts for others."""
        return self._tombstone_of(self._numbers.log, number, span, reason)

    def row(self, series: Series, number: int, span: int, reason: str, boot: str = UNKNOWN_BOOT) -> Row:
        """A row that accounts for the numbers: an event that says why, or a part of the track without fixes."""
        kind = topics.EVENT.kind if series is Series.SEQ else topics.TRACK.kind
        payload = self.tombstone(number, span, reason) if series is Series.SEQ else pressure.encode_points([])
        level = pressure.SPARSE_LEVEL
        return Row(number=number, span=span, kind=kind, boot=boot, made_ms=self._utc_ms(), level=level, payload=payload)
