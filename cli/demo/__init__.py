"""`roadproof demo`: the main job on a laptop, with nothing simulated but the vehicle."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import tempfile
from pathlib import Path

import msgspec
from rich.console import Console

from cli.demo.guest import KEYS_TOLD
from cli.demo.keys import Keys
from cli.demo.picture import Picture, PlainPicture
from cli.demo.stage import UNIT, Stage, StageError
from cli.demo.story import Nobody, Story, play
from cli.demo.summary import Summary, count, table
from cli.errors import UsageError
from cli.words import Commands, add

SHORTEST_S = 10.0
DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|)")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600}


def add_commands(commands: Commands) -> None:
    """Add `demo`."""
    command = add(commands, "demo", run, "show the main job on this machine, without hardware", "roadproof demo --for 60s --speed 10")
    command.add_argument("--for", dest="seconds", type=duration, default=60.0, metavar="TIME", help="how long: 60s, 5m (default 60s)")
    command.add_argument(
        "--speed", type=float, default=10.0, metavar="N", help="how much faster than life the van drives, 1 to 20 (default 10)"
    )
    command.add_argument(
        "--json", action="store_true", help="print the summary alone, as JSON; exit code 1 when a record was lost or stored twice"
    )
    command.add_argument("--svg", type=Path, metavar="FILE", help="save the picture as it stands when the network comes back")
    command.add_argument("--keep", type=Path, metavar="DIR", help="leave journal, store, settings and logs in this folder, to look at them")


def duration(text: str) -> float:
    """Read "60s", "5m", "1h" or "60"; argparse reports the ValueError."""
    found = DURATION.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 60s or 5m")
    return float(found[1]) * SECONDS[found[2]]


def run(arguments: argparse.Namespace) -> int:
    """Play the demo; 0 when nothing was lost and nothing stored twice."""
    if arguments.seconds < SHORTEST_S:
        raise UsageError(f"--for is {arguments.seconds:g} s; the story needs {SHORTEST_S:g} s or more")
    if not 1 <= arguments.speed <= 20:  # noqa: PLR2004  faster, and a step of the van's clock looks like a fault of the clock
        raise UsageError(f"--speed is {arguments.speed:g}; it must be between 1 and 20")
    with tempfile.TemporaryDirectory(prefix="roadproof-demo-") as scratch:
        try:
            summary, in_memory_count = _play(arguments, _folder(arguments.keep) or Path(scratch))
        except StageError as error:
            raise UsageError(str(error)) from None
    if arguments.json:
        print(msgspec.json.encode(summary).decode())
    else:
        Console().print(table(summary, in_memory_count))
        if arguments.keep:
            _tell_what_is_kept(arguments.keep.resolve(), summary)
        elif summary.proofs_received:
            print("Nothing was kept. To check a proof yourself, with openssl alone, play again with: ./roadproof demo --keep DIR")
    return int(summary.lost > 0 or summary.stored_twice > 0 or summary.proofs_good < summary.proofs_received)


def _play(arguments: argparse.Namespace, folder: Path) -> tuple[Summary, int]:
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: signals.append(received))
    story = Story(arguments.seconds)
    with Stage(folder, speed=arguments.speed, seconds=arguments.seconds) as stage:
        with Keys() as keys:
            if arguments.json:
                play(story, stage, Nobody(), keys, lambda: bool(signals))
            else:
                with _picture(stage, story, arguments.svg, KEYS_TOLD if keys.there else "") as picture:
                    play(story, stage, picture, keys, lambda: bool(signals))
        return count(stage)


def _picture(stage: Stage, story: Story, svg: Path | None, hints: str) -> Picture | PlainPicture:
    console = Console()
    if svg is not None or (console.is_terminal and sys.stdin.isatty()):
        return Picture(console, stage, story, svg, hints)
    return PlainPicture(console, stage)


def _folder(keep: Path | None) -> Path | None:
    if keep is None:
        return None
    try:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise UsageError(f"{keep} is not empty; name a new folder for --keep")
    except OSError as error:
        raise UsageError(f"cannot write in {keep}: {(error.strerror or '').lower()}") from None
    return keep.resolve()


def _tell_what_is_kept(folder: Path, summary: Summary) -> None:
    print(f"""Kept in {folder}; look further with
  ./roadproof journal show --config {folder}/unit.toml
  ./roadproof fleet units --config {folder}/fleet.toml
  ./roadproof fleet gaps --config {folder}/fleet.toml
  ./roadproof fleet track {UNIT} --config {folder}/fleet.toml --format geojson -o track.geojson""")
    if not summary.proofs_received:
        return
    print(f"""and check a proof as a stranger would, off line
  ./roadproof fleet pods --config {folder}/fleet.toml
  ./roadproof fleet pdf {UNIT}/s1 -o proof.pdf --config {folder}/fleet.toml
  ./roadproof fleet bundle {UNIT}/s1 -o proof.zip --config {folder}/fleet.toml
  ./roadproof verify proof.zip --root {folder}/keys/authority/root.pem
  unzip -d proof proof.zip && cd proof && bash verify-openssl.sh {folder}/keys/authority/root.pem""")
