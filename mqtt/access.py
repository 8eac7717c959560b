"""Who may publish and read what at the broker: mosquitto's access files, from the table of topics."""

from __future__ import annotations

from mqtt import topics
from mqtt.topics import By

TOLD = "# Generated: ./roadproof contract write\n"
RECEIVER, OPERATOR = "svc-receiver", "svc-operator"  # the common names of the fleet's own programs; no unit's name begins like that
UNITS = f"""{TOLD}# The listener for units: %u is the user name under which a unit logs in, and that is the common name of its certificate.
# A unit may publish what stands under its own up/, kinds that a newer version adds too, and reads what is for it under dn/.
# It may not publish under dn/: a receipt of its own making would let it forget what nobody holds.
pattern write {topics.ROOT}/%u/up/#
pattern read {topics.ROOT}/%u/dn/#
"""


def units() -> str:
    """The access file of the listener for units."""
    return UNITS


def fleet() -> str:
    """The access file of the listener for the fleet's own programs: receivers, and who operates the fleet."""
    told = [TOLD + "# The listener for the fleet's own programs. Several receivers use the same user, each with a client id of its own."]
    told += [f"user {RECEIVER}", f"topic read {topics.ROOT}/+/up/#", *_writes(By.RECEIVER), ""]
    told += [f"user {OPERATOR}", f"topic read {topics.ROOT}/+/up/#", f"topic read {topics.ROOT}/+/dn/#", *_writes(By.OPERATOR), ""]
    return "\n".join(told)


def _writes(by: By) -> list[str]:
    return [f"topic write {topics.ROOT}/+/{channel.name}" for channel in topics.CHANNELS if channel.by is by]
