"""What the daemon costs while it drives without a page: the real process, a van on its serial line, a broker and the fleet's receiver."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cli.bench.card import mounted
from cli.bench.figure import Told, at_most
from cli.bench.measure import broker, processor_s, running, until
from cli.bench.memory import memory_of
from cli.bench.unit import UNIT, roadproof
from drivers.sim.line import Drive, SerialLine
from drivers.sim.panel import PanelHands
from drivers.sim.ublox import SimulatedUblox
from drivers.sim.van import VirtualVan
from mqtt import topics
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.session import Delivery

SETTLED_S = 30.0  # self-test, birth, the first commits
WINDOW_S = 120.0  # whole commits and whole batches
FAST_HZ = 10
PATIENCE_S = 30.0
HOUR_S = 3_600
MEMORY = Path("/dev/shm")  # noqa: S108  a folder of our own in it, in memory as /run is on the unit
MB = 1e6

FIGURES = (
    Told("CPU", "s an hour", f"the daemon's processor time at 1 Hz without a page, over {WINDOW_S:.0f} s of real time", at_most(6)),
    Told(f"CPU, {FAST_HZ} Hz", "s an hour", f"the same at {FAST_HZ} Hz"),
    Told("memory without the page", "MB", "VmRSS of the daemon while it drives at 1 Hz", at_most(40)),
    Told("first fix on air", "s", "from the start of the process until a subscriber has its first live position; loopback"),
)
CARD_FIGURES = (
    Told("device", "bytes a fix", "that reach the block device under ext4, file system included; 1 Hz, commits of 10 s", at_most(2_500)),
)

# Every setting that costs anything is the default.
UNIT_TOML = """unit = "{unit}"
runtime_folder = "{runtime}"
[board]
profile = "simulated"
gnss_port = "{folder}/gnss"
sim_socket = "{folder}/panel"
[broker]
host = "127.0.0.1"
port = {port}
tls = false
[journal]
folder = "{journal}"
"""
FLEET_TOML = """store = "sqlite://{folder}/fleet.db"
[broker]
host = "127.0.0.1"
port = {port}
tls = false
"""


class Driving(msgspec.Struct, frozen=True):
    """A unit at work: its process, and how long its first live position took."""

    pid: int
    first_fix_s: float


def ask(folder: Path, seed: int) -> Mapping[str, float]:
    """Processor time and memory of a van that drives."""
    return measured(folder, seed, settled_s=SETTLED_S, window_s=WINDOW_S)


def ask_card(folder: Path, seed: int) -> Mapping[str, float]:
    """What a fix costs on the card; UsageError where no file system may be mounted."""
    return written(folder, seed, settled_s=SETTLED_S, window_s=WINDOW_S)


def measured(folder: Path, seed: int, *, settled_s: float, window_s: float) -> dict[str, float]:
    """Every figure of `FIGURES`, over so many seconds after so many."""
    with driving(_empty(folder / "slow"), seed) as slow:
        time.sleep(settled_s)
        spent_s = _spent_s(slow.pid, window_s)
        held = memory_of(slow.pid)
    with driving(_empty(folder / "fast"), seed, rate_hz=FAST_HZ) as fast:
        time.sleep(settled_s)
        spent_fast_s = _spent_s(fast.pid, window_s)
    return {
        "CPU": spent_s / window_s * HOUR_S,
        f"CPU, {FAST_HZ} Hz": spent_fast_s / window_s * HOUR_S,
        "memory without the page": held.rss_bytes / MB,
        "first fix on air": slow.first_fix_s,
    }


def written(folder: Path, seed: int, *, settled_s: float, window_s: float) -> dict[str, float]:
    """Every figure of `CARD_FIGURES`: bytes over so many seconds after so many, at a fix a second."""
    with mounted(folder) as card, driving(folder, seed, journal=card.folder):
        time.sleep(settled_s)
        before_bytes = card.written_bytes()
        time.sleep(window_s)
        return {"device": (card.written_bytes() - before_bytes) / window_s}


@contextmanager
def driving(folder: Path, seed: int, *, rate_hz: float = 1.0, journal: Path | None = None) -> Iterator[Driving]:
    """A unit in a van that drives, whose first live position has come; `journal` is a folder for it on another file system."""
    with (
        broker(folder) as port,
        _receiving(folder, port),
        _watching(port) as watcher,
        _van(folder, seed, rate_hz),
        tempfile.TemporaryDirectory(prefix="roadproof-bench-", dir=MEMORY if MEMORY.is_dir() else None) as runtime,
    ):
        told = UNIT_TOML.format(unit=UNIT, folder=folder, runtime=runtime, port=port, journal=journal or folder / "journal")
        (folder / "unit.toml").write_text(told, encoding="utf-8")
        began_s = time.monotonic()
        with running(roadproof("run", "--config", str(folder / "unit.toml"))) as daemon:
            while not isinstance(watcher.inbox.get(timeout=PATIENCE_S), Delivery):
                pass
            yield Driving(pid=daemon.pid, first_fix_s=time.monotonic() - began_s)


def _spent_s(pid: int, window_s: float) -> float:
    """The processor time that a process, all its threads together, takes within a window."""
    before_s = processor_s(pid)
    time.sleep(window_s)
    return processor_s(pid) - before_s


@contextmanager
def _receiving(folder: Path, port: int) -> Iterator[None]:
    (folder / "fleet.toml").write_text(FLEET_TOML.format(folder=folder, port=port), encoding="utf-8")
    with running(roadproof("fleet", "receive", "--config", str(folder / "fleet.toml"))):
        until((folder / "fleet.db").exists)
        yield


@contextmanager
def _watching(port: int) -> Iterator[BrokerLink]:
    link = BrokerLink(BrokerSettings(host="127.0.0.1", port=port, tls=False), "watcher", [topics.LIVE.topic(UNIT)])
    link.connect()
    try:
        yield link
    finally:
        link.close(orderly=True)


@contextmanager
def _van(folder: Path, seed: int, rate_hz: float) -> Iterator[None]:
    """A receiver of 1 Hz takes orders as a u-blox; a faster one takes none, for the daemon would slow it down."""
    van = VirtualVan(seed, start=datetime.now(UTC).replace(microsecond=0), rate_hz=rate_hz)
    line, hands = SerialLine(folder / "gnss"), PanelHands(folder / "panel")
    drive = Drive(van, line, panel=hands, answer=SimulatedUblox(line).answer if rate_hz == 1 else None)
    drive.start()
    try:
        yield
    finally:
        drive.stop()
        hands.close()
        line.unplug()


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder
