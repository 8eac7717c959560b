"""`roadproof bench`: what the road costs, measured on this machine; ratios where machines differ."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from cli import mosquitto
from cli.bench import measure, plugs
from cli.errors import UsageError
from cli.words import Commands, add

REPETITIONS = 3


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured figure."""

    name: str
    unit: str
    median: float
    least: float
    most: float
    told: str


class Question(msgspec.Struct, frozen=True):
    """One thing to measure."""

    name: str
    unit: str
    told: str
    ask: Callable[[Path, int], float]


def _payload(size: int) -> Callable[[Path, int], float]:
    return lambda _, seed: measure.payload_bytes_a_fix(size, seed)


QUESTIONS = (
    Question("payload", "bytes a fix", "up/track at 60 fixes a batch, a van in a town", _payload(60)),
    Question("payload, draining", "bytes a fix", "the same at 300 fixes a batch", _payload(300)),
    Question("journal", "bytes a fix", "in the database file, 1 Hz in commits of 10 s", measure.journal_bytes_a_fix),
    Question("offline", "days", "of 1 Hz, day and night, that 1 GB holds unthinned", measure.days_in_a_gigabyte),
    Question("drain", "fixes/s", "60,000 fixes: journal, broker, receiver's commit, receipt", measure.drain_rate),
    Question("drain, ratio", "x", "the same against a bare paho loop: batches packed before, nobody stores", measure.drain_ratio),
    Question("live after reconnect", "s", "from connecting to the live position on air, 50,000 fixes wait", measure.live_after_connect_s),
    Question("unplug seen", "s", "from the receiver's pulled plug to the status that says so", plugs.unplug_seen_s),
    Question("fix after replug", "s", "from the plug put in again to the status with a fix, a receiver of 1 Hz", plugs.fix_after_replug_s),
)


PAGE = """# Figures

Measured by `./roadproof bench --markdown > docs/figures.md` on a shared {machine} machine with {processors} processors, not on a
Raspberry Pi; median and spread of {repetitions} runs with different drives of the virtual van. Read the ratios: rates differ
between machines.

| figure | median | spread | unit | what was measured |
|---|---|---|---|---|
{rows}

Not measured here: anything on a real Raspberry Pi, its card or a mobile network.
"""


def add_commands(commands: Commands) -> None:
    """Add `bench`."""
    command = add(commands, "bench", run, "measure what a fix costs and how fast a backlog drains", "roadproof bench --json")
    command.add_argument("--json", action="store_true", help="for programs")
    command.add_argument("--markdown", action="store_true", help="the page docs/figures.md")


def run(arguments: argparse.Namespace) -> int:
    """Measure everything three times; show the median and the spread."""
    if not mosquitto.program():
        raise UsageError("the bench needs a broker; install it with: sudo apt-get install mosquitto")
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=len(QUESTIONS) * REPETITIONS)
        figures = [_ask(question, lambda: progress.advance(task)) for question in QUESTIONS]
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


def page(figures: list[Figure]) -> str:
    """The figures as docs/figures.md."""
    rows = [f"| {one.name} | {_text(one.median)} | {_spread(one)} | {one.unit} | {one.told} |" for one in figures]
    return PAGE.format(processors=os.cpu_count(), machine=platform.machine(), repetitions=REPETITIONS, rows="\n".join(rows))


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004  three figures are all that a shared machine repeats


def _spread(figure: Figure) -> str:
    return f"{_text(figure.least)} to {_text(figure.most)}"


def _ask(question: Question, done: Callable[[], None]) -> Figure:
    answers = []
    for seed in range(1, REPETITIONS + 1):
        with tempfile.TemporaryDirectory(prefix="roadproof-bench-") as folder:
            answers.append(question.ask(Path(folder), seed))
        done()
    return Figure(
        name=question.name, unit=question.unit, told=question.told, median=statistics.median(answers), least=min(answers), most=max(answers)
    )
