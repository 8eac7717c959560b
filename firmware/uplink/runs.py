"""A run as it comes from the fleet: checked, handed to the terminal, and, where it cannot be worked, refused once and in words."""

from __future__ import annotations

import logging
from hashlib import sha256
from typing import Any, Protocol

from firmware.diary import Diary
from firmware.journal import Draft, Journal, JournalFullError
from mqtt import messages
from mqtt.run import faults

log = logging.getLogger(__name__)

RUN_REFUSED = "run.refused"  # the event
REFUSED = "run_refused"  # the piece of work that names the newest refused run
FAULTS_TOLD = 5  # a file made by a broken program repeats itself


class Answer(Protocol):
    """What the terminal made of a run."""

    @property
    def ok(self) -> bool:
        """Whether it is taken, or waits for the driver's word."""

    @property
    def key(self) -> str | None:
        """Why not."""


class Worker(Protocol):
    """Who works a run."""

    def run_arrived(self, run: messages.Run) -> Answer:
        """Take it, or say why not."""


class RunInbox:
    """Retained, a run comes again with every session: a refused one is told to the fleet the first time only, also over a restart."""

    def __init__(self, *, unit: str, boot: str, journal: Journal, diary: Diary, worker: Worker) -> None:
        self._unit = unit
        self._boot = boot
        self._journal = journal
        self._diary = diary
        self._worker = worker
        self._refused = journal.work(REFUSED).get(REFUSED)

    def take(self, payload: bytes) -> None:
        """One message on the run's topic."""
        if _mark(payload) == self._refused:
            return
        try:
            run = messages.decode(payload, messages.Run)
        except messages.MessageError as error:
            self._refuse(payload, None, [f"it breaks the contract: {error}"])
            return
        if run.unit != self._unit:
            self._refuse(payload, run.n, [f"it is for unit {run.unit}"])
            return
        wrong = list(faults(run.plan))
        if wrong:
            self._refuse(payload, run.n, wrong)
            return
        answer = self._worker.run_arrived(run)
        if not answer.ok and answer.key == RUN_REFUSED:  # the terminal has told the fleet why
            self._remember(payload, [])

    def _refuse(self, payload: bytes, n: int | None, wrong: list[str]) -> None:
        log.warning("the run is refused, the one before it stays: %s", "; ".join(wrong[:FAULTS_TOLD]))
        data: dict[str, Any] = {"n": n, "faults": wrong[:FAULTS_TOLD], "more": max(0, len(wrong) - FAULTS_TOLD)}
        self._remember(payload, [self._diary.draft(RUN_REFUSED, data)])

    def _remember(self, payload: bytes, told: list[Draft]) -> None:
        self._refused = _mark(payload)
        try:
            self._journal.append(self._boot, told, work={REFUSED: self._refused})
        except JournalFullError as error:
            log.critical("%s; after a restart the refused run is told once more", error)


def _mark(payload: bytes) -> bytes:
    return sha256(payload).hexdigest().encode()
