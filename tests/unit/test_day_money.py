"""Money on delivery: exact, with change, by card reader, paid before, not paid, and never counted twice."""

from __future__ import annotations

from typing import Any

from firmware.day.payment import chips, looks_like_card
from mqtt.run import Cod
from tests.runs import PLAIN, Shift, at_the_door, codes, stop

EUR = Cod(amount=2_490, currency="EUR")


def begun(**changes: Any) -> Shift:
    shift = at_the_door(stop("a", **changes), stop("b"))
    shift.tap("pod.start")
    return shift


def confirmed(shift: Shift) -> Shift:
    shift.tap("pod.confirm")
    shift.tick(5)
    assert len(shift.proofs) == 1
    return shift


def test_a_correction_is_a_new_record_and_takes_no_money_twice() -> None:
    shift = at_the_door(stop("a", proofs=PLAIN, cod=EUR), stop("b"))
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.tap("cash.amount", given=5_000)
    shift.tap("cash.method", method="cash")
    shift.tap("cash.taken")
    confirmed(shift)
    shift.tap("pod.correct", stop_id="a")
    shift.tap("pod.name", relation="family")
    shift.tap("pod.confirm")
    shift.tick(5)
    first, second = shift.proofs
    assert (second.corrects, second.outcome) == (first.id, "delivered_to_third_party")
    assert (second.items, second.cash) == (first.items, first.cash)
    shift.tap("end.open")
    assert shift.d["cash_expected"] == [{"amount": 2_490, "currency": "EUR", "digits": 2}]


def test_change_is_reckoned_and_too_little_is_refused() -> None:
    shift = begun(proofs=PLAIN, cod=EUR)
    shift.scan(*codes("a", 2))
    assert [chip["amount"] for chip in shift.d["chips"]] == [2_490, 2_500, 3_000, 4_000]
    assert shift.refused("cash.amount", given=2_489) == "cash.too_little"
    shift.tap("cash.amount", given=3_000)
    assert shift.d["change"]["amount"] == 510
    assert shift.refused("cash.taken") == "cash.no_method"
    shift.tap("cash.method", method="cash")
    shift.tap("cash.taken")
    cash = confirmed(shift).proofs[0].cash
    assert cash is not None
    assert (cash.amount, cash.taken, cash.change) == (2_490, 3_000, 510)


def test_a_card_needs_the_readers_reference_and_never_its_number() -> None:
    shift = begun(proofs=PLAIN, cod=EUR)
    shift.scan(*codes("a", 2))
    shift.tap("cash.method", method="card")
    assert shift.refused("cash.taken") == "cash.no_reference"
    assert shift.refused("cash.method", method="card", reference="4111 1111 1111 1111") == "cash.card_number"
    shift.tap("cash.method", method="card", reference="TX-20261121-0007")
    shift.tap("cash.taken")
    cash = confirmed(shift).proofs[0].cash
    assert cash is not None
    assert (cash.taken, cash.reference) == (0, "TX-20261121-0007")


def test_only_digits_with_a_right_check_digit_look_like_a_card() -> None:
    assert looks_like_card("ref 5500-0000-0000-0004 ok")
    assert not looks_like_card("4111111111111112")
    assert not looks_like_card("411111111111")


def test_a_round_amount_is_not_offered_twice() -> None:
    assert chips(Cod(amount=1_000, currency="EUR")) == [1_000, 2_000, 5_000, 10_000]
    assert chips(Cod(amount=980, currency="JPY", digits=0)) == [980, 1_000]


def test_an_unpaid_order_becomes_an_exception_with_its_reason() -> None:
    shift = begun(proofs=PLAIN, cod=EUR)
    shift.scan(*codes("a", 2))
    shift.tap("cash.unpaid")
    assert (shift.screen, shift.d["reason"]) == ("exception", "not_paid")
    shift.tap("exception.confirm")
    shift.tick(5)
    assert (shift.proofs[0].outcome, shift.proofs[0].cash) == ("failed_payment_not_received", None)
