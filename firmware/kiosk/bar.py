"""The status bar that every screen has."""

from __future__ import annotations

from typing import Any

from firmware.status import Status


def bar(status: Status, view: dict[str, Any]) -> dict[str, Any]:
    """What the bar shows, from the unit's status and the newest view as the terminal made it."""
    position = status.position if status.has_fix else None
    shown: dict[str, Any] = {
        "time_ms": status.at_ms,
        "gnss": "none" if position is None else "2d" if position.alt_m is None else "3d",
        "sats": position.sats if position else None,
        "link": status.link,
        "queue": status.seq.waiting + status.blobs_waiting,
        "locked": bool(view.get("moving")),
        "driver": None,
        "volts": None,
        "temp_c": None,
    }
    shown.update(view.get("bar") or {})  # what the view itself knows better
    return shown
