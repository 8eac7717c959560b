"""Some damaged files, and settings that only fail when the parts are made, given to the real `roadproof run`."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.progress import Progress

from cli import mosquitto
from cli.child import mortal
from cli.faults.config.bytewise import damaged
from cli.faults.config.file import NAME, TEXT, UNIT, stays_inside
from cli.faults.config.typewise import with_value
from cli.faults.tally import Tally
from firmware import config as configs
from firmware import status as statuses
from firmware.config import SettingsError
from firmware.journal.look import JournalLook
from firmware.status_file import STATUS_FILE
from provisioning.authority import bench

RUN = (sys.executable, "-P", "-m", "cli", "run")
READY_S, END_S = 60.0, 30.0
# Good as text, and unusable when the parts are made: each in another part.
UNUSABLE = (
    ("evidence.key", '"keys/unit/none.key"'),
    ("evidence.certificate", '"roadproof.toml"'),
    ("evidence.seal_to", '"keys/unit/unit.pem"'),
    ("board.profile", '"none"'),
    ("board.sim_socket", '"keys"'),
    ("journal.folder", '"roadproof.toml"'),
    ("runtime_folder", '"roadproof.toml"'),
    ("terminal.port", "TAKEN"),
)


class Van:
    """A unit in a folder of its own that has driven once, with good settings."""

    def __init__(self, folder: Path, command: Sequence[str], taken: int) -> None:
        self.folder = folder
        self.file = folder / NAME
        self.tally = Tally(harm="config", faults=0, states=0, lost=0, corrupt=0, tracebacks=0)
        self.fell_back = 0
        self._command = command
        self._taken = taken
        self._bell = folder / "bell"
        bench.make_keys(folder / "keys", UNIT)
        self.text = with_value(TEXT, "terminal.port", str(mosquitto.free_port()))
        self.start(self.text.encode(), "the good file")

    def start(self, content: bytes, what: str) -> None:
        """Start it on this file, end it in order, and count what became of it."""
        self.file.write_bytes(content)
        self.tally.faults = (self.tally.faults or 0) + 1
        events = len(self._events())
        with self._running() as (process, ready):
            found = statuses.read(self.folder / "run" / STATUS_FILE) if ready else None
        told = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
        self._count("tracebacks", what, told, wrong="Traceback" in told)
        self._count("lost", what, told, wrong=found is None or found.pid != process.pid)
        self._count("corrupt", what, told, wrong=ready and process.returncode != 0)
        new = self._events()[events:]
        if found is not None and found.settings:
            self.fell_back += 1
            self._count("corrupt", what, f"no event says so: {new}", wrong="config.refused" not in new)
        self._count("corrupt", what, "it never said power.on", wrong=ready and "power.on" not in new)
        self.tally.states = (self.tally.states or 0) + 1

    def unusable(self) -> Iterator[tuple[bytes, str]]:
        """Files that are well formed and cannot be used all the same."""
        for key, value in UNUSABLE:
            yield with_value(self.text, key, value.replace("TAKEN", str(self._taken))).encode(), f"{key} = {value}"

    def _count(self, field: str, what: str, told: str, *, wrong: bool) -> None:
        if wrong:
            setattr(self.tally, field, getattr(self.tally, field) + 1)
            self.tally.examples.append(f"{what}: {told[-300:]}")

    def _events(self) -> list[str]:
        journal = self.folder / "journal" / "journal.db"
        if not journal.exists():
            return []
        with JournalLook(journal) as look:
            return [msgspec.json.decode(row.payload)["event"] for row, good in look.rows() if good and row.kind == "event"]

    @contextmanager
    def _running(self) -> Iterator[tuple[subprocess.Popen[bytes], bool]]:
        """The daemon, and whether it said READY as systemd wants it; at the end it is told to end."""
        self._bell.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell, (self.folder / "log").open("wb") as log:
            bell.bind(str(self._bell))
            bell.settimeout(0.2)
            environment = {**os.environ, "NOTIFY_SOCKET": str(self._bell)}
            command = [*self._command, "--config", NAME]
            process = subprocess.Popen(mortal(command), cwd=self.folder, stdout=log, stderr=log, env=environment)
            try:
                yield process, self._heard(bell, process)
            finally:
                process.terminate()
                try:
                    process.wait(END_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _heard(self, bell: socket.socket, process: subprocess.Popen[bytes]) -> bool:
        """Whether it became ready and wrote its status."""
        heard = b""
        for _ in range(round(READY_S / 0.2)):
            try:
                heard += bell.recv(1_000)
            except TimeoutError:
                if process.poll() is not None:
                    return False
            found = statuses.read(self.folder / "run" / STATUS_FILE)
            if b"READY=1" in heard and found is not None and found.pid == process.pid:
                return True
        return False


def damage(folder: Path, seed: int, starts: int, progress: Progress, command: Sequence[str] = RUN) -> Tally:
    """So many starts of the real daemon, each on a file that is damaged otherwise."""
    task = progress.add_task("starts of the daemon", total=starts)
    own = folder / "van"
    own.mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        van = Van(own, command, taken.getsockname()[1])
        chance = random.Random(seed)  # noqa: S311  a reproducible choice, no secret
        for content, what in [*van.unusable(), *_chosen(van, chance, starts)][:starts]:
            van.start(content, what)
            progress.advance(task)
            van.file.write_text(van.text, encoding="utf-8")
            configs.keep_good(van.file, configs.load(van.file))
    van.tally.more = {"starts": starts, "on_the_last_good": van.fell_back}
    shutil.rmtree(own)
    return van.tally


def _chosen(van: Van, chance: random.Random, count: int) -> list[tuple[bytes, str]]:
    """Some of the damage by the byte: what cannot be read, or names no folder outside the van's own."""
    every = list(damaged(van.text.encode(), chance.randrange(2**32)))
    chosen = list[tuple[bytes, str]]()
    while len(chosen) < count:
        content, what = chance.choice(every)
        van.file.write_bytes(content)
        try:
            harmless = stays_inside(configs.load(van.file))
        except SettingsError:
            harmless = True
        if harmless:
            chosen.append((content, what))
    return chosen
