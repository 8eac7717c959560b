"""Money on delivery: exact, with change, by an external card reader, or paid before. Pure."""

from __future__ import annotations

import re

from firmware.day.progress import Payment
from firmware.day.proof import Cash
from mqtt.run import Cod

CARD_NUMBER = re.compile(r"(?<![0-9])(?:[0-9][ -]?){12,18}[0-9](?![0-9])")  # ISO/IEC 7812: 13 to 19 digits
NOTES = (5, 10, 20, 50, 100, 200, 500)  # in whole units of the currency: what people hand over
MOST_CHIPS = 4


def settled(due: Cod | None, payment: Payment) -> Cash | None:
    """What the record says of the money; None where none was due or taken."""
    if due is None or not payment.taken or payment.method is None:
        return None
    given = payment.given if payment.method == "cash" and payment.given is not None else 0
    return Cash(
        amount=due.amount,
        taken=given,
        change=max(0, given - due.amount) if payment.method == "cash" else 0,
        currency=due.currency,
        digits=due.digits,
        method=payment.method,
        reference=payment.reference,
    )


def chips(due: Cod) -> list[int]:
    """Amounts to tap: the exact one first, then what people are likely to hand over."""
    unit = 10**due.digits
    rounded = sorted({-(-due.amount // (note * unit)) * note * unit for note in NOTES} - {due.amount})
    return [due.amount, *rounded][:MOST_CHIPS]


def looks_like_card(text: str) -> bool:
    """Whether a reference holds a card's number: 13 to 19 digits with a right check digit (Luhn, ISO/IEC 7812-1)."""
    return any(_luhn_holds(re.sub("[ -]", "", found)) for found in CARD_NUMBER.findall(text))


def _luhn_holds(digits: str) -> bool:
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0  # noqa: PLR2004 - 9: the sum of 10 to 18's digits
