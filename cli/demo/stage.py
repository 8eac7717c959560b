"""The actors: a real broker, the real daemon, the real receiver, and a van that is not there."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from cli import mosquitto
from cli.demo import day
from cli.demo.aide import Aide
from cli.demo.settings import FLEET_TOML, UNIT_TOML
from cli.road.road import Road
from drivers.sim.camera import CameraHands
from drivers.sim.line import Drive, SerialLine
from drivers.sim.panel import PanelHands
from drivers.sim.route import ghent
from drivers.sim.van import VirtualVan
from firmware import status as statuses
from firmware.clock import BUILD_DATE
from firmware.status import Status
from firmware.status_file import STATUS_FILE
from fleet import pods
from fleet.pods import PodSight
from fleet.store import Counts, Store, StoreError, open_store
from mqtt.codec import TrackPoint
from mqtt.run import Plan
from provisioning.authority import bench

Told = TypeVar("Told")

UNIT = "van-017"
PAGE_PORT = 8_080
PAGE_OPEN_S = 15.0  # an open page says every 5 s that it is there
START_S = 20.0  # what a slow machine may take to start a program
FINISH_S = 20.0
ROUND_S = 120.0  # what the van's clock gains in a driver's round of the demo: while it stands it gains nothing
DAY_MS = 86_400_000
COUNTERS = ("fixes_read", "live_sent", "track_sent", "receipts")


class StageError(Exception):
    """The demo cannot be played here; the sentence says why."""


class Stage:
    """Everything that runs during the demo; use it in a `with`."""

    def __init__(self, folder: Path, *, speed: float, seconds: float) -> None:
        self.folder = folder
        self.restarts = 0
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._broker_port = mosquitto.free_port()
        self._broker = mosquitto.program()
        if self._broker is None:
            raise StageError("the demo needs a broker; install it with: sudo apt-get install mosquitto")
        # The van's day ends now: a simulated clock that runs ahead of this machine's would date everything into the future.
        start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=(seconds + START_S) * speed)
        floor = datetime(BUILD_DATE.year, BUILD_DATE.month, BUILD_DATE.day, tzinfo=UTC) + timedelta(days=1)
        self.radio = Road(self._broker_port)
        self.line = SerialLine(folder / "gnss")
        self._route = ghent()
        self.drive = Drive(
            VirtualVan(start=max(start, floor), route=self._route), self.line, speed=speed, panel=PanelHands(folder / "panel")
        )
        self._page_port = mosquitto.free_port(PAGE_PORT)
        self.page = f"http://127.0.0.1:{self._page_port}/"
        self.aide = Aide(self.page, self.drive, CameraHands(folder / "scene"))
        self._status = Status()
        self._before = dict.fromkeys(COUNTERS, 0)  # counted by daemons that were killed

    def __enter__(self) -> Self:
        try:
            self._raise_curtain()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    def _raise_curtain(self) -> None:
        told = {"unit": UNIT, "folder": self.folder, "page_port": self._page_port}
        bench.make_keys(self.folder / "keys", UNIT)
        mosquitto.write_config(self.folder / "broker.conf", self._broker_port)
        (self.folder / "fleet.toml").write_text(FLEET_TOML.format(port=self._broker_port, **told), encoding="utf-8")
        (self.folder / "unit.toml").write_text(UNIT_TOML.format(port=self.radio.port, **told), encoding="utf-8")
        assert self._broker is not None
        self._start("broker", [self._broker, "-c", str(self.folder / "broker.conf")])
        self._wait_for("broker", lambda: mosquitto.answers(self._broker_port))
        self._start("fleet", _roadproof("fleet", "receive", "--config", str(self.folder / "fleet.toml")))
        self._wait_for("fleet", (self.folder / "fleet.db").exists)
        self.start_unit()
        self._send_run(day.plan(self._route, datetime.now(UTC)))
        self.drive.start()

    def _send_run(self, plan: Plan) -> None:
        file = self.folder / "run.json"
        file.write_bytes(msgspec.json.format(msgspec.json.encode(plan)))
        words = _roadproof("fleet", "send-run", str(file), "--unit", UNIT, "--config", str(self.folder / "fleet.toml"))
        sent = subprocess.run(words, capture_output=True, text=True, timeout=START_S, check=False)
        if sent.returncode:
            raise StageError(f"the day's run could not be sent: {sent.stderr.strip()}")

    # --- hands

    def welcome(self) -> None:
        """Clear the road for a driver: no tunnel, and the network is back."""
        self.drive.leave_tunnel()
        self.radio.restore()

    def plan_round(self) -> None:
        """Plan the day anew from where the van was held: doors that are close, and the true time, or his proofs would be found false."""
        epoch = self.drive.epoch
        doors_m = day.doors_ahead(self._route, epoch.driven_m % self._route.length_m if epoch else 0.0)
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=ROUND_S)
        self.drive.begin_round(doors_m, at)
        self._send_run(day.plan(self._route, at, doors_m))

    def look_after_the_driver(self) -> None:
        """Stop the van for the driver, hold the next parcel before the camera, give a unit that died its power back."""
        if not self.unit_runs:
            self._mourn()
            self.start_unit()
        self.aide.look(page_open=self.page_open)

    def start_unit(self) -> None:
        """Start the daemon, as systemd does on the vehicle."""
        self._start("unit", _roadproof("run", "--config", str(self.folder / "unit.toml")))
        self._wait_for("unit", lambda: (status := self._read_status()) is not None and status.pid == self._children["unit"].pid)

    def pull_the_plug(self) -> None:
        """End the daemon as a power cut does: in the middle of whatever it does."""
        self._children["unit"].send_signal(signal.SIGKILL)
        self._children["unit"].wait()
        self._mourn()

    def _mourn(self) -> None:
        """Note what a daemon that died had counted, once a life."""
        if self.status().pid != self._children["unit"].pid:
            return
        for name in COUNTERS:
            self._before[name] = self.total(name)
        gone = dict.fromkeys(COUNTERS, 0)  # what lies on the card stays: the last that was said of it is still true
        self._status = msgspec.structs.replace(self._status, pid=0, has_fix=False, fixes_held=0, position=None, ignition=None, **gone)
        (self.folder / "run" / STATUS_FILE).unlink(missing_ok=True)  # it lies in memory: a power cut takes it too
        self.restarts += 1

    def finish(self, look: Callable[[], None]) -> None:
        """Park the van, wait until everything is receipted, end the daemon in order; `look` is called while it takes."""
        self.radio.restore()
        self.drive.stop()
        if not self.unit_runs:
            self._mourn()
            self.start_unit()
        end_s = time.monotonic() + FINISH_S
        while time.monotonic() < end_s and not self._is_quiet():
            look()
            time.sleep(0.1)
        self._end("unit")
        look()

    def close(self) -> None:
        """End what still runs."""
        self.drive.stop()
        for name in ("unit", "fleet", "broker"):
            self._end(name)
        self.line.unplug()
        self.radio.close()

    # --- looks

    @property
    def page_open(self) -> bool:
        """Whether a browser shows the terminal's page."""
        seen_s = self.status().kiosk_seen_s
        return seen_s is not None and time.monotonic() - seen_s < PAGE_OPEN_S

    def proofs(self) -> list[PodSight]:
        """The proofs that the fleet holds, as `fleet pods` shows them; empty while its store is busy."""
        return self._ask(lambda store: pods.sights(store, UNIT)) or []

    @property
    def unit_runs(self) -> bool:
        """Whether the daemon has power."""
        return self._children["unit"].poll() is None

    def total(self, counter: str) -> int:
        """One of the daemon's COUNTERS over all its lives."""
        return self._before[counter] + int(getattr(self.status(), counter))

    def status(self) -> Status:
        """What the daemon last said of itself."""
        found = self._read_status()
        if found is not None and found.pid == self._children["unit"].pid:
            self._status = found
        return self._status

    def counts(self) -> Counts | None:
        """What the fleet's store holds, None while it is busy."""
        return self._ask(lambda store: store.counts(UNIT))

    def trail(self, limit: int = 2_000) -> list[TrackPoint]:
        """The fixes that the fleet holds, oldest first."""
        return self._ask(lambda store: _newest_fixes(store, limit)) or []

    def _ask(self, question: Callable[[Store], Told]) -> Told | None:
        try:
            store = open_store(self.store_url, writing=False)
            store.open()
        except StoreError:
            return None
        try:
            return question(store)
        except StoreError:
            return None
        finally:
            store.close()

    @property
    def store_url(self) -> str:
        """Where the fleet keeps its records."""
        return f"sqlite://{self.folder}/fleet.db"

    @property
    def journal_file(self) -> Path:
        """Where the unit keeps its records."""
        return self.folder / "journal" / "journal.db"

    # --- inside

    def _is_quiet(self) -> bool:
        status = self.status()
        return not (status.fixes_held or status.seq.waiting or status.tseq.waiting or status.blobs_waiting)

    def _read_status(self) -> Status | None:
        return statuses.read(self.folder / "run" / STATUS_FILE)

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            # An own session: Ctrl-C reaches the demo alone, which then ends everything in order.
            self._children[name] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)

    def _wait_for(self, name: str, ready: Callable[[], bool]) -> None:
        end_s = time.monotonic() + START_S
        while not ready():
            if self._children[name].poll() is not None or time.monotonic() > end_s:
                told = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise StageError(f"the {name} of the demo does not start: {told[-1] if told else 'it says nothing'}")
            time.sleep(0.05)

    def _end(self, name: str) -> None:
        child = self._children.get(name)
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(FINISH_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _newest_fixes(store: Store, limit: int) -> list[TrackPoint]:
    newest = store.newest_fix(UNIT)
    return list(store.fixes(UNIT, newest.t_ms - DAY_MS, newest.t_ms))[-limit:] if newest else []


def _roadproof(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "cli", *words]
