"""A whole fleet at work, office, authority and broker, and boxes that `roadproof enrol` makes units of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from cli.main import main
from mqtt.login import BrokerSettings
from provisioning.card import Card
from provisioning.est.server import Server
from tests.system.broker import free_port
from tests.system.fleet_rig import HOST, FleetBroker


class Fleet:
    """One fleet on loopback; its broker is started by who needs it."""

    def __init__(self, folder: Path, now: datetime | None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.est_port = free_port()
        self.broker = FleetBroker(folder, now=now, est_port=self.est_port)
        self.server = Server(self.broker.fleet, self.est_port, address=HOST)

    @property
    def receiver(self) -> BrokerSettings:
        """How the fleet's receiver reaches the broker."""
        return self.broker.settings("svc-receiver")

    def card(self, vehicle: str = "van-017") -> Card:
        """What the office hands to the technician."""
        return self.broker.fleet.expect(vehicle)

    def issued(self, unit: str) -> list[str]:
        """What the unit's certificates are for, in order."""
        return [entry.purpose for entry in self.broker.fleet.register.certificates(unit)]


@contextmanager
def a_fleet(folder: Path, *, now: datetime | None = None) -> Iterator[Fleet]:
    """The authority answers, founded now or when `now` says; the broker does not run yet."""
    fleet = Fleet(folder, now)
    thread = threading.Thread(target=fleet.server.serve, name="est")
    thread.start()
    try:
        yield fleet
    finally:
        fleet.server.stop()
        thread.join(10)
        if fleet.broker.mosquitto._process is not None:
            fleet.broker.mosquitto.stop()
        fleet.broker.fleet.close()


def enrolled(state: Path, card: Card, *words: str) -> Path:
    """Make a box a unit as the technician does; the folder of its identity."""
    state.mkdir(parents=True, exist_ok=True)
    assert main(["enrol", card.text, "--state", str(state), *words]) == 0
    return state / "identity"


def elsewhere(card: Card, port: int) -> Card:
    """The same card with another port on it."""
    return msgspec.structs.replace(card, port=port)
