"""The GNSS receiver on its line, and what its antenna hears."""

from __future__ import annotations

from drivers.header import pin
from firmware.selftest.finding import Fact, Result, bad, ok, skipped, warn
from firmware.selftest.place import Heard, Place

USB_NAMES = ("/dev/ttyUSB", "/dev/ttyACM", "/dev/serial/by-id/", "/dev/roadproof-gnss")
HEARD_WELL_DBHZ = 25  # under it a satellite adds little to a position
ENOUGH_SATELLITES = 4  # a position in three dimensions and the time need so many
UNDER_THE_SKY = "screw the antenna's plug in, put it under the windscreen or on the roof, not under metal, 30 cm from the modem's"
ANTENNA_OK = {"OK", "EXTERNAL", "INTERNAL", "DONTKNOW", "INIT"}  # the receiver's own words; the last two are no complaint


def gnss(place: Place) -> Result:
    """Whether the receiver speaks, readably, and knows where it is."""
    heard = place.listen()
    facts: dict[str, Fact] = {
        "port": heard.now.port,
        "baud": heard.now.baud,
        "bytes": heard.bytes_read,
        "sentences": heard.good,
        "damaged": heard.bad,
        "setup": heard.now.setup,
    }
    if heard.trouble:
        return bad(heard.trouble, **facts)
    if heard.bytes_read == 0:
        return bad(_silence(place, heard), **facts)
    if heard.good == 0:
        return bad(_gibberish(place, heard), **facts)
    if heard.bad * 10 > heard.good:
        share = round(100 * heard.bad / (heard.good + heard.bad))
        sentence = f"{share} % of what the receiver says arrives damaged: shorten its cable, lead it away from the supply and the modem."
        return warn(sentence, **facts)
    return _position(place, heard, facts)


def _position(place: Place, heard: Heard, facts: dict[str, Fact]) -> Result:
    expected = place.config.board.gnss_baud or (place.profile.gnss.baud if place.profile else None)
    if expected not in {None, heard.now.baud}:
        follows = "; the unit listens there until its next start" if place.daemon else ""
        told = f"The receiver speaks at {heard.now.baud} baud, not at {expected}"
        return bad(f"{told}: set gnss_baud = {heard.now.baud} under [board] in /etc/roadproof/roadproof.toml{follows}.", **facts)
    if heard.now.age_s is None or heard.now.stale:
        return warn(
            "The receiver works but has no fix: give its antenna a view of the sky, and a cold start a minute, then test again.", **facts
        )
    return ok(
        f"{heard.now.state.rstrip('.')}: {heard.good} sentences in {max(1, round(heard.seconds))} s at {heard.now.baud} baud.", **facts
    )


def _silence(place: Place, heard: Heard) -> str:
    """No byte came. Nothing at all comes also at a wrong speed, so the wires are it."""
    port = heard.now.port
    if port.startswith(USB_NAMES):
        return f"No byte comes from {port}: pull the receiver's USB plug and put it in again; if it stays silent, try another receiver."
    if place.profile is None or not place.profile.gnss.bus_bcm:
        return f"No byte comes from {port}: check the receiver's power, and its wire to the box."
    at = pin(place.profile.gnss.bus_bcm[-1])
    sentence = f"No byte comes from {port}: check that the receiver has 3.3 V (pin 1), and that its TX is on {at}."
    if place.config.board.gnss_port is None:
        return sentence
    return f"{sentence} The settings name this port; the box's own is {place.profile.gnss.port}."


def _gibberish(place: Place, heard: Heard) -> str:
    """Bytes, and none of them a sentence, whatever the speed."""
    port = heard.now.port
    told = f"No sentences at any speed, though bytes come from {port}"
    if port.startswith(USB_NAMES):
        return f"{told}: see that it is the receiver that sits there (ls -l /dev/serial/by-id), else try another receiver."
    wires = "the receiver's ground"
    if place.profile is not None and place.profile.gnss.bus_bcm:
        wires += f", and that its TX, not its RX, is on {pin(place.profile.gnss.bus_bcm[-1])}"
    return f"{told}: switch the login console off (sudo raspi-config nonint do_serial_cons 1); check {wires}."


def antenna(place: Place) -> Result:
    """What the receiver hears of the sky, and whether somebody jams it."""
    heard = place.listen()
    levels = sorted((one.cn0_dbhz for one in heard.now.satellites if one.cn0_dbhz), reverse=True)
    well = sum(level >= HEARD_WELL_DBHZ for level in levels)
    facts: dict[str, Fact] = {
        "in_view": len(heard.now.satellites),
        "heard": len(levels),
        "heard_well": well,
        "used": sum(one.used for one in heard.now.satellites),
        "best_dbhz": levels[0] if levels else None,
        "antenna": heard.now.antenna,
        "jamming": heard.now.jamming,
    }
    if heard.good == 0:
        return skipped("The antenna is judged by what the receiver says, and it says nothing readable: mend GNSS first.", **facts)
    fault = _cable(heard.now.antenna) or _interference(heard.now.jamming)
    if fault:
        return bad(fault, **facts)
    if not levels:
        return bad(f"No satellite is heard: {UNDER_THE_SKY}.", **facts)
    if well < ENOUGH_SATELLITES:
        sentence = f"{len(levels)} satellites are heard, only {well} of them well ({HEARD_WELL_DBHZ} dBHz and more): {UNDER_THE_SKY}."
        return warn(sentence, **facts)
    return ok(f"{len(levels)} satellites are heard, {well} of them well, the best with {levels[0]} dBHz.", **facts)


def _cable(told: str | None) -> str | None:
    """What the receiver measures in the antenna's cable, as a sentence; None where it has no complaint."""
    if told is None or told.upper() in ANTENNA_OK:
        return None
    if "SHORT" in told.upper():
        return "The antenna's cable has a short circuit: look where it is pinched, then exchange it."
    if "OPEN" in told.upper():
        return "The receiver finds no antenna: screw its plug in; if it is in, the cable is broken."
    return f"The receiver says of its antenna: {told}; check plug and cable."


def _interference(told: str | None) -> str | None:
    if told is None or "critical" not in told:
        return None
    return "Something drowns the satellites out: switch off what is plugged in near the antenna (cameras, USB 3, chargers) one by one."
