"""What a bench found out: the figures, what it could not measure, and where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from cli.bench.figure import Figure, Verdict
from cli.bench.machine import Machine
from cli.errors import UsageError


class LeftOut(msgspec.Struct, frozen=True):
    """A part that was not measured, and why: a sentence."""

    part: str
    why: str
    failed: bool = False  # it was tried and did not end well


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One bench. `loads` are load averages of a minute: before it began, and after each part."""

    day: str
    machine: Machine
    figures: list[Figure]
    left_out: list[LeftOut]
    loads: list[float]

    @property
    def promised(self) -> list[Figure]:
        """Those that have a target."""
        return [figure for figure in self.figures if figure.target]

    @property
    def short(self) -> list[Figure]:
        """Those that do not keep it."""
        return [figure for figure in self.figures if figure.verdict == Verdict.SHORT]

    def of(self, name: str) -> Figure | None:
        """The figure of this name; None where it was not measured."""
        return next((figure for figure in self.figures if figure.name == name), None)


def read(paths: Sequence[Path]) -> Result:
    """Earlier results as one: of a figure that was measured twice the later counts; UsageError when a file holds none."""
    results = [_read(path) for path in paths]
    figures = {figure.name: figure for result in results for figure in result.figures}
    measured = {figure.part for figure in figures.values()}
    left_out = {one.part: one for result in results for one in result.left_out if one.part not in measured}
    return Result(
        day=max(result.day for result in results),
        machine=results[-1].machine,
        figures=list(figures.values()),
        left_out=list(left_out.values()),
        loads=[load for result in results for load in result.loads],
    )


def _read(path: Path) -> Result:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise UsageError(f"{path} is no result of a bench; make one with: roadproof bench --json > {path.name}") from None
