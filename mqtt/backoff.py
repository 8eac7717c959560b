"""Waiting longer after each failure, with full jitter, so that a fleet that lost its broker does not come back as one. Pure."""

from __future__ import annotations

import random


class Backoff:
    """Times between attempts: a random part of a limit that doubles from `first_s` to `longest_s`."""

    def __init__(self, *, first_s: float, longest_s: float, chance: random.Random | None = None) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._chance = chance or random.Random()  # noqa: S311  jitter, not a secret
        self._limit_s = first_s

    def next_s(self) -> float:
        """Seconds to wait before the next attempt, at least a tenth of the first."""
        wait_s = self._chance.uniform(self._first_s / 10, self._limit_s)
        self._limit_s = min(self._limit_s * 2, self._longest_s)
        return wait_s

    def reset(self) -> None:
        """Start again from the first: something worked."""
        self._limit_s = self._first_s
