"""Where the time comes from, and what keeps it without power."""

from __future__ import annotations

from datetime import UTC, datetime

from drivers.header import pin
from firmware.clock import BUILD_DATE
from firmware.selftest.finding import Fact, Result, bad, ok, warn
from firmware.selftest.place import Place

RTC = "sys/class/rtc/rtc0"
FAR_OFF_MS = 60_000  # certificates bear that much; more is a system's clock that nobody sets
SOURCES = {"gnss": "the satellites", "ntp": "the network"}


def clock(place: Place) -> Result:
    """The time in force, the system's clock beside it, and the battery clock."""
    now = place.clock.now()
    drift_ms = round(place.clock.system_s(now.mono_ms / 1000) * 1000) - now.at_ms if now.src == "gnss" else None
    chip = place.read(f"{RTC}/name")
    chip_s = _seconds(place.read(f"{RTC}/since_epoch"))
    facts: dict[str, Fact] = {"source": now.src, "drift_ms": drift_ms, "clock_chip": chip, "chip_s": chip_s}
    if now.src == "floor":
        return bad(
            f"Nobody knows the time, so no certificate can be checked: antenna under open sky, or a network; {_battery(place, chip)}.",
            **facts,
        )
    if drift_ms is not None and abs(drift_ms) > FAR_OFF_MS:
        return warn(f"The system's clock is {_long(drift_ms)} the satellites': let chrony keep it, see docs/technician.md.", **facts)
    if chip is None or _is_lost(chip_s):
        return warn(f"The time is right now, but is lost without power: {_battery(place, chip)}.", **facts)
    if now.src == "rtc":
        return warn("The time comes from the battery clock alone: a fix under open sky, or a network, sets it right.", **facts)
    return ok(f"The time comes from {SOURCES[now.src]}, and {chip.split()[0]} keeps it without power.", **facts)


def _long(drift_ms: int) -> str:
    """A difference as people say it: `19 days behind`."""
    seconds = abs(drift_ms) // 1000
    unit, name = next((unit, name) for unit, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")) if seconds >= unit)
    return f"{seconds // unit} {name} {'ahead of' if drift_ms > 0 else 'behind'}"


def _battery(place: Place, chip: str | None) -> str:
    """What to do so that the time outlives a power cut."""
    fitted = place.profile.clock if place.profile else None
    if chip is not None:
        return "put a fresh battery into the clock"
    if fitted is None or not fitted.bus_bcm:
        return "fit the clock's battery"
    data, beat = (pin(bcm) for bcm in fitted.bus_bcm[:2])
    overlay = next((line for line in place.profile.boot.config if "rtc" in line), "") if place.profile else ""
    return f"the {fitted.model} does not answer: check SDA on {data}, SCL on {beat}, and {overlay} in /boot/firmware/config.txt"


def _seconds(told: str | None) -> int | None:
    try:
        return int(told) if told is not None else None
    except ValueError:
        return None


def _is_lost(chip_s: int | None) -> bool:
    """A chip whose battery went flat gives no time, or one from before this version was made."""
    return chip_s is None or datetime.fromtimestamp(chip_s, UTC).date() < BUILD_DATE
