"""How a harm is watched while it is done, and told at its end."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.faults.tally import Tally
from cli.faults.typed import typed

Harm = Callable[[argparse.Namespace, Progress], Tally]


def run(harm: Harm, arguments: argparse.Namespace) -> int:
    """Do it with a bar on stderr; its tally as a line of JSON on stdout; 1 when anything in it must not be."""
    with ended_in_order(), quiet(), progress(shown=not arguments.json) as bars:
        tally = harm(arguments, bars)
    tally.command = typed(arguments, tally.seed)
    print(msgspec.json.encode(tally).decode(), flush=True)
    for line in tally.examples:
        print(f"roadproof: {line}", file=sys.stderr)
    if not arguments.json:
        print(f"roadproof: {tally.verdict}", file=sys.stderr)
    return int(not tally.is_clean)


def progress(*, shown: bool) -> Progress:
    """A bar that says what is done now, how much of it, and how long it still takes."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not shown)


@contextmanager
def quiet() -> Iterator[None]:
    """A harm makes the unit say the same thing thousands of times in its log: not here."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """SIGTERM, and the end of the terminal, end what is in the `with` as Ctrl-C does: what was started and mounted goes with it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    ours = [number for number, handler in before.items() if handler is signal.SIG_DFL]  # nohup has the hang-up ignored
    for number in ours:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough: the clearing away is not to be ended in its middle
    sys.exit(128 + number)
