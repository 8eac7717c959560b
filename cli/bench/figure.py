"""A figure, what it means and has to be, and the round of measuring that gives it."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec


class Verdict(StrEnum):
    """What became of a target."""

    MET = "met"  # by every run
    MET_BY_MEDIAN = "met by the median, not by every run"
    SHORT = "falls short"


class Target(msgspec.Struct, frozen=True):
    """What a figure has to be: this much at most, or at least."""

    limit: float
    at_most: bool = True
    cause: str = ""  # of a figure that falls short, where a profiler has told it

    def __str__(self) -> str:
        """≤ 15."""
        return f"{'≤' if self.at_most else '≥'} {text(self.limit)}"

    def verdict(self, median: float, least: float, most: float) -> Verdict:
        """Of such a figure."""
        if not self._allows(median):
            return Verdict.SHORT
        return Verdict.MET if self._allows(least) and self._allows(most) else Verdict.MET_BY_MEDIAN

    def _allows(self, value: float) -> bool:
        return value <= self.limit if self.at_most else value >= self.limit


def at_most(limit: float, cause: str = "") -> Target:
    """No more than that."""
    return Target(limit, at_most=True, cause=cause)


def at_least(limit: float, cause: str = "") -> Target:
    """No less than that."""
    return Target(limit, at_most=False, cause=cause)


class Told(msgspec.Struct, frozen=True):
    """What a figure is called, its unit, what was measured, and what it has to be."""

    name: str
    unit: str
    told: str
    target: Target | None = None


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured figure."""

    part: str = ""  # of the bench
    name: str
    unit: str
    median: float
    least: float
    most: float
    told: str
    times: int = 1  # that it was measured
    target: Target | None = None
    verdict: Verdict | None = None  # None: nothing was promised

    @property
    def spread(self) -> str:
        """From its least to its most, for people; empty where there is none."""
        least, most = text(self.least), text(self.most)
        return "" if least == most else f"{least} to {most}"


class Round(msgspec.Struct, frozen=True):
    """What is measured together: `ask` gets an empty folder and a seed, and answers each figure by its name.

    It raises UsageError, in a sentence, where this machine or this user cannot measure it.
    """

    name: str
    figures: tuple[Told, ...]
    ask: Callable[[Path, int], Mapping[str, float]]
    times: int = 3  # a single one spreads within itself: its percentiles say how

    def measure(self, done: Callable[[], None]) -> list[Figure]:
        """Ask as often as the round says; `done` is called after each time."""
        answers = [self._once(seed, done) for seed in range(1, self.times + 1)]
        return [figure(told, [answer[told.name] for answer in answers], self.name) for told in self.figures]

    def _once(self, seed: int, done: Callable[[], None]) -> Mapping[str, float]:
        with tempfile.TemporaryDirectory(prefix="roadproof-bench-") as folder:
            answer = self.ask(Path(folder), seed)
        done()
        return answer


def figure(told: Told, values: list[float], part: str = "") -> Figure:
    """What these runs say."""
    median, least, most = statistics.median(values), min(values), max(values)
    return Figure(
        part=part,
        name=told.name,
        unit=told.unit,
        told=told.told,
        median=median,
        least=least,
        most=most,
        times=len(values),
        target=told.target,
        verdict=told.target.verdict(median, least, most) if told.target else None,
    )


def text(value: float) -> str:
    """A value for people: three figures are all that a shared machine repeats."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004  the three figures


def p50(values: list[float]) -> float:
    """The value that half of them do not exceed."""
    return statistics.median(values)


def p95(values: list[float]) -> float:
    """The value that 19 in 20 of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
