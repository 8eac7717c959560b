"""Events made before the unit knew the time get their true time once it does. Pure."""

from __future__ import annotations

import msgspec

from firmware.clock import Moment
from mqtt import messages

UNSURE = ("floor", "rtc")  # no clock at all, or a battery's that may be wrong by any amount


def redated(payload: bytes, boot: str, now: Moment) -> bytes | None:
    """The same event with the time that its monotonic moment had, told from a good present moment of the same start.

    None where nothing is to be corrected: another start (its monotonic clock is gone), a time that was good, or no event.
    """
    try:
        event = messages.decode(payload, messages.Event)
    except messages.MessageError:
        return None
    if event.boot != boot or event.src not in UNSURE:
        return None
    at_ms = now.at_ms - (now.mono_ms - event.mono_ms)
    return messages.encode(msgspec.structs.replace(event, t=messages.utc_text(at_ms), src=now.src))
