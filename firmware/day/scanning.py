"""Where a barcode goes: to the sign-in, the load, or the stop; and which of several was meant. Pure."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from firmware.day import load, parcels, signin
from firmware.day.stops import is_open_count
from firmware.day.turn import Act, Nothing, Turn, is_moving, on, refuse
from firmware.day.work import Scanned, ScannedTogether, Work

LONGEST_SYMBOLOGY = 40  # characters, as a record takes it
CONTROL = re.compile("[\x00-\x1c\x1e\x1f\x7f-\x9f\ud800-\udfff]")  # GS, 0x1D, parts the fields of a GS1 message
MOST_CHOICES = 8  # that are worth a list
WHERE = on("load", "scan")


class Meant(msgspec.Struct, frozen=True):
    """One of the codes to choose from, counted from zero."""

    n: Annotated[int, Meta(ge=0, lt=MOST_CHOICES)]


def scan(turn: Turn, scanned: Scanned) -> None:
    """Take a barcode; a parcel's label has no control characters, and nothing is scanned while driving."""
    scanned = _checked(turn, scanned)
    if turn.work.face.choice:
        turn.face(choice=())
    screen = turn.work.face.screen
    if screen == "signin":
        signin.take_badge(turn, scanned)
    elif turn.work.day.driver is None:
        refuse("session.none")
    elif screen not in WHERE:
        refuse("scan.not_now")
    elif not scanned.sure and scanned.identity not in turn.work.codes:
        _doubt(turn, scanned)
    else:
        take = load.scan if screen == "load" else parcels.scan
        take(turn, scanned)


def sort_out(turn: Turn, together: ScannedTogether) -> None:
    """Take the one code of a picture that is waited for here; where there are several such, the driver taps the one that is meant.

    The other codes of a label (a route, a customer's number) are passed over; a picture without any that is waited for counts as its first
    code that is known. Where nothing was named beforehand, every code may be the one.
    """
    if not together.codes:
        refuse("scan.empty")
    if turn.work.face.screen == "signin":
        refuse("scan.one_alone")
    if turn.work.face.screen not in WHERE:
        refuse("scan.not_now")
    codes = [_checked(turn, code) for code in together.codes[:MOST_CHOICES] if _is_plain(code)]
    waited = [code for code in codes if _is_waited_for(turn, code)]
    if not waited:
        waited = [code for code in codes if code.identity in turn.work.codes][:1] or codes[:1] or list(together.codes[:1])
    if len(waited) == 1:
        scan(turn, waited[0])
    else:
        _ask(turn, *waited)


def is_choosing(work: Work) -> bool:
    """Whether the driver is asked which code is meant."""
    return bool((work.practice or work).face.choice)


def _checked(turn: Turn, scanned: Scanned) -> Scanned:
    if not scanned.code.strip():
        refuse("scan.empty")
    if not _is_plain(scanned):
        refuse("scan.control")
    if is_moving(turn.work, turn.moment):
        refuse("moving")
    return replace(scanned, symbology=scanned.symbology[:LONGEST_SYMBOLOGY])


def _is_plain(scanned: Scanned) -> bool:
    return not any(CONTROL.search(text) for text in (scanned.code, scanned.symbology, scanned.identity))


def _is_waited_for(turn: Turn, scanned: Scanned) -> bool:
    return load.awaits(turn.work, scanned) if turn.work.face.screen == "load" else parcels.awaits(turn, scanned)


def _doubt(turn: Turn, scanned: Scanned) -> None:
    """No list confirms what may be misread: the driver does, where it would be counted; else it is not held against the parcel."""
    if turn.work.face.screen == "scan" and is_open_count(turn.stop):
        _ask(turn, scanned)
    else:
        turn.sound = "wrong"
        turn.toast("wrong", "scan.unsure")


def _ask(turn: Turn, *codes: Scanned) -> None:
    """Let the driver tap the one that is meant; two tones, as for what was scanned already: look at the screen."""
    turn.face(choice=codes)
    turn.sound = "duplicate"


def _choose(turn: Turn, meant: Meant) -> None:
    """Take that one; the parcels among the others that are still waited for stay on the list."""
    choice = turn.work.face.choice
    if meant.n >= len(choice):
        refuse("command.not_now")
    screen = turn.work.face.screen
    scan(turn, replace(choice[meant.n], sure=True))
    left = [code for n, code in enumerate(choice) if n != meant.n and code.identity in turn.work.codes]
    if turn.work.face.screen == screen:  # the last parcel of a stop leads on
        turn.face(choice=tuple(code for code in left if _is_waited_for(turn, code)))


def _choose_none(turn: Turn, _: Nothing) -> None:
    turn.face(choice=())


COMMANDS = {
    "scan.choose": Act(Meant, _choose, WHERE),
    "scan.none": Act(Nothing, _choose_none, WHERE),
}
