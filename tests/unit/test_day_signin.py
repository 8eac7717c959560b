"""Signing in and out, the pause after wrong PINs, practice, and what signing out must not lose."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from firmware.day.work import Work, from_rows, rows
from mqtt.run import Driver
from tests.runs import PIN, PLAIN, Shift, at_the_door, codes, on_the_road, run, secret, stop


def at_sign_in() -> Shift:
    shift = Shift()
    shift.arrives(run())
    shift.tick()
    assert shift.screen == "signin"
    return shift


def test_the_boot_screen_stays_until_the_self_tests_have_passed() -> None:
    shift = Shift()
    shift.be(ready=False)
    shift.tick()
    assert shift.screen == "boot"
    shift.be(ready=True)
    shift.tick()
    assert shift.screen == "signin"


def test_without_a_run_nobody_signs_in_and_a_sentence_says_why() -> None:
    shift = Shift()
    shift.tick()
    assert not shift.d["has_run"]
    assert shift.refused("session.pin", pin=PIN) == "run.none"


def test_five_wrong_pins_lock_the_keypad_for_half_a_minute() -> None:
    shift = at_sign_in()
    for left in (4, 3, 2, 1, 0):
        assert shift.tap("session.pin", pin="0000", driver="bob").sound == "wrong"
        assert shift.d["tries_left"] == left
    assert shift.refused("session.pin", pin=PIN) == "pin.locked"
    assert shift.d["locked_ms"] == 30_000
    shift.tick(29.9)
    assert shift.refused("session.pin", pin=PIN) == "pin.locked"
    shift.tick(0.1)
    shift.tap("session.pin", pin=PIN)
    assert shift.work.day.driver == "ann"
    assert "session.locked" in shift.events()


@pytest.mark.parametrize("reboot", [False, True])
def test_a_restart_does_not_forget_wrong_pins_or_the_pause(reboot: bool) -> None:
    shift = at_sign_in()
    for _ in range(4):
        shift.tap("session.pin", pin="0000", driver="bob")
        shift.restart(reboot=reboot)
    shift.tap("session.pin", pin="0000", driver="bob")
    shift.restart(reboot=reboot)
    assert shift.refused("session.pin", pin=PIN) == "pin.locked"


def test_with_many_drivers_the_name_comes_first() -> None:
    shift = Shift()
    shift.arrives(run(drivers=[Driver(driver_id=f"d{n}", name="D", pin=secret(PIN)) for n in range(9)]))
    shift.tick()
    assert shift.refused("session.pin", pin=PIN) == "pin.which_driver"
    shift.tap("session.pin", pin=PIN, driver="d7")
    assert shift.work.day.driver == "d7"


def test_a_strange_badge_is_refused_and_counts_as_no_try() -> None:
    shift = at_sign_in()
    refusal = shift.scan("SOMETHING").refusal
    assert refusal is not None
    assert refusal.key == "badge.unknown"
    assert shift.d["tries_left"] == 5


def test_another_driver_goes_on_with_a_proof_and_is_the_one_named_in_it() -> None:
    shift = at_the_door(stop("a", proofs=PLAIN))
    shift.tap("pod.start")
    shift.scan(*codes("a", 1))
    shift.tap("session.end")
    shift.work = replace(shift.work, day=replace(shift.work.day, driver="bob"), face=replace(shift.work.face, screen="route"))
    shift.tap("route.stop", stop_id="a")
    shift.tap("pod.start")
    shift.scan("JD-a-2")
    shift.tap("pod.confirm")
    shift.tick(5)
    assert shift.proofs[0].driver == "bob"
    assert [item.state for item in shift.proofs[0].items] == ["scanned", "scanned"]


def test_signing_out_hands_out_what_could_still_be_undone() -> None:
    shift = at_the_door(stop("a", proofs=PLAIN))
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.tap("pod.confirm")
    shift.tap("session.end")
    assert len(shift.proofs) == 1
    assert shift.told("driver.logout")["done"] == 1


def test_practice_never_yields_a_note_or_a_proof_and_leaves_the_day_as_it_was() -> None:
    shift = on_the_road()
    before = shift.work
    shift.tap("session.training", on=True)
    assert shift.page()["training"]
    shift.tap("check.submit", all_ok=True)
    shift.scan(*(f"PRACTICE-0{number}" for number in range(1, 5)))
    shift.tap("load.done")
    shift.tap("route.stop", stop_id="practice-1")
    shift.tap("pod.start")
    shift.scan("PRACTICE-01", "PRACTICE-02")
    shift.shoot("practised")
    shift.sign("practised")
    shift.tap("pod.name", relation="recipient")
    shift.tap("pod.confirm")
    shift.restart(reboot=True)
    shift.tick(6)
    shift.tap("session.end")
    assert (shift.notes, shift.proofs) == ([], [])
    assert shift.work == before
    assert len(shift.dropped) == 2


def test_a_picture_of_a_practice_that_is_left_halfway_is_dropped() -> None:
    shift = on_the_road()
    shift.tap("session.training", on=True)
    shift.tap("check.submit", all_ok=True)
    shift.tap("load.done")
    shift.tap("route.stop", stop_id="practice-2")
    shift.tap("pod.start")
    shift.scan("PRACTICE-03")
    shift.shoot("half")
    shift.tap("session.training", on=False)
    assert len(shift.dropped) == 1


def test_a_run_that_comes_during_practice_is_the_real_days() -> None:
    shift = on_the_road()
    shift.tap("session.training", on=True)
    shift.arrives(run(stop("z"), n=2))
    assert shift.work.practice is not None
    assert shift.work.offer is not None
    assert "run.offered" in shift.events()


def test_damaged_and_unknown_rows_are_survived() -> None:
    shift = at_the_door(stop("a"), stop("b"))
    shift.tap("pod.start")
    named = rows(shift.work)
    for name in named:
        for damage in (b"", b"{", b"\xff\xfe", b"[1]", b'{"screen": 7, "run": 7, "step": 7}'):
            shift = Shift(from_rows(named | {name: damage, "newer:row": b"{}"}))
            shift.tick()
            shift.refused("pod.next")
            shift.page()
    assert from_rows({}) == Work()
