"""Who drives: signing in by badge or PIN, signing out. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from firmware.day import ending, manifest
from firmware.day.check import after_sign_in
from firmware.day.delivery import hand_out
from firmware.day.pins import Pin, count_wrong, locked_ms, matches, tries_left
from firmware.day.progress import Tries
from firmware.day.turn import Act, Nothing, Turn, Word, on, refuse
from firmware.day.work import Scanned
from mqtt.run import Driver

MOST_UNNAMED = 8  # each hash takes a Raspberry Pi a tenth of a second: with more drivers the name comes first


class PinGiven(msgspec.Struct, frozen=True):
    """A driver's PIN; with no driver named it may be anybody's."""

    pin: Pin
    driver: Word | None = None


def take_pin(turn: Turn, given: PinGiven) -> None:
    """Sign in by PIN. A wrong one is counted: five in a row lock the keypad for half a minute, over restarts too."""
    tries = turn.work.day.tries
    left_ms = locked_ms(tries, turn.moment)
    if left_ms:
        refuse("pin.locked", seconds=-(-left_ms // 1000))
    asked = [driver for driver in turn.run.plan.drivers if driver.pin and given.driver in {None, driver.driver_id}]
    if given.driver is None and len(asked) > MOST_UNNAMED:
        refuse("pin.which_driver")
    driver = next((driver for driver in asked if driver.pin and matches(driver.pin, given.pin)), None)
    if driver:
        _enter(turn, driver, "pin")
        return
    tries = turn.day(tries=count_wrong(tries, turn.moment)).tries
    turn.sound = "wrong"
    left = tries_left(tries, turn.moment)
    if left:
        turn.toast("wrong", "pin.wrong", n=left)
    else:
        turn.toast("wrong", "pin.now_locked")
        turn.note("session.locked", tries=tries.wrong)


def take_badge(turn: Turn, scanned: Scanned) -> None:
    """Sign in by badge."""
    drivers = turn.run.plan.drivers
    driver = next((driver for driver in drivers if driver.badge and matches(driver.badge, scanned.code)), None)
    _enter(turn, driver or refuse("badge.unknown"), "badge")


def end(turn: Turn, _: Nothing) -> None:
    """Sign out. Nothing is lost: proofs in the making wait for whoever signs in next, a newer run comes into force."""
    hand_out(turn)
    turn.note("driver.logout", driver=turn.work.day.driver, **ending.totals(turn.work, turn.moment))
    turn.day(driver=None)
    if turn.work.offer:
        manifest.adopt(turn, turn.work.offer.run)
    turn.show("signin")


def _enter(turn: Turn, driver: Driver, by: Literal["pin", "badge"]) -> None:
    day = turn.work.day
    turn.day(
        driver=driver.driver_id,
        tries=Tries(),
        begun_ms=turn.moment.at_ms if day.begun_ms is None else day.begun_ms,
        begun_odometer_m=turn.moment.odometer_m if day.begun_odometer_m is None else day.begun_odometer_m,
    )
    turn.note("driver.login", driver=driver.driver_id, by=by)
    turn.sound = "accept"
    turn.show(after_sign_in(turn.work))


COMMANDS = {
    "session.pin": Act(PinGiven, take_pin, on("signin"), signed_in=False),
    "session.end": Act(Nothing, end),
}
