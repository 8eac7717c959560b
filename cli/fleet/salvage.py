"""`roadproof fleet salvage`: the records of a unit that will not start again, from its card into the store."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.errors import UsageError
from cli.fleet.place import opened, read_settings, written
from cli.words import Commands, add
from firmware.journal import JournalError
from firmware.uplink.left_behind import LeftBehind, left_behind
from fleet.notary import Notary
from fleet.salvage import Salvage
from fleet.store import Store
from mqtt.evidence import EvidenceError
from mqtt.ranges import Ranges


class Told(msgspec.Struct, kw_only=True):
    """How a salvage went, or would go."""

    unit: str
    log: str
    dry_run: bool
    rows: int = 0  # of the journal
    unreadable: int = 0  # of them
    new: int = 0  # records and fixes that the fleet did not have
    held: int = 0  # that it had
    proofs: int = 0
    good: int = 0  # of the proofs
    refused: int = 0  # messages that the store keeps aside
    attachments: int = 0
    whole: int = 0  # of them at the fleet
    spoilt: int = 0  # of them on the card
    set_aside: int = 0  # records that the unit itself had put on its shelf
    unsigned: int = 0  # proofs that never became records
    faults: list[str] = []
    took_s: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost, and nothing asks for a look."""
        return not (self.unreadable or self.spoilt or self.refused or self.unsigned or self.faults or self.set_aside)


def add_commands(group: Commands) -> None:
    """Add salvage."""
    about = "the records of a unit that does not start any more, from its card into the store"
    command = add(group, "salvage", run_salvage, about, "roadproof fleet salvage /media/card --config fleet.toml")
    command.add_argument("card", metavar="CARD", type=Path, help="root of the mounted card, its var/lib/roadproof, or a copied journal.db")
    command.add_argument("--config", metavar="FILE", required=True, type=Path, help="the receiver's settings: store, and [evidence]")
    command.add_argument("--all", action="store_true", help="also what the fleet said that it has: its store was restored, or lost")
    command.add_argument("--unit", metavar="NAME", help="whose card it is, where nothing on it says so")
    command.add_argument("--dry-run", action="store_true", help="only tell what is there")
    command.add_argument("--json", action="store_true", help="for programs")


def run_salvage(arguments: argparse.Namespace) -> int:
    """Read the card, store what is on it; 0 when all of it is at the fleet."""
    settings = read_settings(arguments.config)
    began_s = time.monotonic()
    try:
        notary = Notary(settings.evidence) if settings.evidence else None
        with left_behind(arguments.card, arguments.unit) as left, _bar(left) as tick:
            if arguments.dry_run:
                with opened(arguments) as store:
                    told = _looked(left, store, everything=arguments.all, tick=tick)
            else:
                with written(arguments) as store:
                    told = _salvaged(left, store, notary, everything=arguments.all, tick=tick)
    except (JournalError, EvidenceError) as error:
        raise UsageError(str(error)) from None
    told.took_s = round(time.monotonic() - began_s, 1)
    print(json.dumps(msgspec.to_builtins(told)) if arguments.json else "\n".join(_sentences(told)))
    return int(not told.is_whole)


def _salvaged(left: LeftBehind, store: Store, notary: Notary | None, *, everything: bool, tick: Callable[[], None]) -> Told:
    told, salvage = Told(unit=left.unit, log=left.log, dry_run=False), Salvage(store, notary)

    def read() -> None:
        told.rows += 1
        tick()

    for letter in left.letters(everything=everything, read=read):
        salvage.take(letter.topic, letter.payload)
    salvage.flush()
    had = store.whole_attachments(left.unit)
    names = left.pictures()
    for name in names:
        pieces = [] if name in had else left.pieces(name)
        if pieces:
            salvage.attach([(piece.topic, piece.payload) for piece in pieces])
    landed = salvage.landed
    told.new, told.held, told.refused = landed.new, landed.held, landed.refused
    told.proofs, told.good, told.faults = landed.proofs, landed.good, landed.faults
    return _rest(told, left, names, store)


def _looked(left: LeftBehind, store: Store, *, everything: bool, tick: Callable[[], None]) -> Told:
    """What would be new, by the numbers that the store holds."""
    told = Told(unit=left.unit, log=left.log, dry_run=True)
    covered = {row.series.value: row.coverage for row in store.series(left.unit) if row.log == left.log}

    def read() -> None:
        told.rows += 1
        tick()

    for letter in left.letters(everything=everything, read=read):
        missing = covered.get(letter.series.value, Ranges()).missing(letter.first, letter.last)
        new = sum(last - first + 1 for first, last in missing)
        told.new += new
        told.held += letter.last - letter.first + 1 - new
    return _rest(told, left, left.pictures(), store)


def _rest(told: Told, left: LeftBehind, names: list[str], store: Store) -> Told:
    """What is known when all was read."""
    had = store.whole_attachments(left.unit)
    told.attachments, told.whole = len(names), sum(name in had for name in names)
    told.unreadable, told.spoilt = left.spoilt.rows, left.spoilt.pictures
    told.set_aside, told.unsigned = left.set_aside, left.unsigned
    return told


@contextmanager
def _bar(left: LeftBehind) -> Iterator[Callable[[], None]]:
    """A bar for people who watch."""
    columns = (TextColumn(f"reading the card of {left.unit}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=left.rows)
        yield lambda: bar.advance(task)


def _sentences(told: Told) -> Iterator[str]:
    """What happened, and what to do about what did not."""
    would = "would be new at the fleet" if told.dry_run else "are new at the fleet"
    yield f"unit {told.unit}, journal {told.log}: {told.rows} rows read, {told.unreadable} unreadable"
    yield f"{told.new} records and fixes {would}, {told.held} it had already"
    if told.proofs:
        yield f"{told.good} of {told.proofs} proofs are good"
    yield from (f"not good: {fault}" for fault in told.faults)
    yield f"{told.whole} of {told.attachments} photos and signatures are whole at the fleet"
    if told.spoilt:
        yield f"{told.spoilt} photos or signatures are damaged on the card: try another reader"
    if told.refused:
        yield f"{told.refused} messages could not be stored under a number: they are kept aside in the table refused of the store"
    if told.set_aside:
        yield f"{told.set_aside} records are on the unit's own shelf, because they could not be sent: keep the card"
    if told.unsigned:
        yield f"{told.unsigned} proofs never became signed records and stay on the card: keep it, and ask the driver for them"
    if told.dry_run:
        yield "nothing was stored: this was a dry run"
    elif told.is_whole:
        yield "everything on the card is at the fleet"
