"""Do the wheels turn: the receiver's Doppler speed with hysteresis. Pure."""

from __future__ import annotations

MOVING_MPS = 1.4  # walking pace; a parked receiver's Doppler noise stays under it
MOVING_AFTER_S = 0.5  # one fast fix is noise; the next one, at 1 Hz, is motion, even when its line came late or early
STILL_MPS = 0.5  # what is left of a Doppler speed when nothing turns
STILL_AFTER_S = 3.0  # longer than a gear change on a hill
GAP_S = 5.0  # without a fix: a bridge is shorter, a tunnel longer
WANDER_M = 50.0  # between tall houses, and in its first seconds, a parked receiver errs this far


class Motion:
    """Whether the wheels turn, and since when. Times are seconds of any one clock."""

    def __init__(self, *, moving: bool = False) -> None:
        self.moving = moving
        self.since_s: float | None = None  # the first fix that showed it; None before the first change
        self._at_s: float | None = None
        self._fast_s: float | None = None
        self._slow_s: float | None = None

    def update(self, at_s: float, speed_mps: float) -> None:
        """Advance by one speed."""
        elapsed_s = 0.0 if self._at_s is None else at_s - self._at_s
        if not 0 <= elapsed_s <= GAP_S:
            self._fast_s = None
        if elapsed_s < 0:
            self._slow_s = None
        self._at_s = at_s
        self._fast_s = _since(self._fast_s, at_s, holds=speed_mps >= MOVING_MPS)
        self._slow_s = _since(self._slow_s, at_s, holds=speed_mps < STILL_MPS)
        if self.moving and self._slow_s is not None and at_s - self._slow_s >= STILL_AFTER_S:
            self.moving, self.since_s = False, self._slow_s
        elif not self.moving and self._fast_s is not None and at_s - self._fast_s >= MOVING_AFTER_S:
            self.moving, self.since_s = True, self._fast_s


def _since(before_s: float | None, at_s: float, *, holds: bool) -> float | None:
    if not holds:
        return None
    return at_s if before_s is None else before_s
