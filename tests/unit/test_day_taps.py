"""How many taps each task takes: design budgets, played through the machine. Scans by trigger are no taps."""

from __future__ import annotations

from firmware.day.work import Tick
from mqtt.run import CHECKLIST, Cod, Notice, Policy, Proofs
from tests.runs import BADGE, DAY, EVERYTHING, NINE_MS, PIN, PLAIN, Shift, at_the_door, codes, on_the_road, run, stop

PHOTO_ONLY = Proofs(scan="required", photo="required", signature="required", name="required")


def test_a_badge_signs_in_without_a_tap_and_a_pin_with_its_digits_and_ok() -> None:
    shift = Shift()
    shift.arrives(run())
    shift.give(Tick())
    shift.scan(BADGE)
    assert (shift.screen, shift.taps) == ("load", 0)
    shift.tap("session.end")
    shift.tap("session.pin", pin=PIN)
    assert shift.work.day.driver == "ann"
    assert shift.taps - 1 + len(PIN) <= 6


def test_a_vehicle_in_order_takes_two_taps_at_most() -> None:
    shift = Shift()
    shift.arrives(run(checklist=CHECKLIST))
    shift.tick()
    shift.scan(BADGE)
    shift.tap("check.submit", all_ok=True)
    assert shift.screen == "load"
    assert shift.taps <= 2


def test_loading_takes_one_tap_however_many_parcels() -> None:
    shift = Shift()
    shift.arrives(run(*(stop(f"s{number}", 10) for number in range(12))))
    shift.tick()
    shift.scan(BADGE)
    for number in range(12):
        shift.scan(*codes(f"s{number}", 10))
    shift.tap("load.done")
    assert (shift.screen, shift.taps) == ("route", 1)


def test_a_contactless_drop_takes_three() -> None:
    shift = at_the_door(stop("a", contactless="mailbox", proofs=PHOTO_ONLY))
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.shoot()
    shift.tap("pod.confirm")
    assert shift.taps == 3
    shift.tick(6)
    assert shift.proofs[0].outcome == "delivered_to_mailbox"


def test_a_hand_over_with_scans_alone_takes_two() -> None:
    shift = at_the_door(stop("a", proofs=PLAIN))
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.tap("pod.confirm")
    assert (shift.screen, shift.taps) == ("route", 2)


def test_a_delivery_with_a_signature_takes_five_after_arrival_by_geofence_and_six_without() -> None:
    shift = at_the_door(stop("a", proofs=EVERYTHING))
    _deliver_signed(shift)
    assert shift.taps == 5
    shift = on_the_road(stop("a", place=None, proofs=EVERYTHING))
    shift.tap("route.arrive", stop_id="a")
    _deliver_signed(shift)
    assert shift.taps == 6


def test_money_on_delivery_adds_three() -> None:
    shift = at_the_door(stop("a", proofs=EVERYTHING, cod=Cod(amount=2_490, currency="EUR")))
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.shoot()
    shift.tap("cash.amount", given=3_000)
    shift.tap("cash.method", method="cash")
    shift.tap("cash.taken")
    shift.sign()
    shift.tap("pod.name", relation="recipient", name="M. Kowalska")
    shift.tap("pod.confirm")
    assert shift.taps == 5 + 3


def test_an_exception_takes_four() -> None:
    shift = at_the_door(stop("a"))
    shift.tap("exception.start", scope="stop")
    shift.tap("exception.reason", code="not_home")
    shift.shoot()
    shift.tap("exception.confirm")
    assert (shift.screen, shift.taps) == ("route", 4)


def test_a_return_takes_five_with_the_one_that_ends_the_scanning() -> None:
    shift = at_the_door(stop("a", service="return", proofs=Proofs(scan="required", photo="required", signature="required")))
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.tap("pod.next")
    shift.shoot()
    shift.sign()
    shift.tap("pod.confirm")
    assert shift.taps == 5


def test_a_message_and_a_new_route_take_two() -> None:
    shift = on_the_road(messages=[Notice(message_id="m1", t=f"{DAY}T09:00:00.000Z", text="Gate closes at 18:00")])
    shift.tap("message.open")
    shift.tap("message.reply", message_id="m1", key="reply.ok")
    assert shift.taps == 2
    shift.taps = 0
    shift.arrives(run(stop("a"), stop("z"), n=2))
    shift.tap("message.open")
    shift.tap("run.accept")
    assert shift.taps == 2


def test_the_end_of_the_day_takes_three() -> None:
    shift = on_the_road(proofs=Policy(delivery=PLAIN))
    shift.be(at_ms=NINE_MS + 8 * 3_600_000)
    shift.tap("end.open")
    shift.tap("end.cash", counted=0)
    shift.tap("session.end")
    assert (shift.screen, shift.taps) == ("signin", 3)


def _deliver_signed(shift: Shift) -> None:
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.shoot()
    shift.sign()
    shift.tap("pod.name", relation="recipient", name="M. Kowalska")
    shift.tap("pod.confirm")
    assert shift.screen == "route"
