"""Wait for what must come true, with a deadline instead of a guess."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def eventually(ask: Callable[[], Answer], within_s: float = 15.0) -> Answer:
    """The first true answer; AssertionError with the last one when none came in time."""
    until_s = time.monotonic() + within_s
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > until_s:
            raise AssertionError(f"it did not come true within {within_s:.0f} s; the last answer was {answer!r}")
        time.sleep(0.02)
