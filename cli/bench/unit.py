"""A whole unit that stands at the kerb: the daemon as a process, with keys, a camera that sees a doorstep, a broker and a receiver."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cli import mosquitto
from cli.bench.measure import broker, running, until
from drivers.sim.camera import CameraHands
from drivers.sim.line import Drive, SerialLine
from drivers.sim.panel import PanelHands
from drivers.sim.van import VirtualVan
from firmware import status as statuses
from firmware.status import Status
from firmware.status_file import STATUS_FILE
from mqtt.login import BrokerSettings
from provisioning.authority import bench

UNIT = "van-017"
STANDING_S = 3_600.0

UNIT_TOML = """unit = "{unit}"
runtime_folder = "{folder}/run"
[board]
profile = "simulated"
gnss_port = "{folder}/gnss"
sim_socket = "{folder}/panel"
camera = "simulated"
scene_folder = "{folder}/scene"
[broker]
host = "127.0.0.1"
port = {port}
tls = false
[journal]
folder = "{folder}/journal"
[terminal]
enabled = true
port = {page_port}
[evidence]
certificate = "{folder}/keys/unit/unit.pem"
key = "{folder}/keys/unit/unit.key"
issuing = "{folder}/keys/unit/issuing.pem"
root = "{folder}/keys/unit/root.pem"
receiver = "{folder}/keys/receiver/receiver.pem"
seal_to = "{folder}/keys/receiver/seal.pub"
"""
FLEET_TOML = """store = "sqlite://{folder}/fleet.db"
name = "bench-receiver"
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
tls = false
"""


class Unit(msgspec.Struct, frozen=True):
    """Where it is to be found."""

    folder: Path
    pid: int
    page_port: int
    broker: BrokerSettings

    @property
    def status(self) -> Status:
        """What it last said of itself."""
        return statuses.read(self.folder / "run" / STATUS_FILE) or Status()

    @property
    def journal(self) -> Path:
        """Its journal's file."""
        return self.folder / "journal" / "journal.db"

    @property
    def fleet(self) -> Path:
        """The receiver's settings."""
        return self.folder / "fleet.toml"

    @property
    def keys(self) -> Path:
        """The folder of everybody's keys."""
        return self.folder / "keys"


@contextmanager
def standing_unit(folder: Path) -> Iterator[Unit]:
    """A unit in a van that stands, which has said that it runs."""
    bench.make_keys(folder / "keys", UNIT)
    CameraHands(folder / "scene").show_doorstep()
    with broker(folder) as port, _parked_van(folder):
        page_port = mosquitto.free_port()
        told = {"unit": UNIT, "folder": folder, "port": port, "page_port": page_port}
        (folder / "fleet.toml").write_text(FLEET_TOML.format(**told), encoding="utf-8")
        (folder / "unit.toml").write_text(UNIT_TOML.format(**told), encoding="utf-8")
        with running(roadproof("fleet", "receive", "--config", str(folder / "fleet.toml"))):
            until((folder / "fleet.db").exists)
            with running(roadproof("run", "--config", str(folder / "unit.toml"))) as daemon:
                unit = Unit(folder, daemon.pid, page_port, BrokerSettings(host="127.0.0.1", port=port, tls=False))
                until(lambda: unit.status.pid == unit.pid and unit.status.has_fix and mosquitto.answers(page_port))
                yield unit


def roadproof(*words: str) -> list[str]:
    """A command of ours."""
    return [sys.executable, "-P", "-m", "cli", *words]


def typed(*words: str) -> None:
    """Run a command of ours to its good end."""
    subprocess.run(roadproof(*words), check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _parked_van(folder: Path) -> Iterator[None]:
    van = VirtualVan(start=datetime.now(UTC).replace(microsecond=0))
    van.park(STANDING_S)
    line, hands = SerialLine(folder / "gnss"), PanelHands(folder / "panel")
    drive = Drive(van, line, panel=hands)
    drive.start()
    try:
        yield
    finally:
        drive.stop()
        hands.close()
        line.unplug()
