"""A figure, what it means, and the round of measuring that gives it."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec


class Told(msgspec.Struct, frozen=True):
    """What a figure is called, its unit, and what was measured."""

    name: str
    unit: str
    told: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured figure."""

    name: str
    unit: str
    median: float
    least: float
    most: float
    told: str


class Round(msgspec.Struct, frozen=True):
    """What is measured together: `ask` gets an empty folder and a seed, and answers each figure by its name."""

    name: str
    figures: tuple[Told, ...]
    ask: Callable[[Path, int], Mapping[str, float]]
    times: int = 3  # a single one spreads within itself: its percentiles say how

    def measure(self, done: Callable[[], None]) -> list[Figure]:
        """Ask as often as the round says; `done` is called after each time."""
        answers = [self._once(seed, done) for seed in range(1, self.times + 1)]
        return [_figure(told, [answer[told.name] for answer in answers]) for told in self.figures]

    def _once(self, seed: int, done: Callable[[], None]) -> Mapping[str, float]:
        with tempfile.TemporaryDirectory(prefix="roadproof-bench-") as folder:
            answer = self.ask(Path(folder), seed)
        done()
        return answer


def _figure(told: Told, values: list[float]) -> Figure:
    return Figure(name=told.name, unit=told.unit, told=told.told, median=statistics.median(values), least=min(values), most=max(values))


def p50(values: list[float]) -> float:
    """The value that half of them do not exceed."""
    return statistics.median(values)


def p95(values: list[float]) -> float:
    """The value that 19 in 20 of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
