"""What of the recorded fixes goes out: the simplified track, and parked a heart-beat. The unit itself keeps every fix. Pure.

A batch is sifted as it is sent, so a power cut costs nothing of the track: the fixes are in the journal, whatever was decided of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from firmware.driving.motion import Motion
from firmware.driving.simplify import Simplifier
from mqtt import codec
from mqtt.codec import Columns, TrackPoint

PARKED_AFTER_S = 180.0  # longer than a traffic light


class Sieve:
    """Sifts batches in the order of their numbers; a batch out of order is sifted by itself."""

    def __init__(self, bound_m: float) -> None:
        self._bound_m = bound_m
        self._next_tseq = 0
        self._begin()

    def sift(self, parts: Sequence[Columns]) -> Columns:
        """The columns of one message from those of its rows; its numbers are accounted for by the message, whatever is left out."""
        if self._bound_m <= 0:
            return codec.join(parts)
        points = [point for part in parts for point in codec.from_columns(part)]
        if not points:
            return codec.to_columns([])
        if points[0].tseq != self._next_tseq:
            self._begin()
        self._next_tseq = points[-1].tseq + 1
        kept = [kept for point in points for kept in self._simplifier.update(point, parked=self._is_parked(point))]
        return codec.to_columns([*kept, *self._simplifier.flush()])

    def _begin(self) -> None:
        self._simplifier = Simplifier(self._bound_m)
        self._motion = Motion()
        self._moved_s: float | None = None

    def _is_parked(self, point: TrackPoint) -> bool:
        at_s = point.t_ms / 1000
        if point.speed_cms is not None:
            self._motion.update(at_s, point.speed_cms / 100)
        if self._motion.moving or self._moved_s is None or at_s < self._moved_s:
            self._moved_s = at_s
        return at_s - self._moved_s >= PARKED_AFTER_S
