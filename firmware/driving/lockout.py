"""May the driver use the screen's keyboard, lists and camera: not while the vehicle moves. Pure."""

from __future__ import annotations

MOVING_MPS = 8 / 3.6  # faster than the yard's walking pace
MOVING_AFTER_S = 2.0  # one wild fix does not take the screen away
STOPPED_MPS = 3 / 3.6
STOPPED_AFTER_S = 3.0  # longer than a pause in stop-and-go
BLIND_AFTER_S = 5.0  # without a speed for so long the receiver tells nothing; ignition and shaking do


class Lockout:
    """Times are seconds of one clock that never steps. `moving` is None while nothing at all tells."""

    def __init__(self) -> None:
        self.moving: bool | None = None
        self._speed_s: float | None = None  # when the newest speed came
        self._fast_s: float | None = None  # fast since then
        self._slow_s: float | None = None

    def update(self, at_s: float, speed_mps: float | None, *, ignition_on: bool | None = None, shaking: bool | None = None) -> bool | None:
        """Advance by one look: speed None without a fix, ignition None where it is not wired, shaking None without an IMU."""
        if speed_mps is not None:
            self._take(at_s, speed_mps)
        elif self._speed_s is None or at_s - self._speed_s > BLIND_AFTER_S:
            self._fast_s = self._slow_s = None
            self.moving = self._without_speed(ignition_on, shaking)
        return self.moving

    def _take(self, at_s: float, speed_mps: float) -> None:
        if self._speed_s is None or at_s - self._speed_s > BLIND_AFTER_S:
            self._fast_s = self._slow_s = None
        self._speed_s = at_s
        self._fast_s = _since(self._fast_s, at_s, holds=speed_mps > MOVING_MPS)
        self._slow_s = _since(self._slow_s, at_s, holds=speed_mps < STOPPED_MPS)
        if self._fast_s is not None and at_s - self._fast_s >= MOVING_AFTER_S:
            self.moving = True
        elif self._slow_s is not None and at_s - self._slow_s >= STOPPED_AFTER_S:
            self.moving = False

    def _without_speed(self, ignition_on: bool | None, shaking: bool | None) -> bool | None:
        """With the engine off nothing drives; with it on, only an IMU at rest says that the vehicle stands."""
        if ignition_on is False:
            return False
        if shaking is not None:
            return shaking
        return True if ignition_on else self.moving


def _since(before_s: float | None, at_s: float, *, holds: bool) -> float | None:
    if not holds:
        return None
    return at_s if before_s is None else before_s
