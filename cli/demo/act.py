"""One thing that happens in the demo, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from cli.demo.stage import Stage


def nothing(_: Stage) -> None:
    """Nothing happens to the van."""


class Act(msgspec.Struct, frozen=True):
    """One thing that happens."""

    part: float  # of the whole time, 0 to 1
    name: str
    told: str
    do: Callable[[Stage], None] = nothing


class Watcher(Protocol):
    """Who is told."""

    def tell(self, act: Act) -> None:
        """An act begins."""

    def look(self, passed_s: float) -> None:
        """Time passed: draw again."""
