"""Where the units are and what happened to them: units, gaps, track, events."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path

import msgspec

from cli.errors import UsageError
from cli.fleet.place import add_place, check_unit, opened
from cli.fleet.printing import age, position_text, print_json, print_table, write
from cli.words import Commands, add, time_ms, time_text
from fleet import desk, gaps, track
from mqtt.messages import utc_ms

KMH_PER_MPS = 3.6
DAY_MS = 86_400_000
DATA_SIGNS = 200  # of an event's data in the table: a signed report alone would fill the screen


def add_commands(group: Commands) -> None:
    """Add units, gaps, track and events."""
    units = add(group, "units", run_units, "every unit: state, position, what waits on it", "roadproof fleet units --config fleet.toml")
    holes = add(group, "gaps", run_gaps, "what is held of each unit, and what is not", "roadproof fleet gaps van-12 --config fleet.toml")
    holes.add_argument("unit", metavar="UNIT", nargs="?", help="only this unit")
    path = _add_track(group)
    events = add(group, "events", run_events, "what happened to a unit", "roadproof fleet events van-12 --last 20")
    events.add_argument("unit", metavar="UNIT")
    events.add_argument("--last", metavar="N", type=int, default=50, help="this many (default 50)")
    for command in (units, holes, path, events):
        add_place(command)
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


def run_units(arguments: argparse.Namespace) -> int:
    """Print the table of units."""
    with opened(arguments) as store:
        told = desk.units(store)
    if arguments.json:
        return print_json(told)
    heading = ("unit", "state", "heard", "position", "taken", "speed", "waiting", "link")
    return print_table(heading, [_unit_cells(unit) for unit in told], empty="no unit was heard yet")


def _unit_cells(unit: desk.UnitSight) -> list[str]:
    position = unit.position
    speed_mps = position.speed_mps if position else None
    return [
        unit.unit,
        unit.state or "?",
        age(unit.last_seen),
        position_text(position.latitude, position.longitude) if position else "-",
        age(position.t) if position else "-",
        "-" if speed_mps is None else f"{speed_mps * KMH_PER_MPS:.0f} km/h",
        "-" if unit.waiting is None else str(unit.waiting),
        unit.link or "-",
    ]


def run_gaps(arguments: argparse.Namespace) -> int:
    """Print the gap report."""
    with opened(arguments) as store:
        if arguments.unit is not None:
            check_unit(store, arguments.unit)
        found = [gaps.gap(row) for row in store.series(arguments.unit)]
    if arguments.json:
        return print_json([{**msgspec.to_builtins(gap), "complete": gap.complete} for gap in found])
    heading = ("unit", "journal", "series", "held", "waiting on the unit", "missing", "thinned", "dropped")
    return print_table(heading, [_gap_cells(gap) for gap in found], empty="no journal was heard of yet")


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
    with opened(arguments) as store:
        check_unit(store, arguments.unit)
        if until_ms is None:
            newest = store.newest_fix(arguments.unit)
            until_ms = newest.t_ms if newest else 0
        since_ms = until_ms - DAY_MS if since_ms is None else since_ms
        if until_ms < since_ms:
            raise UsageError("--to lies before --from")
        with closing(store.fixes(arguments.unit, since_ms, until_ms)) as fixes:
            write(track.FORMATS[arguments.format](arguments.unit, fixes), arguments.output)
    return 0


def run_events(arguments: argparse.Namespace) -> int:
    """Print the last events of a unit."""
    if arguments.last < 1:
        raise UsageError("--last is a whole number, 1 or more")
    with opened(arguments) as store:
        check_unit(store, arguments.unit)
        told = desk.events(store, arguments.unit, arguments.last)
    if arguments.json:
        return print_json(told)
    heading = ("number", "time", "event", "place", "data")
    return print_table(heading, [_event_cells(event) for event in told], empty=f"nothing happened to {arguments.unit} yet")


def _event_cells(event: desk.EventSight) -> list[str]:
    return [
        str(event.seq) if event.span == 1 else f"{event.seq} to {event.seq + event.span - 1}",
        time_text(utc_ms(event.t or event.received)),
        event.event or _unnamed(event),
        position_text(event.latitude, event.longitude),
        event.fault or (_short(json.dumps(event.data)) if event.data else ""),
    ]


def _short(data: str) -> str:
    """The beginning, when it is long: `--json` has the whole."""
    return data if len(data) <= DATA_SIGNS else f"{data[: DATA_SIGNS - 1]}…"


def _unnamed(event: desk.EventSight) -> str:
    return "proof of delivery" if event.kind == "pod" and event.fault is None else f"({event.kind}, kept as it came)"
