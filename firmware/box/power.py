"""The worker that has the box switched off: some time after the key, or at once when the vehicle's power is gone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from drivers.panel import Panel
from firmware.box.requests import Requests
from firmware.clock import Clock
from firmware.diary import Diary
from firmware.driving.rest import Reason, Rest
from firmware.status import StatusBoard

log = logging.getLogger(__name__)

FED_S = 1.0  # between looks while the vehicle feeds the box: the hold-up supply lasts for seconds
LOST_S = 0.25  # while it may come back
KEY_S = 2.0  # where that is not wired: the key is off for minutes first
DEAF_S = 60.0  # an orderly stop takes half of it at most: the system has not heard


class Power:
    """Watches key and supply, notes `power.off` and asks the system to go down; the orderly stop that follows closes the journal."""

    name = "power"
    may_be_left = True
    stall_s = 30.0  # a commit waits for the card's slowest moment

    def __init__(
        self,
        *,
        panel: Panel,
        status: StatusBoard,
        diary: Diary,
        clock: Clock,
        requests: Requests,
        stay_on_s: float,
        proving: Callable[[], bool] = lambda: False,
    ) -> None:
        """`proving`: whether the driver is in the middle of a proof."""
        self._panel = panel
        self._status = status
        self._diary = diary
        self._clock = clock
        self._requests = requests
        self._proving = proving
        self._rest = Rest(stay_on_s)
        self._asked_s: float | None = None
        self._complained = False

    def step(self, stop: threading.Event) -> None:
        """Look once, then wait."""
        now_s, supply_good = self._clock.mono_s(), self._panel.supply_good()
        reason = self._rest.update(
            now_s,
            ignition=self._panel.ignition_on(),
            supply_good=supply_good,
            moving=self._status.snapshot().moving,
            proving=self._proving(),
        )
        if reason is None:
            self._stay_on()
        elif self._asked_s is None:
            self._ask(reason, now_s)
        elif now_s - self._asked_s > DEAF_S:
            self._complain("roadproof-poweroff.path does not answer: systemctl status roadproof-poweroff.path says why")
        stop.wait(KEY_S if supply_good is None else FED_S if supply_good else LOST_S)

    def finish(self) -> None:
        """Nothing is held."""

    def _ask(self, reason: Reason, now_s: float) -> None:
        self._asked_s = now_s
        self._diary.note("power.off", {"reason": reason.value, "off_s": round(self._rest.off_s)})
        try:
            self._requests.power_off()
        except OSError as error:
            self._complain(f"the request cannot be written: {(error.strerror or str(error)).lower()}")
        else:
            log.warning("the box switches off: %s", "the vehicle's power is gone" if reason is Reason.SUPPLY else "the ignition is off")

    def _stay_on(self) -> None:
        """The key was turned, or the power is back, before the system went down."""
        if self._asked_s is not None:
            self._requests.stay_on()
            self._asked_s, self._complained = None, False

    def _complain(self, why: str) -> None:
        if not self._complained:
            log.error("the box should switch off and stays on; %s", why)
        self._complained = True
