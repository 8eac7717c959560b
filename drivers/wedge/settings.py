"""Which hand scanners to read."""

from __future__ import annotations

import msgspec


class WedgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Serial ports by name; USB scanners: all that are found, none, or one that types by its event device."""

    serial: tuple[str, ...] = ()
    usb: str = "none"  # auto, none, or a path below /dev/input
    separator: str | None = None  # what a scanner sends instead of GS, which many cannot type
