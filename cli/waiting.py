"""A blank box that waits: USB sticks and the camera in turn, until one of the cards that come makes a unit of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from cli import enrol, sight
from drivers.board import BoardSettings
from drivers.errors import DriverError
from provisioning import source
from provisioning.card import Card, Wifi
from provisioning.enrol import FAULTS, SPENT, Enrolment
from provisioning.est.client import EstError
from provisioning.identity import Identity
from provisioning.source import Sheet, SourceError

LOOK_S = 2.0  # at the camera, between two looks for a stick; then a card that may work later is tried again
ASK = "show me the enrolment code: hold its QR before the camera, or plug in a USB stick with it in enrol.txt"
Tell = Callable[[str], None]
Begin = Callable[[Card], Enrolment]


def wait(begin: Begin, board: BoardSettings, tell: Tell) -> tuple[Enrolment, Identity]:
    """The enrolment that worked. What goes wrong is told, and the next card may come; one that may work later is tried again by itself."""
    with ExitStack() as held:
        waiting = Waiting(begin, _eye(held, board, tell), tell)
        tell(ASK)
        while True:
            done = waiting.step()
            if done is not None:
                return done


def _eye(held: ExitStack, board: BoardSettings, tell: Tell) -> sight.Eye | None:
    try:
        return held.enter_context(sight.opened(board))
    except DriverError as error:
        tell(str(error))
        return None


class Waiting:
    """One look after another."""

    def __init__(self, begin: Begin, eye: sight.Eye | None, tell: Tell) -> None:
        self._begin = begin
        self._eye = eye
        self._tell = tell
        self._told = ""
        self._card: Card | None = None  # the newest one, while it may still work
        self._spent = set[str]()
        self._joined: Wifi | None = None

    def step(self) -> tuple[Enrolment, Identity] | None:
        """Look everywhere once, and try the newest card; None when the box is no unit yet."""
        for sheet in self._sheets():
            if sheet.card is not None and sheet.card.text not in self._spent:
                self._card = sheet.card
                break
        return self._tried(self._card) if self._card else None

    def _tried(self, card: Card) -> tuple[Enrolment, Identity] | None:
        enrolment = self._begin(card)
        try:
            return enrolment, enrolment.run()
        except FAULTS as error:
            self._say(str(error))
            if isinstance(error, EstError) and error.kind in SPENT:
                self._spent.add(card.text)
                self._card = None
            return None

    def _sheets(self) -> Iterator[Sheet]:
        """What sticks and camera say now; a network is joined on the way."""
        for stick in source.sticks():
            try:
                sheet = source.read_stick(stick)
                self._join(sheet)
            except SourceError as error:
                self._say(str(error))
            else:
                yield sheet
        for text in self._seen():
            try:
                shown = source.read_text(text) or Sheet()
                self._join(shown)
            except SourceError as error:
                self._say(str(error))
            else:
                yield shown

    def _join(self, sheet: Sheet) -> None:
        """Join a network once: its code stays in sight for many pictures."""
        if sheet.wifi != self._joined:
            enrol.join(sheet, self._tell)
            self._joined = sheet.wifi or self._joined

    def _seen(self) -> Iterator[str]:
        """What the camera reads within LOOK_S, and what is wrong with it; without a camera the time passes."""
        until_s = time.monotonic() + LOOK_S
        if self._eye is not None:
            try:
                yield from self._eye.look(LOOK_S)
            except DriverError as error:
                self._say(str(error))
            if self._eye.sentence and self._card is None and not self._told:
                self._say(f"{self._eye.sentence} A USB stick with enrol.txt does as well.")
        time.sleep(max(0.0, until_s - time.monotonic()))

    def _say(self, line: str) -> None:
        """Tell a line when it is another one than the last."""
        if line != self._told:
            self._told = line
            self._tell(line)
