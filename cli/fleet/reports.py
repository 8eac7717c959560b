"""What units say of themselves when they are fitted: report."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from cli.errors import UsageError
from cli.fleet.place import DEFAULT_CONFIG, check_unit, opened, read_settings
from cli.fleet.printing import print_json, print_table, write_file
from cli.words import Commands, add, time_text
from fleet.notary import Notary
from fleet.rows import EventRow
from mqtt.evidence import EvidenceError
from mqtt.evidence.report import Paper, Report, read
from mqtt.messages import utc_ms

EVENT = "unit.commissioned"


class _Told(msgspec.Struct, frozen=True):
    """The data of that event."""

    rec: str
    jws: str


def add_commands(group: Commands) -> None:
    """Add `report`."""
    example = "roadproof fleet report van-017 -o report.pdf --config fleet.toml"
    command = add(group, "report", run_report, "the newest commissioning report of a unit, checked", example)
    command.add_argument("unit", metavar="UNIT")
    command.add_argument("-o", "--output", metavar="FILE", type=Path, help="draw its page as this PDF, with the signed report in it")
    told = f"the receiver's settings, with [evidence] (default {DEFAULT_CONFIG})"
    command.add_argument("--config", metavar="FILE", type=Path, default=DEFAULT_CONFIG, help=told)
    command.add_argument("--json", action="store_true", help="for programs")


def run_report(arguments: argparse.Namespace) -> int:
    """Print what was found, and draw the page; 1 when a part does not work, 2 when there is no report that holds."""
    with opened(arguments) as store:
        check_unit(store, arguments.unit)
        row = store.newest_event(arguments.unit, EVENT)
    if row is None:
        raise UsageError(
            f"{arguments.unit} has sent no report yet: on the unit, run `sudo roadproof selftest --report report.pdf`,"
            " or on its screen menu, Diagnostics, Run all"
        )
    paper = _checked(arguments, row)
    said = read(paper.rec.encode())
    if arguments.output:
        from provisioning.report import pdf

        write_file(arguments.output, pdf(paper))
    if arguments.json:
        print_json([{"received": time_text(row.received_ms), "fingerprint": paper.fingerprint, "report": said}])
    else:
        _show(said, row.received_ms, paper)
    return int(said.state == "bad")


def _checked(arguments: argparse.Namespace, row: EventRow) -> Paper:
    settings = read_settings(arguments.config).evidence
    if settings is None:
        raise UsageError(f"{arguments.config} has no section [evidence]: it names the authority and the units' certificates")
    try:
        told = msgspec.json.decode(row.data or "", type=_Told)
        return Notary(settings).see_report(arguments.unit, told.rec, told.jws, row.received_ms)
    except msgspec.DecodeError:
        raise UsageError(f"the report that {arguments.unit} sent is none: have it made again") from None
    except EvidenceError as error:
        raise UsageError(f"the report that {arguments.unit} sent does not hold: {error}") from None


def _show(said: Report, received_ms: int, paper: Paper) -> None:
    rows = [[line.key, line.state, line.text] for line in said.findings]
    print(f"{said.unit} at {time_text(utc_ms(said.t.wall))} by {said.t.src}, here since {time_text(received_ms)}")
    print_table(("part", "state", "found"), rows, empty="")
    print(f"The report holds. Fingerprint {paper.fingerprint}")
