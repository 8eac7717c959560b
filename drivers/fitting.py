"""What the profile expects beside what is there, and a sentence for each part that is missing."""

from __future__ import annotations

import re

import msgspec

from drivers.board import BoardProfile
from drivers.hardware import Hardware
from drivers.header import pin

SENSORS = {"Camera Module 3": "imx708", "Camera Module 2": "imx219", "HQ Camera": "imx477", "Global Shutter Camera": "imx296"}
CLOCK_CHIPS = {"DS3231": "ds1307|ds3231", "on the board": "rpi[-_]rtc"}  # model in the profile -> names of its driver


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """One part: what should be there, what is, and what to do when that is not the same; empty when it is."""

    part: str
    expected: str
    seen: str
    fault: str = ""


def fit(profile: BoardProfile, found: Hardware, port: str | None = None) -> list[Fit]:
    """Compare; `port` is the receiver's where the settings name another than the profile."""
    return [
        _board(profile, found),
        _receiver(profile, found, port or profile.gnss.port),
        _pulse(profile, found),
        _camera(profile, found),
        _screen(profile, found),
        _clock(profile, found),
        Fit(
            part="watchdog",
            expected="a hardware watchdog",
            seen=found.watchdog,
            fault="" if found.watchdog else "The kernel offers no watchdog: a hung system would stay so; load its module (bcm2835_wdt).",
        ),
    ]


def _board(profile: BoardProfile, found: Hardware) -> Fit:
    wrong = f"This is {found.model or 'an unknown board'}: name its profile in board.profile, the pins differ from board to board."
    return Fit(part="board", expected=profile.name, seen=found.model, fault="" if profile.name in found.model else wrong)


def _receiver(profile: BoardProfile, found: Hardware, port: str) -> Fit:
    there = next((one for one in found.ports if one.path == port), None)
    lines = ", ".join(line for line in profile.boot.config if "uart" in line or "disable-bt" in line)
    if there or not port.startswith("/dev/tty"):  # a link's target is known to the daemon alone
        return Fit(part="GNSS port", expected=port, seen=f"{port} ({there.name or there.driver})" if there else "a link or a socket")
    usb = not port.startswith(("/dev/ttyAMA", "/dev/ttyS"))
    todo = "plug the receiver in" if usb else f"put {lines} into /boot/firmware/config.txt and start again"
    return Fit(part="GNSS port", expected=port, seen="", fault=f"There is no {port}: {todo}, or correct board.gnss_port.")


def _pulse(profile: BoardProfile, found: Hardware) -> Fit:
    if profile.gnss.pps_bcm is None:
        return Fit(part="pulse", expected="none", seen="yes" if found.pps else "none")
    where = pin(profile.gnss.pps_bcm)
    line = f"dtoverlay=pps-gpio,gpiopin={profile.gnss.pps_bcm}"
    fault = "" if found.pps else f"There is no /dev/pps0: put {line} into /boot/firmware/config.txt and start again."
    return Fit(part="pulse", expected=f"/dev/pps0 on {where}", seen="/dev/pps0" if found.pps else "", fault=fault)


def _camera(profile: BoardProfile, found: Hardware) -> Fit:
    sensor = next((chip for name, chip in SENSORS.items() if name in profile.camera.model), "")
    fits = any(name.startswith(sensor) for name in found.cameras)
    other = f"The camera seen is {', '.join(found.cameras)}: photos work; correct the profile when this one is to stay."
    none = "No camera is seen: switch off, press its flat cable in on both ends, contacts towards the board's contacts, and start again."
    return Fit(
        part="camera",
        expected=f"{profile.camera.model}{f' ({sensor})' if sensor else ''}",
        seen=", ".join(found.cameras),
        fault="" if fits else other if found.cameras else none,
    )


def _screen(profile: BoardProfile, found: Hardware) -> Fit:
    seen = ", ".join((*found.displays, *found.touch))
    fault = ""
    if not found.displays:
        fault = "No display is connected: press its flat cable in on both ends, and see that its power wires are on."
    elif not found.touch:
        fault = "The display shows, but no touch panel is seen: its touch lines run in the same flat cable; press it in on both ends."
    return Fit(part="screen", expected=profile.screen.model, seen=seen, fault=fault)


def _clock(profile: BoardProfile, found: Hardware) -> Fit:
    names = next((names for model, names in CLOCK_CHIPS.items() if model in profile.clock.model), ".")
    if re.search(names, found.clock):
        return Fit(part="clock chip", expected=profile.clock.model, seen=found.clock)
    pins = " and ".join(pin(bcm) for bcm in profile.clock.bus_bcm)
    where = (
        f"check its wires on {pins} and the line dtoverlay=i2c-rtc in config.txt" if pins else "it is part of the board: check the profile"
    )
    return Fit(part="clock chip", expected=profile.clock.model, seen=found.clock, fault=f"The clock chip is not seen: {where}.")
