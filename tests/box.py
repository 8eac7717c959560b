"""A unit's key, supply, clock and journal in the hands of a test, and the folder where it leaves its wishes to the system."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from drivers.buzzer import Sound
from firmware.box.power import Power
from firmware.box.requests import Requests
from firmware.box.screen import Screen
from firmware.clock import Clock
from firmware.diary import Diary
from firmware.journal import Series
from firmware.status import StatusBoard
from mqtt import messages
from mqtt.ranges import Ranges
from tests.journals import open_journal

BOOT = "0123456789abcdef"
STAY_ON_S = 60.0


class Stop(threading.Event):
    """Waiting costs no time; `wait` moves the clock instead."""

    def __init__(self, box: Box) -> None:
        super().__init__()
        self._box = box

    def wait(self, timeout: float | None = None) -> bool:
        self._box.mono_s += timeout or 0.0
        return self.is_set()


class HandPanel:
    """The wires, in the hands of a test."""

    def __init__(self) -> None:
        self.ignition: bool | None = True
        self.supply: bool | None = True

    def ignition_on(self) -> bool | None:
        return self.ignition

    def on_change(self, callback: Callable[[bool], None]) -> None:
        """Nobody asks."""

    def supply_good(self) -> bool | None:
        return self.supply

    def set_led(self, on: bool) -> None:
        """No lamp."""

    def sound(self, name: Sound) -> None:
        """No buzzer."""

    def close(self) -> None:
        """Nothing to close."""


class Box:
    """A unit's clock, journal, panel and the folder of its requests."""

    def __init__(self, folder: Path) -> None:
        self.mono_s = 1_000.0
        self.folder = folder / "run"
        self.panel = HandPanel()
        self.proving = False
        clock = Clock(mono_s=lambda: self.mono_s, ntp_mark=folder / "none")
        self.status = StatusBoard()
        diary = Diary(unit="van-1", boot=BOOT, clock=clock, status=self.status)
        self.journal = open_journal(folder)
        diary.open(self.journal)
        self.requests = Requests(self.folder)
        self.power = Power(
            panel=self.panel,
            status=self.status,
            diary=diary,
            clock=clock,
            requests=self.requests,
            stay_on_s=STAY_ON_S,
            proving=lambda: self.proving,
        )
        self.kiosk = folder / "kiosk"
        self._told = (clock, diary)

    def new_screen(self) -> Screen:
        clock, diary = self._told
        url = "http://127.0.0.1:8080/"
        return Screen(url=url, status=self.status, diary=diary, clock=clock, requests=self.requests, kiosk=self.kiosk)

    def wait(self, for_s: float, worker: Power | Screen | None = None) -> None:
        stop, end_s = Stop(self), self.mono_s + for_s
        while self.mono_s < end_s:
            (worker or self.power).step(stop)

    def asked(self, name: str) -> bool:
        return (self.folder / "requests" / name).exists()

    def events(self) -> list[messages.Event]:
        return [msgspec.json.decode(row.payload, type=messages.Event) for row in self.journal.waiting(Series.SEQ, Ranges(), 10**9)]
