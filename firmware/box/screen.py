"""The worker that looks after the browser of the kiosk: one that draws no more is started anew."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from firmware.box.requests import Requests
from firmware.clock import Clock
from firmware.diary import Diary
from firmware.status import StatusBoard

log = logging.getLogger(__name__)

KIOSK = Path("/run/roadproof-kiosk")  # RuntimeDirectory of roadproof-kiosk.service: there as long as it runs
LOOK_S = 5.0  # as often as the page speaks
SILENT_S = 30.0  # the page says every 5 s that it draws
START_S = 120.0  # a cold browser on a slow card
FIRST_PAUSE_S, LONGEST_PAUSE_S = 60.0, 1_800.0  # a screen that is broken for good must not fill the journal


class Silence:
    """Decides when a silent page is reason to start its browser anew. Pure; seconds of one clock that never steps."""

    def __init__(self) -> None:
        self._began_s: float | None = None  # when the browser was first seen to run
        self._next_s = 0.0
        self._pause_s = FIRST_PAUSE_S

    def update(self, now_s: float, *, running: bool, seen_s: float | None) -> float | None:
        """For how long the page has been silent when its browser is to be started anew now, else None.

        `seen_s`: when a page last said that it draws. While no browser runs there is nothing to start anew.
        """
        if not running:
            self._began_s = None
            return None
        self._began_s = now_s if self._began_s is None else self._began_s
        drew = seen_s is not None and seen_s >= self._began_s
        silent_s = now_s - (seen_s if drew and seen_s is not None else self._began_s)
        if silent_s < (SILENT_S if drew else START_S):
            if drew:
                self._pause_s = FIRST_PAUSE_S
            return None
        if now_s < self._next_s:
            return None
        self._next_s = now_s + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        return silent_s


class Screen:
    """Says where the page is, then watches that somebody draws it. `kiosk`: the folder that is there while the browser's unit runs."""

    name = "screen"
    may_be_left = True
    stall_s = 30.0  # a commit waits for the card's slowest moment

    def __init__(self, *, url: str, status: StatusBoard, diary: Diary, clock: Clock, requests: Requests, kiosk: Path = KIOSK) -> None:
        self._status = status
        self._diary = diary
        self._clock = clock
        self._requests = requests
        self._kiosk = kiosk
        self._silence = Silence()
        self._try("the browser is not told where the page is", lambda: requests.show_page(url))

    def step(self, stop: threading.Event) -> None:
        """Look once, then wait."""
        seen_s = self._status.snapshot().kiosk_seen_s
        silent_s = self._silence.update(self._clock.mono_s(), running=self._kiosk.is_dir(), seen_s=seen_s)
        if silent_s is not None:
            log.warning("the page has not drawn for %.0f s; its browser is started anew", silent_s)
            self._diary.note("kiosk.restarted", {"silent_s": round(silent_s)})
            self._try("the browser is not started anew", self._requests.restart_kiosk)
        stop.wait(LOOK_S)

    def finish(self) -> None:
        """Nothing is held."""

    def _try(self, else_what: str, ask: Callable[[], None]) -> None:
        try:
            ask()
        except OSError as error:  # a full tmpfs must not end the recording
            log.error("%s: %s", else_what, (error.strerror or str(error)).lower())  # noqa: TRY400  one sentence for the technician
