"""The cash step: amount, way of paying, taken, or not paid. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from firmware.day import exceptions
from firmware.day.delivery import advance
from firmware.day.payment import looks_like_card
from firmware.day.progress import Payment
from firmware.day.turn import PLAIN, Act, Nothing, Turn, on, refuse
from mqtt.run import Cod


class Amount(msgspec.Struct, frozen=True):
    """What the recipient hands over, in the currency's smallest unit."""

    given: Annotated[int, Meta(ge=0, le=10**12)]


class Method(msgspec.Struct, frozen=True):
    """How it is paid."""

    method: Literal["cash", "card", "paid"]
    reference: Annotated[str, Meta(max_length=64, pattern=PLAIN)] | None = None


def take_amount(turn: Turn, amount: Amount) -> None:
    """So much is in the driver's hand."""
    due = _due(turn)
    if amount.given < due.amount:
        refuse("cash.too_little", due={"amount": due.amount, "currency": due.currency, "digits": due.digits})
    turn.on_draft(payment=replace(turn.draft.payment, given=amount.given, taken=False))


def choose(turn: Turn, given: Method) -> None:
    """Say how it is paid; of a card only the reader's reference is kept."""
    if given.method not in _due(turn).methods:
        refuse("cash.method_not_allowed")
    reference = (given.reference or "").strip()
    if looks_like_card(reference):
        refuse("cash.card_number")
    turn.on_draft(payment=replace(turn.draft.payment, method=given.method, reference=reference or None, taken=False))


def confirm(turn: Turn, _: Nothing) -> None:
    """The money is here, or was never to be collected here."""
    payment = turn.draft.payment
    if payment.method is None:
        refuse("cash.no_method")
    if payment.method == "cash" and payment.given is None:
        refuse("cash.no_amount")
    if payment.method == "card" and not payment.reference:
        refuse("cash.no_reference")
    turn.on_draft(payment=replace(payment, taken=True))
    turn.sound = "accept"
    advance(turn)


def give_up(turn: Turn, _: Nothing) -> None:
    """Nobody pays: the stop fails for that reason, once the driver confirms it."""
    turn.on_draft(payment=Payment())
    exceptions.begin(turn, reason="not_paid")


def _due(turn: Turn) -> Cod:
    return turn.stop.cod or refuse("cash.none_due")


COMMANDS = {
    "cash.amount": Act(Amount, take_amount, on("cod")),
    "cash.method": Act(Method, choose, on("cod")),
    "cash.taken": Act(Nothing, confirm, on("cod")),
    "cash.unpaid": Act(Nothing, give_up, on("cod")),
}
