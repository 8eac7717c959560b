"""When the live lane speaks: sparse by default, dense while somebody looks. Pure."""

from __future__ import annotations

LAST_EVERY_S = 900.0  # the retained position, and at an orderly end: who comes late sees a live one within a minute of a drive


class LiveSchedule:
    """Decides when the next live position is due. Times are monotonic seconds."""

    def __init__(self, *, moving_s: float, parked_s: float) -> None:
        self._moving_s = moving_s
        self._parked_s = parked_s
        self._sent_s: float | None = None
        self._last_sent_s: float | None = None
        self._watched_until_s = 0.0
        self._watch_every_s = 0.0
        self._at_once = True

    def hurry(self) -> None:
        """The next look sends: a new connection. An event carries its own place and needs none."""
        self._at_once = True

    def watch(self, now_s: float, every_s: float, for_s: float) -> None:
        """Somebody looks for a while."""
        self._watch_every_s = every_s
        self._watched_until_s = now_s + for_s

    def due(self, now_s: float, *, moving: bool) -> bool:
        """Whether to send now; if so, it counts as sent."""
        if self.due_in_s(now_s, moving=moving) > 0:
            return False
        self._at_once = False
        self._sent_s = now_s
        return True

    def due_in_s(self, now_s: float, *, moving: bool) -> float:
        """How long until one is due; 0 and less: now."""
        if self._at_once or self._sent_s is None:
            return 0.0
        every_s = self._watch_every_s if now_s < self._watched_until_s else self._moving_s if moving else self._parked_s
        return self._sent_s + every_s - now_s

    def last_due(self, now_s: float) -> bool:
        """Whether the retained position may be renewed with this one; if so, it counts as renewed."""
        if self._last_sent_s is None or now_s - self._last_sent_s >= LAST_EVERY_S:
            self._last_sent_s = now_s
            return True
        return False
