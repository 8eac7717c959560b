"""A whole fleet at work, office, authority and broker, and boxes that `roadproof enrol` makes units of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from cli.main import main
from mqtt.login import BrokerSettings
from provisioning.card import Card
from tests.system.broker import free_port
from tests.system.fleet_rig import FleetBroker
from tests.system.offices import Office, served


class Fleet:
    """One fleet on loopback; its broker is started by who needs it."""

    def __init__(self, broker: FleetBroker, office: Office) -> None:
        self.broker, self._office = broker, office

    @property
    def est_port(self) -> int:
        """Where its units enrol."""
        return self._office.port

    @property
    def receiver(self) -> BrokerSettings:
        """How the fleet's receiver reaches the broker."""
        return self.broker.settings("svc-receiver")

    def card(self, vehicle: str | None = None) -> Card:
        """What the office hands to the technician; for a vehicle that it never heard of when none is named."""
        return self._office.card(vehicle)

    def issued(self, unit: str) -> list[str]:
        """What the unit's certificates are for, in order."""
        return [entry.purpose for entry in self.broker.fleet.register.certificates(unit)]


@contextmanager
def a_fleet(folder: Path, *, now: datetime | None = None) -> Iterator[Fleet]:
    """The authority answers, founded now or when `now` says; the broker does not run yet."""
    folder.mkdir(parents=True, exist_ok=True)
    est_port = free_port()
    broker = FleetBroker(folder, now=now, est_port=est_port)
    with served(broker.fleet, est_port) as office:
        try:
            yield Fleet(broker, office)
        finally:
            if broker.mosquitto._process is not None:
                broker.mosquitto.stop()


def enrolled(state: Path, card: Card, *words: str) -> Path:
    """Make a box a unit as the technician does; the folder of its identity."""
    state.mkdir(parents=True, exist_ok=True)
    assert main(["enrol", card.text, "--state", str(state), *words]) == 0
    return state / "identity"


def elsewhere(card: Card, port: int) -> Card:
    """The same card with another port on it."""
    return msgspec.structs.replace(card, port=port)
