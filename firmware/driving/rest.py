"""When the box switches itself off: the key was turned long ago, or the vehicle's power is gone. Pure."""

from __future__ import annotations

from enum import StrEnum

SUPPLY_LOST_S = 2.0  # cranking pulls the battery down for less; the hold-up supply lasts for 5 s or more (hardware/bom.md)


class Reason(StrEnum):
    """Why it goes off."""

    IGNITION = "ignition"
    SUPPLY = "supply"


class Rest:
    """Decides it, look by look. Times are seconds of one clock that never steps.

    `stay_on_s`: how long it stays on after the key is turned off, and how long it then waits for a proof that is not finished.
    """

    def __init__(self, stay_on_s: float) -> None:
        self.off_s = 0.0  # for how long what decided has lasted
        self._stay_on_s = stay_on_s
        self._still_since_s: float | None = None
        self._lost_since_s: float | None = None
        self._was_fed = False

    def update(
        self, now_s: float, *, ignition: bool | None, supply_good: bool | None, moving: bool = False, proving: bool = False
    ) -> Reason | None:
        """Why to switch off now, None to stay on. An unknown line, None, never switches off.

        A vehicle that moves has its key turned, whatever the line says: a broken wire reads as off. For the same reason a lost supply
        counts only after it was seen good: a box without that wire would switch itself off at every start.
        """
        still = ignition is False and not moving
        self._still_since_s = _since(self._still_since_s, now_s, lasts=still)
        self._was_fed = self._was_fed or supply_good is True
        self._lost_since_s = _since(self._lost_since_s, now_s, lasts=self._was_fed and supply_good is False)
        if self._lost_since_s is not None and now_s - self._lost_since_s >= SUPPLY_LOST_S:
            self.off_s = now_s - self._lost_since_s
            return Reason.SUPPLY
        if self._still_since_s is None:
            return None
        self.off_s = now_s - self._still_since_s
        return Reason.IGNITION if self.off_s >= self._stay_on_s * (2 if proving else 1) else None


def _since(began_s: float | None, now_s: float, *, lasts: bool) -> float | None:
    if not lasts:
        return None
    return now_s if began_s is None else began_s
