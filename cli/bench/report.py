"""A bench: measured, or read again, and shown."""

from __future__ import annotations

import argparse
import os
import queue
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli import mosquitto
from cli.bench import machine, page, result
from cli.bench.figure import Figure, Round, Verdict, text
from cli.bench.result import LeftOut, Result
from cli.bench.rounds import ROUNDS
from cli.errors import UsageError

# What ends a part on a machine that is too slow, or lacks something: the others are measured all the same.
FAILURES = (TimeoutError, queue.Empty, OSError, subprocess.SubprocessError)


def run(arguments: argparse.Namespace) -> int:
    """Measure, or read again; show. 1 when a part that could be measured was not."""
    if arguments.markdown:
        _require_folder(arguments.markdown)
    if arguments.times < 1:
        raise UsageError("--times must be 1 at least")
    if arguments.parts and arguments.results:
        raise UsageError(f"--from measures nothing: leave out {' '.join(arguments.parts)}, or leave out --from")
    told = result.read(arguments.results) if arguments.results else _bench(arguments.parts, arguments.times)
    if arguments.json:
        print(msgspec.json.encode(told).decode())
    elif arguments.markdown:
        page.write(arguments.markdown, told)
    else:
        _show(told)
    for one in told.left_out:
        print(f"roadproof: {one.part} was left out: {one.why}", file=sys.stderr)
    return int(any(one.failed for one in told.left_out))


def _require_folder(path: Path) -> None:
    """An hour's figures need a place."""
    if not path.resolve().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}; name the page that is to be written: --markdown FILE")


def _bench(only: Sequence[str], times: int) -> Result:
    if not mosquitto.program():
        raise UsageError("the bench needs a broker; install it with: sudo apt-get install mosquitto")
    told = measured([part for part in ROUNDS if part.name in only or not only], times)
    if not told.figures:
        raise UsageError("; ".join(one.why for one in told.left_out))
    return told


def measured(parts: Sequence[Round], times: int) -> Result:
    """Each part, so many times at most; what cannot be measured here is left out, with its sentence."""
    rounds = [msgspec.structs.replace(part, times=min(part.times, times)) for part in parts]
    figures, left_out, loads = list[Figure](), list[LeftOut](), [os.getloadavg()[0]]
    with _progress() as progress:
        task = progress.add_task("", total=sum(part.times for part in rounds))
        before = 0
        for part in rounds:
            progress.update(task, description=part.name)
            try:
                figures += part.measure(lambda: progress.advance(task))
            except UsageError as error:
                left_out.append(LeftOut(part.name, str(error)))
            except FAILURES as error:
                left_out.append(LeftOut(part.name, f"it failed: {str(error) or type(error).__name__}", failed=True))
            before += part.times
            progress.update(task, completed=before)
            loads.append(os.getloadavg()[0])
    return Result(day=f"{datetime.now(UTC):%Y-%m-%d}", machine=machine.this(), figures=figures, left_out=left_out, loads=loads)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _show(told: Result) -> None:
    view = Table("figure", "median", "spread", "unit", "target", "what was measured")
    for figure in told.figures:
        view.add_row(figure.name, text(figure.median), figure.spread, figure.unit, _target(figure), figure.told)
    console = Console()
    console.print(view)
    console.print(page.sentence(told))


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    told = f"{figure.target} {figure.verdict}"
    return f"[bold red]{told}[/]" if figure.verdict == Verdict.SHORT else told
