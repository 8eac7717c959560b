"""Who took it: signature, the recipient's PIN, rating, name. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from firmware.day.delivery import advance
from firmware.day.pins import Pin, count_wrong, locked_ms, matches
from firmware.day.turn import Act, Sentence, Turn, on, refuse
from firmware.day.work import SignatureMade
from mqtt.run import Stop

Relation = Literal[
    "recipient", "family", "neighbour", "reception", "mailbox", "safe_place", "pickup_point", "other"
]  # fmt: skip


class Strokes(msgspec.Struct, frozen=True):
    """A signature as the page drew it; stored by the server, which answers with SignatureMade."""

    strokes: Any = None


class Unsigned(msgspec.Struct, frozen=True):
    """Nobody signed."""

    state: Literal["declined", "unable"]


class Named(msgspec.Struct, frozen=True):
    """Who received it."""

    relation: Relation
    name: Sentence | None = None


class GivenPin(msgspec.Struct, frozen=True):
    """What the recipient was sent."""

    pin: Pin


class Rated(msgspec.Struct, frozen=True):
    """The recipient's one tap; None: would rather not."""

    stars: Annotated[int, Meta(ge=1, le=5)] | None = None


def relations(stop: Stop) -> list[str]:
    """Who may receive it there."""
    agreed = [stop.contactless] if stop.contactless and stop.contactless not in stop.leave_with else []
    return ["recipient", *stop.leave_with, *agreed, "other"]


def ask_signature(_turn: Turn, _: Strokes) -> None:
    """A signature is wanted on this screen: nothing changes before it is stored."""


def take_signature(turn: Turn, made: SignatureMade) -> None:
    """A signature was stored; an earlier one of the same proof goes."""
    if turn.work.face.screen != "sign":
        refuse("signature.not_now")
    turn.drop(turn.draft.signature)
    turn.on_draft(signature=made.attachment, signature_state="signed")
    advance(turn)


def leave_unsigned(turn: Turn, given: Unsigned) -> None:
    """The recipient would not, or could not, sign."""
    turn.drop(turn.draft.signature)
    turn.on_draft(signature=None, signature_state=given.state)
    advance(turn)


def name(turn: Turn, given: Named) -> None:
    """Say who received it."""
    if given.relation not in relations(turn.stop):
        refuse("relation.not_allowed")
    text = (given.name or "").strip()
    turn.on_draft(relation=given.relation, name=text or None)


def take_pin(turn: Turn, given: GivenPin) -> None:
    """Check the recipient's PIN: five wrong ones in a row lock it for half a minute."""
    tries, moment = turn.draft.pin_tries, turn.moment
    left_ms = locked_ms(tries, moment)
    if left_ms:
        refuse("pin.locked", seconds=-(-left_ms // 1000))
    secret = turn.stop.pin or refuse("pin.not_asked")
    if matches(secret, given.pin):
        turn.on_draft(pin_passed=True)
        advance(turn)
        return
    tries = count_wrong(tries, moment)
    turn.on_draft(pin_tries=tries)
    turn.sound = "wrong"
    turn.toast("wrong", "pin.wrong_recipient")


def rate(turn: Turn, given: Rated) -> None:
    """Note the recipient's rating."""
    turn.on_draft(rated=True, rating=given.stars)
    advance(turn)


COMMANDS = {
    "pod.sign": Act(Strokes, ask_signature, on("sign")),
    "pod.unsigned": Act(Unsigned, leave_unsigned, on("sign")),
    "pod.name": Act(Named, name, on("name")),
    "pod.pin": Act(GivenPin, take_pin, on("pin")),
    "pod.rate": Act(Rated, rate, on("rate")),
}
