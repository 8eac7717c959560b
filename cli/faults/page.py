"""What runs of `roadproof faults` counted, as tables in the pages of the documentation: no figure there is typed by hand."""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from cli.errors import UsageError
from cli.faults.tally import Tally
from mqtt.topics import BLOB_CHUNK_BYTES

PLACE = re.compile(r"(<!-- faults: (\w+) -->\n).*?(<!-- faults end -->)", re.DOTALL)
# Each way: what a reader calls it, and what one of its faults is.
WAYS = {
    "power": ("power cut, the files rebuilt at every write", "power cuts at every write of a day"),
    "power --device": ("power cut, ext4 on a logged disk", "power cuts under ext4"),
    "power --boot": ("power cut, then a real systemd starts the daemon", "power cuts with a boot after each"),
    "run": ("kills, cuts, wipes and old backups at random", "kills and cuts at random"),
    "disk": ("card full, whatever room is left", "full cards"),
    "bits": ("one bit flipped", "flipped bits"),
    "clock": ("every wrong time", "wrong clocks"),
    "config": ("settings file damaged", "damaged settings files"),
    "link": ("road slow, lossy and cut", "cuts of bad roads"),
    "machine": ("an emulated computer: USB unplugged, 1980, no memory, kernel hung", "faults of an emulated computer"),
    "peers": ("the faults that the peers get, too", "side by side with peers"),
}
NEVER = {
    "lost": "lost",
    "stored_twice": "stored twice",
    "corrupt": "corrupt",
    "numbers_reused": "numbers used twice",
    "tracebacks": "tracebacks",
}
OWN_TABLE = {"roads", "peers", "left_out"}  # of what a run says besides
MINUTE_S, HOUR_S = 60, 3_600
FINE = 0.02  # a smaller share needs a digit more


class Run(Tally, kw_only=True, omit_defaults=True):
    """One line of JSON that a harm ended with; what no table shows is passed over."""

    @property
    def way(self) -> str:
        """Its key among `WAYS`."""
        words = (self.command or "").split()
        return next((way for way in WAYS if " " in way and way.split()[0] == self.harm and way.split()[1] in words), self.harm)

    @property
    def checked(self) -> int | None:
        """How often a record was looked for."""
        found: int | None = self.more.get("records_checked", self.committed)
        return found


def show(arguments: argparse.Namespace) -> int:
    """Print the tables, or put them into pages."""
    runs = read(arguments.file)
    if not arguments.into:
        print("\n\n".join(table(runs) for table in TABLES.values()))
    for page in arguments.into or ():
        _fill(page, runs)
    return 0


