"""Where the full cards are: a process with a small file system of its own, by root or in a namespace of the user's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
from rich.progress import Progress

from cli.child import mortal
from cli.errors import UsageError
from cli.faults.power.unit import make_keys
from cli.faults.tally import Tally

ROUNDS = (sys.executable, "-P", "-m", "cli.faults.disk.rounds")


def namespace() -> list[str]:
    """The words before a command that let it mount what only it sees; UsageError when this machine has none."""
    words = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None:
        raise UsageError("faults disk needs unshare: apt-get install util-linux")
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        raise UsageError("faults disk mounts a small file system, which this user may not do here: run it with sudo")
    return words


def fill(*, sizes: int, seed: int, progress: Progress, command: Sequence[str] = ROUNDS) -> Tally:
    """Live a day on so many full cards, each with another room left."""
    words = namespace()
    begun_s = time.monotonic()
    total = Tally(harm="disk", seed=seed, faults=0)
    task = progress.add_task("full cards", total=sizes)
    with tempfile.TemporaryDirectory(prefix="roadproof-disk-") as name:
        card, keys = Path(name) / "card", Path(name) / "keys"
        card.mkdir()
        make_keys(keys)
        told = [str(card), str(keys), "--seed", str(seed), "--sizes", str(sizes)]
        with closing(_lines([*words, *mortal([*command, *told])])) as lines:
            for line in lines:
                one = msgspec.json.decode(line, type=Tally)
                total.add(one)
                total.more = _together(total.more, one.more)
                progress.advance(task)
    total.seconds = round(time.monotonic() - begun_s, 1)
    return total


def _lines(command: Sequence[str]) -> Generator[str]:
    """What it says, line by line; UsageError when it ends badly. It does not outlive the listening."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:  # Ctrl-C is for us alone
        try:
            assert process.stdout is not None
            yield from process.stdout
            code = process.wait()
        finally:
            process.kill()
    if code:
        raise UsageError("the small file system of faults disk could not be used; its own words are above")


def _together(one: dict[str, object], more: dict[str, object]) -> dict[str, object]:
    """Counts added, sentences once each."""
    joined = dict(one)
    for name, value in more.items():
        before = joined.get(name, type(value)())
        joined[name] = [*before, *(text for text in value if text not in before)] if isinstance(value, list) else before + value  # type: ignore[operator, misc]
    return joined
