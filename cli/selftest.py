"""`roadproof selftest`: each part of the unit tried, a line a part, and the drill that pulls the plug."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table

from cli.daemon import CONFIG, load_config, runtime_folders
from cli.errors import UsageError
from cli.unit_socket import Line, UnitGoneError, UnitRefusesError, asked
from cli.words import Commands, add
from drivers.errors import DriverError
from firmware.box.control import SOCKET_FILE
from firmware.selftest.finding import KEYS, Finding, Key, Prompt
from firmware.selftest.selftest import Selftest
from mqtt.evidence import EvidenceError

MARKS = {"ok": "[green]✔[/]", "warn": "[yellow]![/]", "bad": "[red]✘[/]", "skipped": "[dim]·[/]"}
TO_DO = "[bold]→[/]"
WITHOUT_DAEMON = "The daemon does not run: what it alone can do is left out (sudo systemctl start roadproof)."
PULL = "Pull the plug now (not a switch: the 5 V, or terminal 30). Ctrl-C ends it without a cut."


def add_commands(commands: Commands) -> None:
    """Add `selftest`."""
    command = add(commands, "selftest", selftest, "try each part of the unit, a sentence a part", "roadproof selftest gnss antenna")
    command.add_argument("part", nargs="*", metavar="PART", help=f"test these alone: {', '.join(KEYS)} (default: all)")
    command.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"settings file (default {CONFIG})")
    command.add_argument("--json", action="store_true", help="a JSON object per part, for programs")
    command.add_argument("--plug", action="store_true", help="write and promise records until the plug is pulled; counts after the start")
    sent = command.add_mutually_exclusive_group()
    sent.add_argument("--no-send", action="store_true", help="write no test record: nothing of this test reaches the fleet")
    sent.add_argument("--report", type=Path, metavar="FILE", help="the signed report as a PDF; the fleet gets it too")


def selftest(arguments: argparse.Namespace) -> int:
    """Show the findings: 0 when nothing is bad, 1 when a part is, 2 when it was typed wrongly."""
    parts = _parts(arguments)
    sockets = [folder / SOCKET_FILE for folder in runtime_folders(arguments.config)]
    socket = next((path for path in sockets if path.exists()), sockets[0])
    try:
        if arguments.plug:
            return _pull_the_plug(socket)
        hands = not arguments.json and ("ignition" in arguments.part or sys.stdout.isatty())
        findings = list(_shown(_findings(socket, arguments.config, parts, hands=hands), as_json=arguments.json))
        if arguments.report:
            _write_report(socket, arguments.report)
    except (UnitGoneError, UnitRefusesError) as error:
        raise UsageError(str(error)) from None
    return int(any(found.state == "bad" for found in findings))


def _parts(arguments: argparse.Namespace) -> list[Key]:
    try:
        parts = msgspec.convert(arguments.part or KEYS, list[Key])
    except msgspec.ValidationError:
        unknown = next(word for word in arguments.part if word not in KEYS)
        raise UsageError(f'there is no part "{unknown}" to test; there are {", ".join(KEYS)}') from None
    return [part for part in parts if part != "record" or not arguments.no_send]


def _findings(socket: Path, config: Path, parts: list[Key], *, hands: bool) -> Iterator[Finding | Prompt]:
    """From the daemon; without one from the parts themselves. `hands`: somebody may be asked to turn the key."""
    if socket.exists():
        try:
            yield from (_finding(line) for line in asked(socket, {"ask": "selftest", "only": parts, "hands": hands}))
        except ConnectionRefusedError:  # the socket of one that was killed
            pass
        else:
            return
    print(WITHOUT_DAEMON, file=sys.stderr)
    yield from _alone(config, parts, hands=hands)


def _alone(config: Path, parts: list[Key], *, hands: bool) -> Iterator[Finding | Prompt]:
    from firmware.selftest.alone import without_daemon

    try:
        with without_daemon(load_config(config)) as place:
            yield from Selftest(place).run(parts, hands=hands)
    except DriverError as error:
        raise UsageError(str(error)) from None


def _finding(line: Line) -> Finding | Prompt:
    return msgspec.convert(line, Prompt) if "prompt" in line else msgspec.convert(line, Finding)


def _shown(told: Iterable[Finding | Prompt], *, as_json: bool) -> Iterator[Finding]:
    """Print each finding as it comes, and what is to be done meanwhile."""
    if as_json:
        for found in told:
            assert isinstance(found, Finding)  # a program is asked for nothing
            print(msgspec.json.encode(found).decode(), flush=True)
            yield found
        return
    so_far: list[Finding] = []
    with Live(_table(so_far), console=Console(), auto_refresh=False) as live:
        for found in told:
            if isinstance(found, Prompt):
                live.update(_table(so_far, found), refresh=True)
                continue
            so_far.append(found)
            live.update(_table(so_far), refresh=True)
            yield found


def _table(findings: list[Finding], prompt: Prompt | None = None) -> Table:
    view = Table(show_header=False, title_justify="left")
    for found in findings:
        view.add_row(MARKS[found.state], found.key, found.sentence)
    if prompt is not None:
        view.add_row(TO_DO, prompt.prompt, prompt.sentence)
    return view


def _pull_the_plug(socket: Path) -> int:
    """Show how many records were promised, until the unit is gone."""
    if not socket.exists():
        raise UsageError("the drill needs the daemon: sudo systemctl start roadproof")
    console = Console()
    console.print(PULL)
    with console.status("0 records promised") as shown:
        try:
            for line in asked(socket, {"ask": "plug"}):
                shown.update(f"{line['marks']} records promised")
        except ConnectionRefusedError:
            raise UsageError("the daemon does not run: sudo systemctl start roadproof") from None
        except KeyboardInterrupt:
            console.print("Ended without a cut: nothing was tried.")
            return 1
        except UnitGoneError:
            console.print("The daemon is gone; after its start: sudo roadproof selftest plug")
            return 0
    console.print("Ten minutes are over and nobody pulled the plug: nothing was tried.")
    return 1


def _write_report(socket: Path, path: Path) -> None:
    """Have the unit sign what was found, and draw it."""
    from mqtt.evidence.report import Paper
    from provisioning.report import pdf

    try:
        (paper,) = [msgspec.convert(line, Paper) for line in asked(socket, {"ask": "report"})]
        path.write_bytes(pdf(paper))
    except (FileNotFoundError, ConnectionRefusedError):
        raise UsageError("only the daemon signs a report: sudo systemctl start roadproof, then test again") from None
    except EvidenceError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None
    print(f"The signed report is in {path}; the fleet gets it too.", file=sys.stderr)
