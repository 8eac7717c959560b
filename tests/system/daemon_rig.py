"""The daemon as a process of its own: its settings file, its serial line with a van on it, and its life and death."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from drivers.sim.line import Drive, SerialLine
from drivers.sim.panel import PanelHands
from drivers.sim.van import VirtualVan
from firmware import status as statuses
from firmware.status import Status
from firmware.status_file import STATUS_FILE
from tests.eventually import eventually

ROOT = Path(__file__).resolve().parents[2]
UNIT = "van-1"
START = datetime(2026, 12, 11, 6, 30, tzinfo=UTC)
# The real daemon, one of whose workers raises or hangs as soon as the file that is named first exists.
BROKEN = """
import logging, pathlib, sys, threading
from firmware.app import Daemon
from firmware.config import load

logging.basicConfig(format="%(asctime)s %(levelname)s %(threadName)s %(message)s", level="WARNING")
cue, fault, name, config = sys.argv[1:]
daemon = Daemon(load(pathlib.Path(config)))
worker = next(worker for worker in daemon.workers if worker.name == name)
step = worker.step

def broken(stop):
    if pathlib.Path(cue).exists():
        if fault == "raise":
            raise ZeroDivisionError("a bug")
        worker.stall_s = 0.5
        threading.Event().wait()
    step(stop)

worker.step = broken
sys.exit(daemon.run())
"""


class DaemonRig:
    """One unit in a folder."""

    def __init__(self, folder: Path, port: int, *, commit_s: int = 10, journal: Path | None = None, speed: float = 1.0) -> None:
        self.folder = folder
        self.journal = journal or folder / "journal"
        self.config = folder / "unit.toml"
        self.line = SerialLine(folder / "gnss")
        self.hands = PanelHands(folder / "panel")
        self.drive = Drive(VirtualVan(1, start=START), self.line, speed=speed, panel=self.hands)
        self.process: subprocess.Popen[str] | None = None
        self.program = ["-m", "cli"]
        self.config.write_text(
            f'unit = "{UNIT}"\nruntime_folder = "{folder}/run"\n'
            f'[board]\nprofile = "simulated"\ngnss_port = "{folder}/gnss"\nsim_socket = "{folder}/panel"\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {port}\ntls = false\n'
            f'[journal]\nfolder = "{self.journal}"\nquota_mb = 50\nkeep_hours = 0\ncommit_s = {commit_s}\n'
            "[track]\nbound_m = 0\n[uplink]\nbatch_s = 2\n",
            encoding="utf-8",
        )

    def with_terminal(self, keys: Path, port: int) -> None:
        """Give it a driver's screen; the folder has unit/ and receiver/ with their keys."""
        unit, receiver = keys / "unit", keys / "receiver"
        with self.config.open("a", encoding="utf-8") as file:
            file.write(
                f'[terminal]\nenabled = true\nport = {port}\n[evidence]\ncertificate = "{unit}/unit.pem"\nkey = "{unit}/unit.key"\n'
                f'issuing = "{unit}/issuing.pem"\nroot = "{unit}/root.pem"\nreceiver = "{receiver}/receiver.pem"\n'
                f'seal_to = "{receiver}/seal.pub"\n'
            )

    def start(self, *, bell: Path | None = None, broken: Sequence[str] = ()) -> subprocess.Popen[str]:
        """As systemd starts it; `broken`: cue file, raise or hang, worker."""
        command = [sys.executable, "-c", BROKEN, *broken] if broken else [sys.executable, *self.program, "run", "--config"]
        environment = {**os.environ, **({"NOTIFY_SOCKET": str(bell)} if bell else {})}
        self.log = (self.folder / "daemon.log").open("a+", encoding="utf-8")
        self.process = subprocess.Popen([*command, str(self.config)], cwd=ROOT, stderr=self.log, text=True, env=environment)
        self.log.close()
        return self.process

    def start_and_wait(self, **how: Path | Sequence[str] | None) -> None:
        """Until it writes its status."""
        process = self.start(**how)  # type: ignore[arg-type]

        def up() -> bool:
            assert process.poll() is None, self.told()
            found = self.status()
            return found is not None and found.pid == process.pid

        eventually(up, 30)

    def status(self) -> Status | None:
        return statuses.read(self.folder / "run" / STATUS_FILE)

    def seen(self) -> Status:
        found = self.status()
        assert found is not None
        return found

    def told(self) -> str:
        """What it wrote on stderr."""
        return (self.folder / "daemon.log").read_text(encoding="utf-8")

    def end(self, number: signal.Signals = signal.SIGTERM, within_s: float = 30.0) -> int:
        """Send a signal; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(within_s)

    def journal_show(self) -> dict[str, dict[str, int]]:
        """What `roadproof journal show --json` says, by series."""
        command = [sys.executable, "-m", "cli", "journal", "show", "--json", "--config", str(self.config)]
        shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return {one["series"]: one for one in json.loads(shown.stdout)["series"]}

    def close(self) -> None:
        """Whatever happened, nothing stays."""
        self.drive.stop()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.hands.close()
        self.line.unplug()
