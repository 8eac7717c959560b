"""The modem, as ModemManager sees it."""

from __future__ import annotations

from typing import Any

import msgspec

from firmware.selftest.finding import Fact, Result, bad, ok, skipped, warn
from firmware.selftest.place import ABSENT, Place

WEAK_PERCENT = 25
NOTHING = {"", "--"}  # mmcli's words for it
MISSING_SIM = "sim-missing"


class Generic(msgspec.Struct, frozen=True, rename="kebab"):
    """Of `mmcli -m N -J` what tells how the modem is."""

    state: str = ""
    state_failed_reason: str = ""
    unlock_required: str = ""
    manufacturer: str = ""
    model: str = ""
    revision: str = ""
    signal_quality: dict[str, str] = {}
    access_technologies: tuple[str, ...] = ()


class Modem(msgspec.Struct, frozen=True):
    """One modem."""

    generic: Generic
    cell: dict[str, Any] = msgspec.field(name="3gpp", default_factory=dict)


class Found(msgspec.Struct, frozen=True):
    """The whole answer."""

    modem: Modem


class Listed(msgspec.Struct, frozen=True, rename="kebab"):
    """The answer of `mmcli -L -J`."""

    modem_list: tuple[str, ...] = ()


def modem(place: Place) -> Result:
    """Whether there is one, its SIM is let in, and the network is near."""
    listed = place.run(("mmcli", "-L", "-J"))
    if listed.code == ABSENT:
        return skipped(f"No ModemManager, so no modem of its own: the way to the fleet is {_way(place)}.")
    try:
        paths = msgspec.json.decode(listed.out, type=Listed).modem_list
        if not paths:
            return skipped(f"No modem is fitted: the way to the fleet is {_way(place)}.")
        return _judged(msgspec.json.decode(place.run(("mmcli", "-m", paths[0], "-J")).out, type=Found).modem)
    except msgspec.DecodeError:
        return warn("ModemManager does not answer: sudo systemctl restart ModemManager, wait a minute, test again.")


def _judged(found: Modem) -> Result:
    generic = found.generic
    quality, operator = generic.signal_quality.get("value", ""), str(found.cell.get("operator-name", ""))
    signal = int(quality) if quality.isdigit() else None
    facts: dict[str, Fact] = {
        "model": f"{generic.manufacturer} {generic.model}".strip(),
        "state": generic.state,
        "signal_percent": signal,
        "operator": None if operator in NOTHING else operator,
        "technology": ", ".join(generic.access_technologies),
    }
    fault = _fault(found)
    if fault:
        return bad(fault, **facts)
    if generic.state != "connected":
        return warn(
            f"The modem is {generic.state or 'not ready'}: check its antenna and the APN; a first search may take two minutes.", **facts
        )
    if signal is not None and signal < WEAK_PERCENT:
        return warn(f"The modem is connected with {signal} % of signal: check its antenna's plug, and put it away from metal.", **facts)
    by = f" by {operator}" if facts["operator"] else ""
    return ok(f"The modem is connected{by}" + (f", {signal} % of signal." if signal is not None else "."), **facts)


def _fault(found: Modem) -> str | None:
    """What keeps it from the network until somebody does something."""
    generic = found.generic
    if generic.state == "failed":
        if generic.state_failed_reason == MISSING_SIM:
            return "The modem finds no SIM: push it in until it clicks, contacts towards the board, then switch the box off and on."
        return f"The modem failed ({generic.state_failed_reason}): take its power away for ten seconds; if it stays so, exchange it."
    if generic.state == "locked" or generic.unlock_required in {"sim-pin", "sim-puk"}:
        secret = "PUK" if generic.unlock_required == "sim-puk" else "PIN"
        return f"The SIM wants its {secret}: have the operator take it off, a vehicle cannot type it."
    if found.cell.get("registration-state") == "denied":
        return "The network refuses this SIM: is it active, and may it be used here? Ask the operator, with the SIM's number."
    return None


def _way(place: Place) -> str:
    """The interface with the default route, as /proc/net/route tells it."""
    for line in (place.read("proc/net/route") or "").splitlines()[1:]:
        fields = line.split()
        if len(fields) > 1 and fields[1] == "00000000":
            return fields[0]
    return "missing: no network has a default route (ip route)"
