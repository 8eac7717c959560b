"""What hangs on the header: the ignition line, the supply, and the touchscreen over it."""

from __future__ import annotations

from drivers.header import pin
from firmware.selftest.finding import Fact, Prompt, Result, bad, ok, skipped, warn
from firmware.selftest.place import Place

UNDER_VOLTAGE, TOO_HOT = 0x1, 0x8  # bits of get_throttled: now; the same shifted by SINCE_START: since the start
SINCE_START = 16
TURN_S, LOOK_S = 20, 0.1
NEAR_PX = 40  # half a key of the smallest panel
RPI_VOLT = "rpi_volt"  # the kernel's driver of the firmware's under-voltage alarm


def turn(place: Place) -> Prompt | None:
    """What to do at the key; None where no line is wired, or nobody may turn it now."""
    status = place.daemon.status() if place.daemon else None
    if place.panel.ignition_on() is None or (status is not None and status.moving):
        return None
    return Prompt("ignition", f"Turn the key off and on, or on and off, within {TURN_S} s.", TURN_S)


def ignition(place: Place) -> Result:
    """The line from terminal 15: whether it follows the key, or how it reads when nobody is there to turn it."""
    wired = place.profile.pins.ignition if place.profile else None
    on = place.panel.ignition_on()
    facts: dict[str, Fact] = {"on": on, "gpio": wired.bcm if wired else None}
    if on is None:
        if place.faults:
            return bad(" ".join(place.faults), **facts)
        if wired is None and place.profile is not None:
            return skipped("This box's profile names no pin for the ignition: trips are told by driving alone.", **facts)
        return warn("The simulated ignition has said nothing yet: start the virtual van, or turn its key.", **facts)
    if place.hands and turn(place):
        if _follows(place, on=on):
            return ok("The ignition line follows the key: it read on, and it read off.", **facts, followed=True)
        measured = f"measure{_between(place)}: under 0.4 V with the key on, 3.3 V with it off"
        reads = "on" if on else "off"
        return skipped(f"No turn of the key was seen in {TURN_S} s, the line reads {reads}: if you did turn it, {measured}.", **facts)
    return _ignition(place, on=on)


def _between(place: Place) -> str:
    """Where to measure the line."""
    wired = place.profile.pins.ignition if place.profile else None
    return f" between {pin(wired.bcm)} and pin 9" if wired else ""


def _follows(place: Place, *, on: bool) -> bool:
    """Whether it reads otherwise before the time is over."""
    return any(place.panel.ignition_on() is not on for _ in range(round(TURN_S / LOOK_S)) if not place.wait(LOOK_S))


def _ignition(place: Place, *, on: bool) -> Result:
    """How it reads, and what that may mean."""
    wired = place.profile.pins.ignition if place.profile else None
    status = place.daemon.status() if place.daemon else None
    facts: dict[str, Fact] = {"on": on, "gpio": wired.bcm if wired else None}
    if on:
        return ok("The ignition reads on; whether it follows the key is seen by: sudo roadproof selftest ignition.", **facts)
    at = _between(place)
    if status is not None and status.moving:
        return bad(
            f"The vehicle moves and the ignition reads off: check F2 and K1, then measure{at}: a turned key makes under 0.4 V.", **facts
        )
    return warn(
        f"The ignition reads off: turn the key and test again; if it stays off, measure{at}: a turned key makes under 0.4 V.", **facts
    )


def voltage(place: Place) -> Result:
    """Whether the supply holds: the board's own alarm, and the line of the hold-up supply."""
    good, flags, alarm = place.panel.supply_good(), _flags(place), _alarm(place)
    facts: dict[str, Fact] = {"supply_good": good, "throttled": None if flags is None else f"0x{flags:x}", "alarm": alarm}
    low = alarm or (flags is not None and bool(flags & UNDER_VOLTAGE))
    if low:
        return bad(
            "The 5 V are too low now: measure 5.0-5.2 V between pins 2 and 6; thicker wires, or a converter of 3 A (Pi 5: 5 A).", **facts
        )
    if good is False:
        return bad(_hold_up(place), **facts)
    since = (flags or 0) >> SINCE_START
    if since & UNDER_VOLTAGE:
        return warn(
            "The 5 V were too low since the start: measure at pins 2 and 6 while cranking; the converter must go down to 9 V.", **facts
        )
    if ((flags or 0) | since) & TOO_HOT:
        return warn("The processor is or was too hot and slowed down: give the box air, away from the heater and the sun.", **facts)
    if flags is None and alarm is None and good is None:
        return skipped("This machine does not say how its supply is.", **facts)
    return ok("The supply holds." if flags is None else "The supply holds, and has held since the start.", **facts)


def _hold_up(place: Place) -> str:
    wired = place.profile.pins.supply_good if place.profile else None
    at = f" at {pin(wired.bcm)}" if wired else ""
    return f"The box runs on its hold-up supply: terminal 30 is without power (fuse F1), or its line{at} is open."


def _flags(place: Place) -> int | None:
    """What the firmware says; None on a machine that is no Raspberry Pi, or where we may not ask."""
    ran = place.run(("vcgencmd", "get_throttled"))
    text = ran.out.strip().rpartition("=")[2]
    try:
        return None if ran.code else int(text, 16)
    except ValueError:
        return None


def _alarm(place: Place) -> bool | None:
    """The same from the kernel, which looks every other second; None without that driver."""
    folder = place.root / "sys/class/hwmon"
    names = [chip for chip in sorted(folder.glob("*")) if place.read(f"sys/class/hwmon/{chip.name}/name") == RPI_VOLT]
    told = place.read(f"sys/class/hwmon/{names[0].name}/in0_lcrit_alarm") if names else None
    return None if told is None else told == "1"


def touch(place: Place) -> Result:
    """What the screen's own test measured; only a finger can make it."""
    done = place.touch
    if not place.config.terminal.enabled:
        return skipped("No screen: the driver's page is off (terminal.enabled).")
    if done is None:
        return skipped("Touch is tested on the screen: menu, Diagnostics, Run all.")
    facts: dict[str, Fact] = {"targets": done.targets, "hit": done.hit, "worst_px": done.worst_px, "breaks": done.breaks}
    if done.hit < done.targets:
        missed = done.targets - done.hit
        return bad(
            f"{missed} of {done.targets} targets cannot be hit: clean the glass, take a film off, check the panel's ribbon cable.", **facts
        )
    if done.worst_px > NEAR_PX:
        return bad(
            f"Taps land {done.worst_px} px beside the finger: check that the panel is the one in the board profile, and not turned.",
            **facts,
        )
    if done.breaks:
        often = "once" if done.breaks == 1 else f"{done.breaks} times"
        return warn(f"A drawn line breaks off {often}: clean the glass; signatures will have gaps.", **facts)
    return ok(f"All {done.targets} targets were hit, {done.worst_px} px off at most, and the line is whole.", **facts)
