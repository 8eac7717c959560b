"""The page itself: going back, language, theme, hand, and lifting the lock-out. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from firmware.day import delivery, exceptions
from firmware.day.turn import Act, Nothing, Turn, refuse


class Theme(msgspec.Struct, frozen=True):
    """Bright or dark."""

    theme: Literal["auto", "day", "night"]


class Language(msgspec.Struct, frozen=True):
    """ISO 639-1."""

    lang: Annotated[str, Meta(pattern=r"^[a-z]{2}$(?!\n)")]


class Hand(msgspec.Struct, frozen=True):
    """On which side the main button is."""

    hand: Literal["right", "left"]


def back(turn: Turn, _: Nothing) -> None:
    """Where the driver came from; nothing is lost by it."""
    screen = turn.work.face.screen
    if screen in delivery.STEPS:
        delivery.back(turn, Nothing())
    elif screen == "exception":
        exceptions.cancel(turn)
    elif screen == "messages":
        turn.show(turn.work.face.back)
    elif screen in {"stop", "drive", "end"}:
        turn.show("route")
    elif screen == "check" and turn.work.day.check.phase == "after":
        turn.show("end")
    else:
        refuse("back.nowhere")


def set_theme(turn: Turn, given: Theme) -> None:
    """Bright or dark."""
    turn.face(theme=given.theme)


def set_language(turn: Turn, given: Language) -> None:
    """The page's language."""
    turn.face(lang=given.lang)


def set_hand(turn: Turn, given: Hand) -> None:
    """Left- or right-handed."""
    turn.face(hand=given.hand)


def stay_alive(_turn: Turn, _: Nothing) -> None:
    """The page lives: nothing changes."""


def override(turn: Turn, _: Nothing) -> None:
    """Somebody who does not drive uses the screen: the fleet is told, the lock-out returns once the vehicle has stood."""
    if turn.moment.moving is not True:
        refuse("override.not_needed")
    turn.face(override=True)
    turn.note("motion.override", driver=turn.work.day.driver)


COMMANDS = {
    "ui.back": Act(Nothing, back, moving=True, signed_in=False),
    "ui.theme": Act(Theme, set_theme, moving=True, signed_in=False),
    "ui.lang": Act(Language, set_language, moving=True, signed_in=False),
    "ui.hand": Act(Hand, set_hand, moving=True, signed_in=False),
    "ui.alive": Act(Nothing, stay_alive, moving=True, signed_in=False),
    "motion.override": Act(Nothing, override, moving=True, signed_in=False),
}
