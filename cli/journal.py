"""`roadproof journal`: what waits on the unit, shown and exported, also while the daemon runs."""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import msgspec
from rich.console import Console
from rich.progress import track as progress
from rich.table import Table

from cli.daemon import CONFIG, load_config
from cli.errors import UsageError
from cli.words import Commands, add, add_group, time_ms, time_text
from firmware.journal import JournalError, Row
from firmware.journal.look import JournalLook, SeriesLook
from firmware.journal.pressure import decode_points
from mqtt import topics
from mqtt.codec import TrackPoint


def add_commands(commands: Commands) -> None:
    """Add `journal show` and `journal export`."""
    group = add_group(commands, "journal", "the records on the unit")
    command = add(group, "show", show, "show what the journal holds and what waits", "roadproof journal show --config roadproof.toml")
    _add_place(command)
    command.add_argument("--json", action="store_true", help="for programs")
    command = add(group, "export", export, "write every record as JSON lines", "roadproof journal export -o records.jsonl")
    _add_place(command)
    command.add_argument(
        "--from", dest="since", metavar="TIME", help="only fixes of the ring from here on: 2026-05-04 or 2026-05-04T08:00, UTC"
    )
    command.add_argument("--to", dest="until", metavar="TIME", help="only fixes of the ring to here")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="file to write; standard output when absent")


def _add_place(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"settings file (default {CONFIG})")
    command.add_argument(
        "--file", type=Path, metavar="DB", help="a journal's file, for a card from another unit; the settings are not read then"
    )


def _open(arguments: argparse.Namespace) -> JournalLook:
    path = arguments.file or Path(load_config(arguments.config).journal.folder) / "journal.db"
    try:
        return JournalLook(path)
    except JournalError as error:
        raise UsageError(str(error)) from None


def show(arguments: argparse.Namespace) -> int:
    """Counts and ages, a line a series."""
    with _open(arguments) as look:
        series = look.series()
        if arguments.json:
            print(json.dumps({"log": look.log, "used_bytes": look.used_bytes, "series": [msgspec.to_builtins(one) for one in series]}))
            return 0
        view = Table(
            "series", "rows", "first", "last", "receipted to", "waiting", "oldest", title=f"journal {look.log}", title_justify="left"
        )
        for one in series:
            view.add_row(*_cells(one))
        Console().print(view)
        Console().print(f"{look.used_bytes / 1e6:.1f} MB in use, {look.aside} records set aside")
    return 0


def _cells(one: SeriesLook) -> list[str]:
    name = {"seq": "events", "tseq": "fixes"}[one.series]
    oldest = time_text(one.oldest_ms) if one.oldest_ms is not None else ""
    return [name, str(one.rows), str(one.first), str(one.last), str(one.receipted), str(one.waiting), oldest]


def export(arguments: argparse.Namespace) -> int:
    """Every record; 1 when damaged ones had to be left out, which are named."""
    damaged = 0
    since_ms = time_ms("--from", arguments.since) if arguments.since else None
    until_ms = time_ms("--to", arguments.until) if arguments.until else None
    with _open(arguments) as look:
        out = _output(arguments.output)
        try:
            rows: Iterable[tuple[Row, bool]] = look.rows()
            if arguments.output and sys.stderr.isatty():
                rows = progress(rows, total=sum(one.rows for one in look.series()), description="exporting", console=Console(stderr=True))
            for row, good in rows:
                if good:
                    out.writelines(_lines(row) if since_ms is None and until_ms is None else _fixes_between(row, since_ms, until_ms))
                else:
                    damaged += 1
                    print(f"roadproof: record {row.number} is damaged and left out", file=sys.stderr)
        finally:
            if arguments.output:
                out.close()
    return int(damaged > 0)


def _fixes_between(row: Row, since_ms: int | None, until_ms: int | None) -> list[str]:
    """Of the ring the fixes of a time span, as JSON lines."""
    points = decode_points(row) if row.kind == topics.TRACK.kind else []
    return [_fix(row, point) for point in points if (since_ms or 0) <= point.t_ms <= (until_ms if until_ms is not None else point.t_ms)]


def _fix(row: Row, point: TrackPoint) -> str:
    return json.dumps({"typ": "fix", "boot": row.boot, **msgspec.to_builtins(point)}) + "\n"


def _output(path: Path | None) -> TextIO:
    try:
        return path.open("w", encoding="utf-8") if path else sys.stdout
    except OSError as error:
        raise UsageError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None


def _lines(row: Row) -> list[str]:
    if row.kind != topics.TRACK.kind:
        try:
            return [row.payload.decode() + "\n"]
        except UnicodeDecodeError:
            payload = base64.b64encode(row.payload).decode()
            return [json.dumps({"typ": row.kind, "seq": row.number, "boot": row.boot, "payload_base64": payload}) + "\n"]
    return [_fix(row, point) for point in decode_points(row)]
