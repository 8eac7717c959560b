"""The figures of a bench, measured and shown."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cli import mosquitto
from cli.bench.figure import Figure, Round
from cli.bench.rounds import ROUNDS
from cli.errors import UsageError

PAGE = """# Figures

Measured by `./roadproof bench --markdown > docs/figures.md` on a shared {machine} machine with {processors} processors, not on a
Raspberry Pi; median and spread of runs with different drives of the virtual van, where there is a spread. Read the ratios: rates
differ between machines. What else this machine had to do: the last line.

| figure | median | spread | unit | what was measured |
|---|---|---|---|---|
{rows}

How soon the page answers a tap is measured in a real browser: `python -m tests.browser.figures`.
Not measured here: anything on a real Raspberry Pi, its card or a mobile network.
"""


def run(arguments: argparse.Namespace) -> int:
    """Measure; show medians and spreads."""
    if not mosquitto.program():
        raise UsageError("the bench needs a broker; install it with: sudo apt-get install mosquitto")
    figures = measured([part for part in ROUNDS if arguments.only in {None, part.name}])
    if arguments.json:
        print(msgspec.json.encode(figures).decode())
        return 0
    if arguments.markdown:
        print(page(figures), end="")
        return 0
    view = Table("figure", "median", "spread", "unit", "what was measured")
    for figure in figures:
        view.add_row(figure.name, _text(figure.median), _spread(figure), figure.unit, figure.told)
    Console().print(view)
    return 0


def measured(parts: Sequence[Round]) -> list[Figure]:
    """Their figures; the last one says what else this machine had to do."""
    figures, loads = list[Figure](), [os.getloadavg()[0]]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=sum(part.times for part in parts))
        for part in parts:
            figures += part.measure(lambda: progress.advance(task))
            loads.append(os.getloadavg()[0])
    told = "load average of a minute before it began, and the range of it up to the end; our own work is in the latter"
    return [*figures, Figure(name="load", unit="processes", median=loads[0], least=min(loads), most=max(loads), told=told)]


def page(figures: Sequence[Figure]) -> str:
    """The figures as docs/figures.md."""
    rows = [f"| {one.name} | {_text(one.median)} | {_spread(one)} | {one.unit} | {one.told} |" for one in figures]
    return PAGE.format(processors=os.cpu_count(), machine=platform.machine(), rows="\n".join(rows))


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004  three figures are all that a shared machine repeats


def _spread(figure: Figure) -> str:
    return "" if figure.least == figure.most else f"{_text(figure.least)} to {_text(figure.most)}"
