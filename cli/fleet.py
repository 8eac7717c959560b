"""`roadproof fleet`: the other end - run a receiver, look at units, gaps, tracks and events."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.errors import UsageError
from cli.words import Commands, add, add_group, time_ms, time_text
from fleet import desk, gaps, track
from fleet.config import DEFAULT_STORE, FleetSettings
from fleet.store import Store, StoreError, open_store
from mqtt import settings, topics
from mqtt.messages import utc_ms

KMH_PER_MPS = 3.6
DAY_MS = 86_400_000


def add_commands(commands: Commands) -> None:
    """Add `fleet` and what stands below it."""
    group = add_group(commands, "fleet", "the other end: receiver, units, gaps, tracks, events")
    receive = add(group, "receive", run_receive, "store what units send, and send receipts", "roadproof fleet receive --config fleet.toml")
    receive.add_argument("--config", metavar="FILE", required=True, type=Path, help="settings: [broker] and store")
    units = add(group, "units", run_units, "every unit: state, position, what waits on it", "roadproof fleet units --config fleet.toml")
    holes = add(group, "gaps", run_gaps, "what is held of each unit, and what is not", "roadproof fleet gaps van-12 --config fleet.toml")
    holes.add_argument("unit", metavar="UNIT", nargs="?", help="only this unit")
    path = _add_track(group)
    events = add(group, "events", run_events, "what happened to a unit", "roadproof fleet events van-12 --last 20")
    events.add_argument("unit", metavar="UNIT")
    events.add_argument("--last", metavar="N", type=int, default=50, help="this many (default 50)")
    for command in (units, holes, path, events):
        _add_place(command)
    for command in (units, holes, events):
        command.add_argument("--json", action="store_true", help="for programs")


def _add_track(group: Commands) -> argparse.ArgumentParser:
    example = "roadproof fleet track van-12 --from 2026-05-04 --to 2026-05-05 --format gpx -o monday.gpx"
    command = add(group, "track", run_track, "where a unit was", example)
    command.add_argument("unit", metavar="UNIT")
    command.add_argument(
        "--from",
        dest="since",
        metavar="TIME",
        help="2026-05-04 or 2026-05-04T08:00, UTC unless it ends in an offset like +02:00; a day before the end when absent",
    )
    command.add_argument("--to", dest="until", metavar="TIME", help="the end of it, included; the newest fix when absent")
    command.add_argument("--format", choices=tuple(track.FORMATS), default="geojson", help="(default geojson)")
    command.add_argument("-o", "--output", metavar="FILE", type=Path, help="file to write; standard output when absent")
    return command


def _add_place(command: argparse.ArgumentParser) -> None:
    place = command.add_mutually_exclusive_group()
    place.add_argument("--config", metavar="FILE", type=Path, help="the receiver's settings: they name the store")
    place.add_argument("--store", metavar="URL", help=f"sqlite:///absolute/path.db or postgresql://...; default {DEFAULT_STORE}")


def run_receive(arguments: argparse.Namespace) -> int:
    """Run a receiver until SIGTERM or Ctrl-C."""
    from fleet.receiver import receive

    wanted = _settings(arguments.config)
    logging.getLogger().setLevel(logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        receive(wanted, stop)
    except StoreError as error:
        logging.getLogger(__name__).error("%s", error)  # noqa: TRY400  a sentence, not a traceback
        return 1
    return 0


def run_units(arguments: argparse.Namespace) -> int:
    """Print the table of units."""
    with _opened(arguments) as store:
        told = desk.units(store)
    if arguments.json:
        return _print_json(told)
    heading = ("unit", "state", "heard", "position", "taken", "speed", "waiting", "link")
    return _print_table(heading, [_unit_cells(unit) for unit in told], empty="no unit was heard yet")


def _unit_cells(unit: desk.UnitSight) -> list[str]:
    position = unit.position
    speed_mps = position.speed_mps if position else None
    return [
        unit.unit,
        unit.state or "?",
        _age(unit.last_seen),
        _place(position.latitude, position.longitude) if position else "-",
        _age(position.t) if position else "-",
        "-" if speed_mps is None else f"{speed_mps * KMH_PER_MPS:.0f} km/h",
        "-" if unit.waiting is None else str(unit.waiting),
        unit.link or "-",
    ]


def run_gaps(arguments: argparse.Namespace) -> int:
    """Print the gap report."""
    with _opened(arguments) as store:
        if arguments.unit is not None:
            _check_unit(store, arguments.unit)
        found = [gaps.gap(row) for row in store.series(arguments.unit)]
    if arguments.json:
        return _print_json([{**msgspec.to_builtins(gap), "complete": gap.complete} for gap in found])
    heading = ("unit", "journal", "series", "held", "waiting on the unit", "missing", "thinned", "dropped")
    return _print_table(heading, [_gap_cells(gap) for gap in found], empty="no journal was heard of yet")


def _gap_cells(gap: gaps.Gap) -> list[str]:
    return [
        gap.unit,
        gap.log if gap.current else f"{gap.log} (replaced)",
        "records" if gap.series == "seq" else "fixes",
        str(gap.held),
        _spans(gap.waiting),
        _spans(gap.missing),
        str(gap.thinned),
        "?" if gap.dropped is None else str(gap.dropped),
    ]


def _spans(spans: list[tuple[int, int]]) -> str:
    return f"{gaps.count(spans)}: {gaps.span_text(spans)}" if spans else "none"


def run_track(arguments: argparse.Namespace) -> int:
    """Write a track."""
    since_ms = time_ms("--from", arguments.since) if arguments.since else None
    until_ms = time_ms("--to", arguments.until) if arguments.until else None
    with _opened(arguments) as store:
        _check_unit(store, arguments.unit)
        if until_ms is None:
            newest = store.newest_fix(arguments.unit)
            until_ms = newest.t_ms if newest else 0
        since_ms = until_ms - DAY_MS if since_ms is None else since_ms
        if until_ms < since_ms:
            raise UsageError("--to lies before --from")
        with closing(store.fixes(arguments.unit, since_ms, until_ms)) as fixes:
            _write(track.FORMATS[arguments.format](arguments.unit, fixes), arguments.output)
    return 0


def _write(text: Iterable[str], output: Path | None) -> None:
    if output is None:
        sys.stdout.writelines(text)
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            file.writelines(text)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {(error.strerror or str(error)).lower()}") from None


def run_events(arguments: argparse.Namespace) -> int:
    """Print the last events of a unit."""
    if arguments.last < 1:
        raise UsageError("--last is a whole number, 1 or more")
    with _opened(arguments) as store:
        _check_unit(store, arguments.unit)
        told = desk.events(store, arguments.unit, arguments.last)
    if arguments.json:
        return _print_json(told)
    heading = ("number", "time", "event", "place", "data")
    return _print_table(heading, [_event_cells(event) for event in told], empty=f"nothing happened to {arguments.unit} yet")


def _event_cells(event: desk.EventSight) -> list[str]:
    return [
        str(event.seq) if event.span == 1 else f"{event.seq} to {event.seq + event.span - 1}",
        time_text(utc_ms(event.t or event.received)),
        event.event or f"({event.kind}, kept as it came)",
        _place(event.latitude, event.longitude),
        event.fault or (json.dumps(event.data) if event.data else ""),
    ]


def _place(latitude: float | None, longitude: float | None) -> str:
    return "-" if latitude is None or longitude is None else f"{latitude:.5f}, {longitude:.5f}"


@contextmanager
def _opened(arguments: argparse.Namespace) -> Iterator[Store]:
    """The store, for reading."""
    url = _settings(arguments.config).store if arguments.config else arguments.store or DEFAULT_STORE
    try:
        store = open_store(url, writing=False)
        store.open()
    except StoreError as error:
        raise UsageError(str(error)) from None
    try:
        yield store
    except StoreError as error:
        raise UsageError(str(error)) from None
    finally:
        store.close()


def _settings(path: Path) -> FleetSettings:
    try:
        return settings.load(path, FleetSettings)
    except settings.SettingsError as error:
        raise UsageError("\nroadproof: ".join(error.faults)) from None


def _check_unit(store: Store, unit: str) -> None:
    if not topics.UNIT.fullmatch(unit):
        raise UsageError(f"{unit!r} is no unit name: small letters, digits and hyphens, 32 at most")
    known = [row.unit for row in store.units()]
    if unit not in known:
        raise UsageError(f"the store has never heard of unit {unit}; known: {', '.join(known[:10]) or 'none yet'}")


def _age(text: str) -> str:
    """How long ago a time of the contract was, for people."""
    seconds = max(0, int(time.time() - utc_ms(text) / 1000))
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _print_json(told: Sequence[Any]) -> int:
    print(json.dumps(msgspec.to_builtins(told), indent=2))
    return 0


def _print_table(heading: Iterable[str], rows: list[list[str]], *, empty: str) -> int:
    if not rows:
        print(empty)
        return 0
    shown = Table(*heading)
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))  # Text: what came over the air is no markup
    Console().print(shown)
    return 0
