"""The whole self-test: every probe in its order, a finding for each."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence

import msgspec

from drivers.errors import DriverError
from firmware.selftest import clock, drill, fleet, gnss, modem, sight, storage, vehicle
from firmware.selftest.finding import KEYS, Finding, Key, Prompt, Result, Touch, bad
from firmware.selftest.place import Place

log = logging.getLogger(__name__)

PROBES: dict[Key, Callable[[Place], Result]] = {
    "gnss": gnss.gnss,
    "antenna": gnss.antenna,
    "camera": sight.camera,
    "scanner": sight.scanner,
    "touch": vehicle.touch,
    "ignition": vehicle.ignition,
    "voltage": vehicle.voltage,
    "storage": storage.storage,
    "clock": clock.clock,
    "modem": modem.modem,
    "broker": fleet.broker,
    "record": fleet.record,
    "plug": drill.plug,
}

# Asked before the probe, when somebody is there to do it.
PROMPTS: dict[Key, Callable[[Place], Prompt | None]] = {"ignition": vehicle.turn}


class BusyError(Exception):
    """Another self-test runs."""


class Selftest:
    """Tries the parts of one place; any thread may ask, one at a time gets in."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._touch: Touch | None = None
        self._newest: dict[Key, Finding] = {}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The newest of each part that was tested since the start, in order."""
        newest = self._newest.copy()
        return tuple(newest[key] for key in KEYS if key in newest)

    def touched(self, touch: Touch) -> Finding:
        """Take what the screen measured, for this test and the next ones."""
        self._touch = touch
        return self._finding("touch", msgspec.structs.replace(self._place, touch=touch))

    def run(
        self, only: Sequence[Key] | None = None, wait: Callable[[float], bool] | None = None, *, hands: bool = False
    ) -> Generator[Finding | Prompt, None, None]:
        """Test all parts, or those named, and yield each finding as it comes. `wait` waits, and says True when this is to end.

        With `hands` somebody stands beside the unit: a prompt comes before a finding for which he is to do something. BusyError while
        another test runs.
        """
        if not self._lock.acquire(blocking=False):
            raise BusyError("Another self-test is running, on the screen or at a keyboard; wait for its end.")
        try:
            place = msgspec.structs.replace(
                self._place, touch=self._touch, listen=functools.cache(self._place.listen), wait=wait or self._place.wait, hands=hands
            )
            for key in KEYS:
                if place.wait(0):
                    return
                if only and key not in only:
                    continue
                if hands and key in PROMPTS and (prompt := PROMPTS[key](place)):
                    yield prompt
                yield self._finding(key, place)
        finally:
            self._lock.release()

    def _finding(self, key: Key, place: Place) -> Finding:
        begun_s = time.monotonic()
        try:
            found = PROBES[key](place)
        except (DriverError, OSError, ValueError) as error:
            log.exception("the self-test of %s failed", key)
            found = bad(f"This could not be tested ({error}): send us the lines of sudo journalctl -u roadproof -n 50.")
        finding = Finding(key, found.state, found.sentence, found.facts, round((time.monotonic() - begun_s) * 1000))
        self._newest[key] = finding
        return finding
