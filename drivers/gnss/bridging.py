"""Small gaps that a lost sentence leaves: the speed of one epoch, the date of the first ones."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from drivers.gnss.calendar import step_s

if TYPE_CHECKING:
    from drivers.gnss.fix import Epoch
    from drivers.gnss.sentences import Rmc, Vtg

SPEED_LASTS_S = 2.5  # two lost sentences at 1 Hz
ACCELERATION_LASTS_S = 0.25  # at 4 Hz and more an acceleration goes on from epoch to epoch; at 1 Hz it is noise
STRONGEST_MPS2 = 15.0  # no road vehicle gains or loses more, a crash aside
SPEED_NOISE_MPS = 5.0
UNDATED_KEPT = 5


class Motion:
    """Speed and course of each epoch; bridges those that the line lost or damaged."""

    def __init__(self) -> None:
        self._last: tuple[float, Rmc | Vtg] | None = None
        self._gain_mps2 = 0.0
        self._doubted = False

    def at(self, tod_s: float, said: Rmc | Vtg | None) -> tuple[float | None, float | None, float]:
        """Return speed, course, and their age in seconds: more than 0 where they are bridged.

        A speed that no road vehicle can have reached is believed when the next epoch says so again.
        """
        age_s = step_s(self._last[0], tod_s) if self._last else 0.0
        fresh = 0 < age_s <= SPEED_LASTS_S
        if said is None or said.speed_mps is None or (fresh and self._is_doubtful(said.speed_mps, age_s)):
            return self._bridged(age_s) if fresh else (None, None, 0.0)
        self._gain_mps2 = (said.speed_mps - self._last_mps) / age_s if 0 < age_s <= ACCELERATION_LASTS_S else 0.0
        self._last, self._doubted = (tod_s, said), False
        return said.speed_mps, said.course_deg, 0.0

    @property
    def _last_mps(self) -> float:
        return (self._last[1].speed_mps or 0.0) if self._last else 0.0

    def _is_doubtful(self, speed_mps: float, age_s: float) -> bool:
        if self._doubted or abs(speed_mps - self._last_mps) <= SPEED_NOISE_MPS + STRONGEST_MPS2 * age_s:
            return False
        self._doubted = True
        return True

    def _bridged(self, age_s: float) -> tuple[float | None, float | None, float]:
        gain_mps = self._gain_mps2 * min(age_s, ACCELERATION_LASTS_S)
        return max(0.0, self._last_mps + gain_mps), self._last[1].course_deg if self._last else None, age_s


class UndatedEpochs:
    """Keeps the first epochs back until a date arrives, so that a lost RMC does not cost them theirs."""

    def __init__(self) -> None:
        self._kept: list[tuple[Epoch, float]] = []

    def dated(self, epoch: Epoch, tod_s: float | None) -> list[Epoch]:
        """Return what can go out now that this epoch, of this time of day, is complete."""
        if epoch.at is None and epoch.lat_deg is not None and tod_s is not None:
            self._kept.append((epoch, tod_s))
            return [self._kept.pop(0)[0]] if len(self._kept) > UNDATED_KEPT else []
        if epoch.at is None or tod_s is None:
            return [*self.release(), epoch]
        kept, self._kept = self._kept, []
        return [*(_completed(before, step_s(before_tod_s, tod_s), epoch) for before, before_tod_s in kept), epoch]

    def release(self) -> list[Epoch]:
        """Return what was kept back, without dates."""
        kept, self._kept = self._kept, []
        return [epoch for epoch, _ in kept]


def _completed(before: Epoch, step: float, epoch: Epoch) -> Epoch:
    """Return an earlier epoch with the date, and if it has none the speed, of one that came `step` seconds later."""
    assert epoch.at is not None
    completed = msgspec.structs.replace(before, at=epoch.at - timedelta(microseconds=round(step * 1e6)), offset_bytes=epoch.offset_bytes)
    if before.speed_mps is None and 0 < step <= SPEED_LASTS_S:
        return msgspec.structs.replace(completed, speed_mps=epoch.speed_mps, course_deg=epoch.course_deg, speed_age_s=-step)
    return completed
