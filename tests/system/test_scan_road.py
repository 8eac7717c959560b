"""The whole road: a parcel held before the simulated camera, read by the real decoder, told to the driver's job."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from drivers.barcode import Decoder
from drivers.camera import Camera, CameraSettings, open_camera
from drivers.sim import scenes
from drivers.sim.camera import CameraHands
from drivers.wedge import Wedges, WedgeSettings
from firmware.day.work import Scanned
from firmware.terminal.scanner import Scanner
from firmware.terminal.viewfinder import Mark, Viewfinder
from tests.eventually import eventually
from tests.pictures import jpeg

CODES = [f"(00){number}" for number in ("340123450000000017", "340123450000000024", "340123450000000031")]
NAMES = {f"sscc:00{code[4:]}" for code in CODES}


class Driver:
    """Wants scans, and keeps them."""

    def __init__(self) -> None:
        self.heard: list[Scanned] = []

    def wants(self) -> Literal["scan", "photo"] | None:
        return "scan"

    def scanned(self, *read: Scanned) -> bool:
        self.heard += read
        return True

    @property
    def names(self) -> list[str]:
        return [scan.identity for scan in self.heard]


class Road:
    """The worker on a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.hands = CameraHands(folder)
        self.camera: Camera = open_camera(CameraSettings(kind="simulated", scene_folder=str(folder)))
        self.decoder, self.driver, self.viewfinder = Decoder(), Driver(), Viewfinder()
        self._scanner = Scanner(
            camera=self.camera, decoder=self.decoder, wedges=Wedges(WedgeSettings()), terminal=self.driver, viewfinder=self.viewfinder
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._scanner.step(self._stop)
        self._scanner.finish()

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


def a_mark(viewfinder: Viewfinder) -> Mark | None:
    newest = viewfinder.latest()
    return newest.marks[0] if newest is not None and newest.marks else None


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    made = Road(tmp_path / "scene")
    yield made
    made.end()


def test_a_parcel_held_before_the_camera_is_scanned_once(road: Road) -> None:
    road.hands.show_parcel(CODES[:1])
    eventually(lambda: road.driver.names)
    mark = eventually(lambda: a_mark(road.viewfinder))
    assert mark is not None
    assert len(mark.corners) == 4
    assert mark.text == f"00{CODES[0][4:]}"
    assert road.driver.names == [f"sscc:00{CODES[0][4:]}"]


def test_three_labels_in_one_picture_are_three_scans(road: Road) -> None:
    road.hands.show_parcel(CODES)
    eventually(lambda: set(road.driver.names) == NAMES)
    assert len(road.driver.names) == 3


def test_a_doorstep_has_no_code_to_be_scanned_by_mistake(road: Road) -> None:
    assert road.decoder.read_picture(jpeg(scenes.doorstep())) == []


def test_the_reader_is_killed_and_the_camera_pulled_out_and_the_day_goes_on(road: Road) -> None:
    road.hands.show_parcel(CODES[:1])
    eventually(lambda: len(road.driver.names) == 1)
    assert road.decoder.pid is not None
    os.kill(road.decoder.pid, signal.SIGKILL)
    road.hands.show_parcel(CODES[1:2])
    eventually(lambda: len(road.driver.names) == 2)
    road.hands.unplug()
    eventually(lambda: road.camera.state in {"unplugged", "missing"})
    road.hands.show_parcel(CODES[2:])
    road.hands.plug()
    eventually(lambda: set(road.driver.names) == NAMES)


def test_a_dropped_picture_is_scanned_though_the_camera_is_gone(road: Road) -> None:
    road.hands.unplug()
    eventually(lambda: road.camera.state in {"unplugged", "missing"})
    road.viewfinder.drop(jpeg(scenes.parcel(CODES[:1])))
    eventually(lambda: road.driver.names == [f"sscc:00{CODES[0][4:]}"])
