"""One stop's proof: its steps, what may be left out, what is never lost, and what the record says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from firmware.day.work import PhotoMade
from mqtt.run import Cod, Contact, Proofs, Reason
from tests.runs import EVERYTHING, PLAIN, Shift, at_the_door, attachment, codes, on_the_road, secret, stop

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


def to_name(**changes: Any) -> Shift:
    shift = begun(**({"proofs": EVERYTHING} | changes))
    shift.scan(*codes("a", 2))
    shift.shoot()
    shift.sign()
    assert shift.screen == "name"
    return shift


def test_the_last_expected_scan_and_a_good_photo_lead_on_by_themselves() -> None:
    shift = begun(proofs=EVERYTHING)
    shift.scan("JD-a-1")
    assert shift.screen == "scan"
    shift.scan("JD-a-2")
    assert shift.screen == "photo"
    shift.shoot()
    assert shift.screen == "sign"


@pytest.mark.parametrize("warning", ["blurred", "dark"])
def test_a_bad_photo_is_looked_at_and_remarked_when_it_is_kept(warning: Any) -> None:
    shift = begun(proofs=EVERYTHING)
    shift.scan(*codes("a", 2))
    shift.shoot("first", warning)
    assert shift.d["review"]["warning"] == warning
    shift.tap("pod.photo_again")
    assert len(shift.dropped) == 1
    shift.shoot("second", warning)
    shift.tap("pod.photo_keep")
    shift.sign()
    shift.tap("pod.name", relation="recipient", name="Ann")
    assert confirmed(shift).proofs[0].flags == (f"photo_{warning}",)


def test_a_required_photo_cannot_be_skipped_while_the_camera_works() -> None:
    shift = begun(proofs=EVERYTHING)
    shift.scan(*codes("a", 2))
    assert shift.refused("pod.photo_skip", reason="privacy") == "photo.needed"
    assert shift.refused("pod.next") == "photo.needed"


@pytest.mark.parametrize("broken", [{"camera": "unplugged"}, {"disk_full": True}])
def test_a_proof_without_a_photo_is_always_possible_when_none_can_be_made(broken: Any) -> None:
    shift = begun(proofs=EVERYTHING)
    shift.be(**broken)
    shift.scan(*codes("a", 2))
    shift.tap("pod.photo_skip", reason="camera")
    shift.tap("pod.unsigned", state="unable")
    shift.tap("pod.name", relation="recipient", name="Ann")
    proof = confirmed(shift).proofs[0]
    assert proof.flags == ("no_photo",)
    assert proof.recipient is not None
    assert proof.recipient.signature_state == "unable"
    assert proof.attachments == ()


@pytest.mark.parametrize(
    ("relation", "outcome"),
    [
        ("recipient", "delivered_to_recipient"),
        ("family", "delivered_to_third_party"),
        ("neighbour", "delivered_to_third_party"),
        ("mailbox", "delivered_to_mailbox"),
        ("safe_place", "delivered_to_safe_place"),
        ("pickup_point", "delivered_to_pickup_point"),
    ],
)
def test_who_receives_it_decides_the_outcome(relation: str, outcome: str) -> None:
    shift = to_name(leave_with=("family", "neighbour", "mailbox", "safe_place", "pickup_point"))
    shift.tap("pod.name", relation=relation, name="Somebody")
    assert confirmed(shift).proofs[0].outcome == outcome


def test_a_neighbour_needs_a_name_and_a_place_that_was_not_agreed_is_refused() -> None:
    shift = to_name()
    assert shift.refused("pod.confirm") == "name.needed"
    shift.tap("pod.name", relation="neighbour")
    assert shift.d["lacks"] == ["name"]
    assert shift.refused("pod.name", relation="mailbox") == "relation.not_allowed"


def test_undo_brings_back_the_last_step_and_hands_nothing_out() -> None:
    shift = to_name()
    shift.tap("pod.name", relation="recipient", name="Ann")
    shift.tap("pod.confirm")
    assert shift.page()["overlay"]["kind"] == "undo"
    shift.tick(4.9)
    shift.tap("pod.undo")
    assert (shift.screen, shift.d["name"], shift.proofs) == ("name", "Ann", [])
    confirmed(shift)


def test_after_five_seconds_it_is_handed_out_once_and_undo_comes_too_late() -> None:
    shift = to_name()
    shift.tap("pod.name", relation="recipient", name="Ann")
    shift.tap("pod.confirm")
    shift.be(mono_ms=shift.now.mono_ms + 5_000)
    assert shift.refused("pod.undo") == "undo.late"
    shift.tick()
    shift.tick()
    assert len(shift.proofs) == 1


def test_beginning_the_next_proof_hands_out_the_one_before() -> None:
    shift = at_the_door(stop("a", proofs=PLAIN), stop("b"))
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.tap("pod.confirm")
    shift.tap("route.stop", stop_id="b")
    shift.tap("pod.start")
    assert [proof.stop_id for proof in shift.proofs] == ["a"]


@pytest.mark.parametrize("reboot", [False, True])
def test_a_restart_at_every_step_resumes_there_and_a_confirmed_proof_is_handed_out(reboot: bool) -> None:
    shift = begun(proofs=Proofs(scan="required", photo="required", signature="required", name="required", pin="required"),
                  cod=EUR, pin=secret("42"), rating=True)  # fmt: skip
    acts: dict[str, Callable[[], object]] = {
        "scan": lambda: shift.scan(*codes("a", 2)),
        "photo": shift.shoot,
        "cod": lambda: (shift.tap("cash.method", method="paid"), shift.tap("cash.taken")),
        "pin": lambda: shift.tap("pod.pin", pin="42"),
        "sign": shift.sign,
        "rate": lambda: shift.tap("pod.rate", stars=5),
        "name": lambda: (shift.tap("pod.name", relation="recipient"), shift.tap("pod.confirm")),
    }
    for step, act in acts.items():
        assert shift.screen == step
        shift.restart(reboot=reboot)
        assert shift.page()["screen"] == step
        act()
    shift.restart(reboot=reboot)
    shift.tick(0.25 if reboot else 5)
    assert [proof.rating for proof in shift.proofs] == [5]


def test_far_moving_blind_and_undated_proofs_are_remarked_and_not_blocked() -> None:
    shift = on_the_road(stop("a", proofs=PLAIN))
    shift.tap("route.arrive", stop_id="a")
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.be(moving=True, src="floor")
    assert shift.refused("pod.confirm") == "moving"
    shift.tap("motion.override")
    proof = confirmed(shift).proofs[0]
    assert proof.flags == ("clock", "far", "moving")
    assert proof.place_m is not None
    assert proof.place_m > 100
    shift = begun(proofs=PLAIN)
    shift.scan(*codes("a", 2))
    shift.be(position=None)
    assert confirmed(shift).proofs[0].flags == ("no_position",)


def test_a_photo_that_was_taken_as_the_vehicle_set_off_is_kept() -> None:
    shift = begun(proofs=EVERYTHING)
    shift.scan(*codes("a", 2))
    shift.tap("pod.photo")
    shift.be(moving=True)
    assert shift.give(PhotoMade(attachment("late"))).refusal is None
    assert shift.dropped == []


def test_five_wrong_recipient_pins_pause_the_keypad_and_skipping_is_remarked() -> None:
    shift = begun(proofs=Proofs(scan="disabled", photo="disabled", signature="disabled", pin="warn"), pin=secret("42"))
    for _ in range(5):
        shift.tap("pod.pin", pin="41")
    assert shift.refused("pod.pin", pin="42") == "pin.locked"
    shift.tap("pod.next")
    assert confirmed(shift).proofs[0].flags == ("pin_skipped",)


def test_a_failed_stop_can_be_tried_again_and_is_no_first_attempt() -> None:
    shift = at_the_door(stop("a", proofs=PLAIN))
    shift.tap("exception.start")
    shift.tap("exception.reason", code="other")
    shift.tap("exception.confirm")
    shift.tap("route.stop", stop_id="a")
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.tap("pod.confirm")
    shift.tick(5)
    assert [proof.outcome for proof in shift.proofs] == ["failed_other", "delivered_to_recipient"]
    shift.tap("end.open")
    assert (shift.d["done"], shift.d["first_attempt_pct"]) == (1, 0)


def test_a_signature_that_a_failure_makes_needless_is_dropped_only_after_undo_is_over() -> None:
    shift = to_name()
    shift.tap("exception.start")
    shift.tap("exception.reason", code="refused")
    shift.tap("exception.confirm")
    assert shift.dropped == []
    shift.tick(5)
    assert len(shift.dropped) == 1
    assert [made.kind for made in shift.proofs[0].attachments] == ["photo"]


def test_the_chip_of_the_contact_carries_the_name() -> None:
    shift = to_name(contact=Contact(name="M. Kowalska"))
    assert shift.d["chips"][0] == {"relation": "recipient", "name": "M. Kowalska"}


def test_a_failure_that_the_contract_does_not_name_is_recorded_as_another_one() -> None:
    shift = at_the_door(stop("a"), reasons=(Reason(code="aliens", outcome="failed_aliens", photo="disabled"),))
    shift.tap("exception.start")
    shift.tap("exception.reason", code="aliens")
    shift.tap("exception.confirm")
    shift.tick(5)
    assert (shift.proofs[0].outcome, shift.proofs[0].reason) == ("failed_other", "aliens")