def read(file: Path) -> list[Run]:
    """The runs of a file, in the order of `WAYS`; UsageError names the line that is none."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {(error.strerror or '').lower()}") from None
    runs = [_run(line, f"{file}, line {number}") for number, line in enumerate(lines, start=1) if line.strip()]
    order = list(WAYS)
    return sorted(runs, key=lambda run: order.index(run.way))


def _run(line: str, place: str) -> Run:
    try:
        run = msgspec.json.decode(line, type=Run)
    except msgspec.DecodeError as error:
        raise UsageError(f"{place} is not what `roadproof faults ... --json` ends with: {error}") from None
    if run.way not in WAYS:
        raise UsageError(f"{place} is of the harm {run.harm}, which there is not")
    return run


def filled(page: str, runs: Sequence[Run]) -> str:
    """The page with every table in its place; UsageError where a place asks for none that there is."""

    def put(place: re.Match[str]) -> str:
        if place[2] not in TABLES:
            raise UsageError(f"there is no table {place[2]}; there are {', '.join(TABLES)}")
        return f"{place[1]}{TABLES[place[2]](runs)}\n{place[3]}"

    return PLACE.sub(put, page)


def _fill(path: Path, runs: Sequence[Run]) -> None:
    try:
        page = path.read_text(encoding="utf-8")
        if not PLACE.search(page):
            raise UsageError(f"{path} has no place for a table: a line <!-- faults: counts --> and, below it, <!-- faults end -->")
        path.write_text(filled(page, runs), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {(error.strerror or '').lower()}") from None


# --- the tables


def counts(runs: Sequence[Run]) -> str:
    """What must be 0, run by run."""
    head = ("what is done", "times", "looked at after it", "records looked for", *NEVER.values(), "took")
    return _table(
        head,
        (
            (WAYS[run.way][0], *map(_number, (run.faults, run.states, run.checked)), *_never(run), _duration(run.seconds))
            for run in runs
            if run.way != "peers"
        ),
    )


def commands(runs: Sequence[Run]) -> str:
    """How each run is repeated, and what it met on its way."""
    return _table(("typed", "what it met"), ((f"`{run.command or run.harm}`", _met(run.more)) for run in runs if run.way != "peers"))


def roads(runs: Sequence[Run]) -> str:
    """How the attachments fared on each bad road of the last run."""
    told: Mapping[str, Mapping[str, float | None]] = next((run.more["roads"] for run in reversed(runs) if "roads" in run.more), {})
    rows = (
        (
            name,
            "not in time" if road["s"] is None else f"{road['s']:.0f} s",
            *(_number(road[key]) for key in ("cuts", "sessions", "pieces")),
            f"{road['again_bytes']:,} of {max(0, (road['sessions'] or 0) - 1) * BLOB_CHUNK_BYTES:,}",
        )
        for name, road in told.items()
    )
    return _table(("road", "all arrived after", "cuts", "sessions", "pieces", "bytes sent again, of those allowed"), rows)


def peers(runs: Sequence[Run]) -> str:
    """Lost of those fed, a column for each peer."""
    columns, faults = dict[str, Any](), dict[str, None]()
    for run in runs:
        for name, column in run.more.get("peers", {}).items():
            version, before = column["version"], columns.get(name, {"counts": {}})["counts"]
            columns[name] = {"version": version, "counts": before | column["counts"]}
            faults |= dict.fromkeys(column["counts"])
    rows = ((fault, *(_lost(column["counts"].get(fault)) for column in columns.values())) for fault in faults)
    return _table(("records lost", *(f"{name} {column['version']}" for name, column in columns.items())), rows)


def claim(runs: Sequence[Run]) -> str:
    """All of it in one sentence."""
    faults, found = defaultdict[str, int](int), defaultdict[str, int](int)
    for run in runs:
        faults[run.way] += run.faults or 0
        for name in NEVER:
            found[name] += getattr(run, name) or 0
    done = ", ".join(f"{faults[way]:,} {WAYS[way][1]}" for way in WAYS if faults[way])
    return f"{done}: " + ", ".join(f"{told} **{found[name]:,}**" for name, told in NEVER.items()) + "."


TABLES: dict[str, Callable[[Sequence[Run]], str]] = {table.__name__: table for table in (counts, commands, roads, peers, claim)}


# --- cells


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _never(run: Run) -> Iterable[str]:
    for name in NEVER:
        count = getattr(run, name)
        yield f"**{count:,}**" if count else _number(count)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 2 * MINUTE_S:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE_S:.0f} min" if seconds < 2 * HOUR_S else f"{seconds / HOUR_S:.1f} h"


def _met(more: Mapping[str, Any]) -> str:
    """Whatever a run says besides, in its own words."""
    told = [f"{name.replace('_', ' ')} {_value(value)}" for name, value in more.items() if name not in OWN_TABLE]
    return "; ".join(told) or "-"


def _value(value: Any) -> str:
    match value:
        case dict():
            return "(" + ", ".join(f"{name.replace('_', ' ')} {_value(inner)}" for name, inner in value.items()) + ")"
        case list():
            return ", ".join(f"*{inner}*" for inner in value)
        case int() | float():
            return _number(value)
    return str(value)


def _lost(count: Mapping[str, int] | None) -> str:
    if count is None:
        return "-"
    fed, lost, twice = count["fed"], count["lost"], count["twice"]
    share = f" ({_percent(lost / fed)})" if lost else ""
    return f"{lost:,} of {fed:,}{share}" + (f"; {twice:,} came twice" if twice else "")


def _percent(share: float) -> str:
    return f"{share * 100:.{0 if share > FINE else 1}f} %"
