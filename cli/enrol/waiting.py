"""A blank box that waits: USB sticks and the camera in turn, until one of the cards that come makes a unit of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from cli import enrol
from cli.enrol import glass, sight
from drivers.board import BoardSettings
from drivers.errors import DriverError
from firmware.config import TerminalSettings
from firmware.kiosk.reception import Reception
from firmware.terminal.viewfinder import Viewfinder
from provisioning import source
from provisioning.card import Card, Wifi
from provisioning.enrol import FAULTS, SPENT, Enrolment, Step
from provisioning.est.client import EstError
from provisioning.identity import FOLDER, Identity, IdentityError, read
from provisioning.source import Sheet, SourceError

LOOK_S = 2.0  # at the camera, between two looks for a stick; then a card that may work later is tried again
ASK = "show me the enrolment code: hold its QR before the camera, or plug in a USB stick with it in enrol.txt"
Tell = Callable[[str], None]
Begin = Callable[[Card], Enrolment]
Done = Callable[[Identity, float], None]  # who the box is, and how many seconds that took


class Blank(msgspec.Struct, frozen=True, kw_only=True):
    """The box as it is before it has an identity."""

    state: Path  # where the identity will be
    board: BoardSettings
    terminal: TerminalSettings


def wait(begin: Begin, blank: Blank, tell: Tell, done: Done) -> None:
    """Until the box is a unit; `done` hears it. What goes wrong is told, and the next card may come.

    One that may work later is tried again by itself. Where there is a screen, it shows all that, and stays a while when the box is done.
    """
    reception, viewfinder = glass.reception_of(blank.terminal), Viewfinder()
    with ExitStack() as held:
        page = held.enter_context(glass.lit(reception, viewfinder, blank.board, blank.terminal, tell))
        waiting = Waiting(begin, _eye(held, blank.board, viewfinder, tell), tell, reception)
        tell(ASK)
        identity, take_s = _waited(waiting, blank.state)
        done(identity, take_s)
        reception.become(unit=identity.unit, vehicle=identity.vehicle, fingerprint=identity.fingerprint)
        if page is not None:
            page.linger()


def _waited(waiting: Waiting, state: Path) -> tuple[Identity, float]:
    while True:
        made = waiting.step()
        if made is not None:
            enrolment, identity = made
            return identity, enrolment.take_s
        other = _by_another_way(state)
        if other is not None:
            return other, 0.0


def _by_another_way(state: Path) -> Identity | None:
    """Who the box has become meanwhile, by a command over SSH for instance."""
    try:
        return read(state / FOLDER)
    except IdentityError:  # told as soon as a card comes
        return None


def _eye(held: ExitStack, board: BoardSettings, viewfinder: Viewfinder, tell: Tell) -> sight.Eye | None:
    try:
        return held.enter_context(sight.opened(board, viewfinder))
    except DriverError as error:
        tell(str(error))
        return None


class Waiting:
    """One look after another. `tell` gets what is new; `reception` is what a screen shows, if there is one."""

    def __init__(self, begin: Begin, eye: sight.Eye | None, tell: Tell, reception: Reception | None = None) -> None:
        self._begin = begin
        self._eye = eye
        self._tell = tell
        self._reception = reception or glass.reception_of(TerminalSettings())
        self._told = ""
        self._card: Card | None = None  # the newest one, while it may still work
        self._begun: Card | None = None  # the one that was tried last
        self._spent = set[str]()
        self._joined: Wifi | None = None
        self._reception.see("none" if eye is None else eye.state)

    def step(self) -> tuple[Enrolment, Identity] | None:
        """Look everywhere once, and try the newest card; None when the box is no unit yet."""
        for sheet in self._sheets():
            if sheet.card is not None and sheet.card.text not in self._spent:
                self._card = sheet.card
                if sheet.card != self._begun:  # else it was tried and may work later: not before a whole look, which takes its time
                    break
        return self._tried(self._card) if self._card else None

    def _tried(self, card: Card) -> tuple[Enrolment, Identity] | None:
        enrolment = self._begin(card)
        if card != self._begun:  # else it is tried again, and what went wrong stays on the screen until it gets further
            self._begun = card
            self._reception.begin(card.unit)
        try:
            return enrolment, enrolment.run(self._reach)
        except FAULTS as error:
            spent = isinstance(error, EstError) and error.kind in SPENT
            self._say(str(error))
            self._reception.refuse(str(error), again=not spent)
            if spent:
                self._spent.add(card.text)
                self._card = None
            return None

    def _reach(self, step: Step) -> None:
        self._told = ""  # the step was told meanwhile: what goes wrong after it is told again
        self._reception.reach(step)

    def _sheets(self) -> Iterator[Sheet]:
        """What sticks and camera say now; a network is joined on the way."""
        for stick in source.sticks():
            try:
                sheet = source.read_stick(stick)
                self._join(sheet)
            except SourceError as error:
                self._refuse(error)
            else:
                yield sheet
        for text in self._seen():
            try:
                shown = source.read_text(text) or Sheet()
                self._join(shown)
            except SourceError as error:
                self._refuse(error)
            else:
                yield shown

    def _join(self, sheet: Sheet) -> None:
        """Join a network once: its code stays in sight for many pictures."""
        if sheet.wifi is not None and sheet.wifi != self._joined:
            self._reception.join(sheet.wifi.ssid)
            enrol.join(sheet, self._tell)
            self._reception.joined()
            self._joined = sheet.wifi

    def _seen(self) -> Iterator[str]:
        """What the camera reads within LOOK_S, and what is wrong with it; without a camera the time passes."""
        until_s = time.monotonic() + LOOK_S
        if self._eye is not None:
            try:
                for text in self._eye.look(LOOK_S):
                    self._reception.see(self._eye.state)
                    yield text
            except DriverError as error:
                self._say(str(error))
            self._reception.see(self._eye.state)
            if self._eye.sentence and self._card is None and not self._told:
                self._say(f"{self._eye.sentence} A USB stick with enrol.txt does as well.")
        time.sleep(max(0.0, until_s - time.monotonic()))

    def _refuse(self, error: SourceError) -> None:
        """Something is no card: said once, on the screen until something else comes."""
        if str(error) != self._told:
            self._reception.refuse(str(error))
        self._say(str(error))

    def _say(self, line: str) -> None:
        """Tell a line when it is another one than the last."""
        if line != self._told:
            self._told = line
            self._tell(line)
