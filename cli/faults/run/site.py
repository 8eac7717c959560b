"""Everything that the storm blows on: a unit with a screen in a van, the road, a broker, a receiver, their files."""

from __future__ import annotations

import getpass
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from cli import mosquitto
from cli.errors import UsageError
from cli.faults.run.actor import Actor
from cli.faults.run.backups import Backups, PostgresPlace, SqlitePlace
from cli.faults.run.forecast import BROKER_CONF, FLEET_TOML, UNIT, UNIT_TOML, Forecast
from cli.faults.run.memory import Memory
from cli.faults.run.round import RefusedError, Round, plan
from cli.road.road import Road
from drivers.sim.camera import CameraHands
from drivers.sim.line import Drive, SerialLine
from drivers.sim.panel import PanelHands
from drivers.sim.van import VirtualVan
from firmware import status as statuses
from firmware.status import Status
from firmware.status_file import STATUS_FILE
from fleet.dispatch import send_run
from mqtt.login import BrokerSettings
from provisioning.authority import bench

START_S = 60.0  # what a slow machine may take to start a program
LOOK_S = 0.1
UNDO_S = 6.0  # a confirmed proof can be undone for five seconds; then it is signed
KEEP_HOURS = 1  # in the second half of a storm; in the first half a receipted record leaves the card with the next commit


class Site:
    """Use it in a `with`; it begins with a driver who is signed in."""

    def __init__(self, folder: Path, forecast: Forecast) -> None:
        program = mosquitto.program()
        if program is None:
            raise UsageError("faults run needs a broker; install it with: sudo apt-get install mosquitto")
        self.folder = folder
        self.memory = Memory()
        self.keeps = False  # whether receipted records stay on the unit, for a receiver that is set back
        self._forecast = forecast
        place = PostgresPlace(forecast.postgres) if forecast.postgres else SqlitePlace(folder)
        self.backups = Backups(place, folder)
        self._store = place.url
        self._broker_port, self._page_port = mosquitto.free_port(), mosquitto.free_port()
        self.unit = Actor("unit", [*forecast.unit, "--config", str(folder / "unit.toml")], folder)
        self.broker = Actor("broker", [program, "-c", str(folder / "broker.conf")], folder)
        self.receiver = Actor("receiver", [*forecast.receiver, "--config", str(self.fleet)], folder)
        self.road = Road(self._broker_port)
        self._line, self._panel = SerialLine(folder / "gnss"), PanelHands(folder / "panel")
        van = VirtualVan(forecast.seed, start=datetime.now(UTC).replace(microsecond=0), rate_hz=forecast.rate_hz)
        self._drive = Drive(van, self._line, panel=self._panel)
        self._drive.hold()
        camera = CameraHands(folder / "scene")
        camera.show_doorstep()
        self.driver = Round(self._page_port, self._drive, camera, forecast.seconds, forecast.seed)

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End what still runs."""
        self._drive.stop()
        self.driver.give_up()
        for actor in self.actors:
            actor.kill()
        self.road.close()
        self._panel.close()
        self._line.unplug()

    @property
    def actors(self) -> tuple[Actor, ...]:
        """In the order in which they end."""
        return self.unit, self.receiver, self.broker

    @property
    def fleet(self) -> Path:
        """The receiver's settings."""
        return self.folder / "fleet.toml"

    @property
    def status(self) -> Status:
        """What the unit last said of itself."""
        return statuses.read(self.folder / "run" / STATUS_FILE) or Status()

    def _begin(self) -> None:
        bench.make_keys(self.folder / "keys", UNIT)
        self._write_settings()
        (self.folder / "broker").mkdir(exist_ok=True)
        self.broker.start()
        self._await(self.broker, lambda: mosquitto.answers(self._broker_port))
        self.receiver.start()
        self._drive.start()
        self.unit.start()
        self._await(self.unit, lambda: self.status.pid == self.unit.pid and self.status.has_fix)
        send_run(BrokerSettings(host="127.0.0.1", port=self._broker_port, tls=False), UNIT, plan(self._forecast.seconds))
        try:
            self.driver.sign_in()
        except RefusedError as error:
            raise UsageError(f"no driver can sign in here: {error}; the unit last said: {self.unit.last_words}") from None

    def _write_settings(self) -> None:
        told = {
            "unit": UNIT,
            "folder": self.folder,
            "road_port": self.road.port,
            "broker_port": self._broker_port,
            "page_port": self._page_port,
            "keep_hours": KEEP_HOURS if self.keeps else 0,
            "forget_on": self._forecast.forget_on,
            "store": self._store,
            "user": getpass.getuser(),
        }
        for name, text in (("unit.toml", UNIT_TOML), ("fleet.toml", FLEET_TOML), ("broker.conf", BROKER_CONF)):
            (self.folder / name).write_text(text.format(**told), encoding="utf-8")

    def _await(self, actor: Actor, ready: Callable[[], bool]) -> None:
        until_s = time.monotonic() + START_S
        while not ready():
            if not actor.runs or time.monotonic() > until_s:
                raise UsageError(f"the {actor.name} does not start here: {actor.last_words}")
            time.sleep(LOOK_S)

    # --- hands

    def look(self) -> None:
        """Remember what is committed now."""
        self.memory.look(self._journal)

    def kill_unit(self) -> None:
        """End it in the middle, with a look before and after."""
        self.look()
        self.unit.kill()
        self.look()

    def kill_receiver(self) -> None:
        """End it in the middle; what it leaves behind is backed up where a backup can be of use."""
        self.receiver.kill()
        if self.keeps:
            self.backups.make()

    def set_receiver_back(self) -> None:
        """End it in the middle, and put the store of the oldest backup in place of the present one."""
        self.receiver.kill()
        self.backups.go_back()

    def wipe_broker(self) -> None:
        """End it in the middle, and all that it saved is gone."""
        self.broker.kill()
        shutil.rmtree(self.folder / "broker")
        (self.folder / "broker").mkdir()

    def begin_keeping(self) -> None:
        """From now on receipted records stay on the unit, so that backups are of use; make the first."""
        self.keeps = True
        self.kill_unit()
        self.kill_receiver()
        self._write_settings()
        self.receiver.start()
        self.unit.start()

    # --- the end

    def park(self) -> None:
        """No more fixes."""
        self._drive.stop()

    def is_settled(self) -> bool:
        """Whether everything that was committed is receipted. As the unit says: its journal notes a receipt with a later commit."""
        said = self.status
        quiet = said.pid == self.unit.pid and not (said.fixes_held or said.seq.waiting or said.tseq.waiting or said.blobs_waiting)
        signed = time.monotonic() - max(self.driver.confirmed.values(), default=0.0) > UNDO_S
        return quiet and signed

    def waiting(self) -> str:
        """What is not settled yet, for people."""
        said = self.status
        return f"{said.seq.waiting + said.tseq.waiting} records and {said.blobs_waiting} attachments wait"

    @property
    def _journal(self) -> Path:
        return self.folder / "journal" / "journal.db"
