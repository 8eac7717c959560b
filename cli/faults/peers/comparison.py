"""Every fault done to every peer, and both columns told."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path

import msgspec
from rich.progress import Progress
from rich.table import Table

from cli.errors import UsageError
from cli.faults.peers import FAULTS, PEERS, broker, peer, thingsboard
from cli.faults.peers.peer import Kind
from cli.faults.peers.stage import Count
from cli.faults.peers.trials import TRIALS, Trial
from cli.faults.power import block
from cli.faults.power.block import DiskError
from cli.faults.scratch import kept_or_thrown
from cli.faults.tally import EXAMPLES, Tally

LEAST_RECORDS = 20


class Column(msgspec.Struct):
    """What became of one peer's records, by fault."""

    version: str
    counts: dict[str, Count] = msgspec.field(default_factory=dict)


def compared(arguments: argparse.Namespace, progress: Progress) -> Tally:
    """Do it; a peer or a fault that this machine cannot do is left out, and said."""
    if not 0 < arguments.part <= 1:
        raise UsageError("--part is above 0, and 1 at most: of the records of a full run")
    broker.installed()
    left_out = dict[str, str]()
    kinds = list(_kinds(arguments, left_out))
    trials = list(_trials(arguments, left_out))
    columns = {kind.name: Column(kind.version) for kind in kinds}
    tally, began_s = Tally(harm="peers", seed=arguments.seed), time.monotonic()
    task = progress.add_task("peers", total=len(kinds) * len(trials))
    with kept_or_thrown(arguments.keep, "peers") as folder:
        for kind, trial in product(kinds, trials):
            progress.update(task, description=f"{kind.name}: {trial.name}")
            place = folder / f"{kind.name}-{trial.name}".replace(" ", "-").replace(",", "")
            try:
                count = trial.do(kind, _records(trial, arguments.part), place, arguments.seed)
            except DiskError as error:
                left_out[f"{kind.name}: {trial.name}"] = f"{trial.name} for {kind.name}: {error}"
            else:
                columns[kind.name].counts[trial.name] = count
                _tell(arguments, progress, f"{kind.name}, {trial.name}: {_told(count)}")
                if kind.ours:
                    _add(tally, trial, count, place)
            progress.advance(task)
    tally.seconds = round(time.monotonic() - began_s, 1)
    tally.more = {"peers": msgspec.to_builtins(columns), "mosquitto": broker.version(), "left_out": left_out}
    _tell(arguments, progress, table(columns, trials), *(f"left out: {reason}" for reason in left_out.values()))
    return tally


def _tell(arguments: argparse.Namespace, progress: Progress, *told: Table | str) -> None:
    """For people, above the bar; a long run that ends early has then told what it found."""
    if not arguments.json:
        for one in told:
            progress.console.print(one)


def table(columns: Mapping[str, Column], trials: list[Trial]) -> Table:
    """Lost of those fed, and what came more than once, for people."""
    view = Table("fault", *(f"{name}\n{column.version}" for name, column in columns.items()), title="records lost of those fed")
    for trial in trials:
        view.add_row(trial.name, *(_told(column.counts.get(trial.name)) for column in columns.values()))
    return view


def _records(trial: Trial, part: float) -> int:
    return max(LEAST_RECORDS, round(trial.records * part))


def _told(count: Count | None) -> str:
    if count is None:
        return "left out"
    twice = f", {count.twice:,} came twice" if count.twice else ""
    return f"{count.lost:,} of {count.fed:,}{twice}"


def _add(tally: Tally, trial: Trial, count: Count, folder: Path) -> None:
    """Our column counts; the faults of others are not ours."""
    tracebacks = sum(log.read_text(errors="replace").count("Traceback (most recent") for log in folder.rglob("*.log"))
    tally.add(Tally(harm="peers", faults=1, committed=count.fed, lost=count.lost, stored_twice=count.twice, tracebacks=tracebacks))
    if count.lost or count.twice or tracebacks:
        told = f"{trial.name}: {_told(count)}, {tracebacks} tracebacks"
        tally.examples = [*tally.examples, told][:EXAMPLES]


def _kinds(arguments: argparse.Namespace, left_out: dict[str, str]) -> Iterator[Kind]:
    venv = arguments.venv or thingsboard.default_venv()
    makers: dict[str, Callable[[], Kind]] = {
        "roadproof": peer.ours,
        "paho": peer.paho,
        "bridge": peer.bridge,
        "thingsboard-sqlite": lambda: thingsboard.kind(venv, "sqlite"),
        "thingsboard-file": lambda: thingsboard.kind(venv, "file"),
    }
    for name in [arguments.only] if arguments.only else PEERS:
        reason = thingsboard.missing(venv) if name.startswith("thingsboard") else ""
        if not reason:
            yield makers[name]()
        elif arguments.only or arguments.venv:
            raise UsageError(reason)
        else:
            left_out["thingsboard"] = reason


def _trials(arguments: argparse.Namespace, left_out: dict[str, str]) -> Iterator[Trial]:
    for name, trial in zip(FAULTS, TRIALS, strict=True):
        if arguments.fault not in {None, name}:
            continue
        try:
            if trial.needs_disk:
                block.need(block.PROGRAMS)
        except UsageError as error:
            if arguments.fault:
                raise
            left_out[trial.name] = f"{trial.name}: {error}"
            continue
        yield trial
