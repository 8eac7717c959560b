"""The end of the road: a broker with TLS and the receiver behind it, on this machine or on the far side of tunnels."""

from __future__ import annotations

import getpass
import queue
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from cli import mosquitto
from cli.child import mortal
from cli.road.far_side import FarSide
from fleet.store import Store, open_store
from mqtt import topics
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.session import LinkError, Published
from provisioning.authority import bench

START_S = 30.0  # what a slow machine may take to start both programs
LOOK_S = 0.05
BROKER = """listener {port} {listens_on}
user {user}
allow_anonymous true
persistence false
certfile {folder}/broker.pem
keyfile {folder}/broker.key
"""
RECEIVER = """store = "sqlite://{folder}/fleet.db"
name = "receiver"
[evidence]
root = "{folder}/keys/receiver/root.pem"
issuing = "{folder}/keys/receiver/issuing.pem"
certificate = "{folder}/keys/receiver/receiver.pem"
key = "{folder}/keys/receiver/receiver.key"
seal_key = "{folder}/keys/receiver/seal.key"
units_folder = "{folder}/keys/units"
[broker]
host = "127.0.0.1"
port = {port}
tls_ca = "{folder}/broker.pem"
"""


class TownError(Exception):
    """The broker or the receiver does not start; the sentence says which and why."""


class Town:
    """Runs while it is entered. `units` get keys; `addresses` are those, besides this machine's own, by which the broker is reached.

    Everything is kept in `folder`: keys/ (authority, receiver, UNIT), fleet.db, the logs broker.log and receiver.log.
    """

    def __init__(self, folder: Path, *, units: Sequence[str], side: FarSide | None = None, addresses: Sequence[str] = ()) -> None:
        self.folder = folder
        self.keys = folder / "keys"
        self.port = mosquitto.free_port()
        self._units = list(units)
        self._side = side
        self._addresses = ["127.0.0.1", *addresses]
        self._programs = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._programs.close()
            raise
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._programs.close()

    def reached_by(self, host: str, port: int | None = None) -> BrokerSettings:
        """How a unit finds the broker at the end of its own road."""
        return BrokerSettings(host=host, port=port or self.port, tls_ca=str(self.folder / "broker.pem"))

    def store(self) -> Store:
        """What the receiver has stored, opened to read; close it."""
        store = open_store(f"sqlite://{self.folder}/fleet.db", writing=False)
        store.open()
        return store

    @property
    def logs(self) -> str:
        """Everything that both programs said."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in sorted(self.folder.glob("*.log")))

    def _start(self) -> None:
        program = mosquitto.program()
        if program is None:
            raise TownError("a broker is needed; install it with: sudo apt-get install mosquitto")
        self._make_keys()
        listens_on = "0.0.0.0" if self._side else "127.0.0.1"  # noqa: S104  all addresses of a network of its own
        told = {"folder": self.folder, "port": self.port, "listens_on": listens_on, "user": getpass.getuser()}
        (self.folder / "broker.conf").write_text(BROKER.format(**told), encoding="utf-8")
        (self.folder / "receiver.toml").write_text(RECEIVER.format(**told), encoding="utf-8")
        self._run("broker", [program, "-c", str(self.folder / "broker.conf")], self._answers)
        words = ["-P", "-m", "cli", "fleet", "receive", "--config", str(self.folder / "receiver.toml")]
        self._run("receiver", [sys.executable, *words], self._receives)

    def _run(self, name: str, words: list[str], ready: Callable[[], bool]) -> None:
        log_file = self.folder / f"{name}.log"
        with log_file.open("ab") as log:
            command = self._side.command(*words) if self._side else mortal(words)
            child = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._programs.callback(child.wait)
        self._programs.callback(child.terminate)
        end_s = time.monotonic() + START_S
        while not ready():
            if child.poll() is not None or time.monotonic() > end_s:
                said = log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise TownError(f"the {name} does not start: {said[-1] if said else 'it says nothing'}")
            time.sleep(LOOK_S)

    def _answers(self) -> bool:
        return self._asked(lambda _: True)

    def _receives(self) -> bool:
        """Whether the broker delivers to the receiver's subscription."""
        return self._asked(_is_subscribed)

    def _asked(self, question: Callable[[BrokerLink], bool]) -> bool:
        probe = BrokerLink(self.reached_by(self._addresses[-1]), "probe", [])
        try:
            probe.connect()
            return question(probe)
        except (LinkError, queue.Empty):
            return False
        finally:
            probe.close(orderly=True)

    def _make_keys(self) -> None:
        bench.make_root(self.keys / "authority")
        bench.issue_receiver(self.keys / "authority", "receiver", self.keys / "receiver")
        (self.keys / "units").mkdir()
        for unit in self._units:
            bench.issue_unit(self.keys / "authority", unit, self.keys / unit)
            shutil.copy(self.keys / unit / "unit.pem", self.keys / "units" / f"{unit}.pem")
        bench.make_broker(self.folder, self._addresses)


def _is_subscribed(probe: BrokerLink) -> bool:
    probe.publish(f"{topics.ROOT}/probe/up/hello", b"{}", 1)
    answer = probe.inbox.get(timeout=START_S)
    return isinstance(answer, Published) and answer.reason == 0
