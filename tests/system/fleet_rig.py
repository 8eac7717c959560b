"""A fleet: its folder made by the project, a real mosquitto that runs on the very files in it, units with certificates."""

from __future__ import annotations

import getpass
import os
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from mqtt.login import BrokerSettings
from provisioning.authority.certificates import new_key, private_pem
from provisioning.authority.folder import Fleet
from provisioning.authority.founding import found
from provisioning.authority.settings import BrokerPlace, EstPlace, FleetPlace
from tests.eventually import eventually
from tests.system.broker import Mosquitto, free_port, is_open

HOST = "127.0.0.1"
CRL_URL = f"http://{HOST}/crl"


def fleet_place(folder: Path, *, broker_port: int = 8883, fleet_port: int = 8884, est_port: int = 8443) -> FleetPlace:
    """A fleet on this machine; its broker is told of changes by the process id in FOLDER/broker.pid."""
    return FleetPlace(
        name="Test",
        crl_urls=(CRL_URL,),
        reload=("sh", "-c", f"kill -HUP $(cat {folder}/broker.pid)"),
        broker=BrokerPlace(host=HOST, port=broker_port, fleet_port=fleet_port),
        est=EstPlace(host=HOST, port=est_port),
    )


class FleetBroker:
    """`folder` gets fleet/ and the keys of units and strangers; the broker listens where `units_port` and `fleet_port` say."""

    def __init__(self, folder: Path, *, now: datetime | None = None, est_port: int = 8443) -> None:
        self.folder = folder
        self.mosquitto = Mosquitto(folder)
        self.units_port, self.fleet_port = self.mosquitto.port, free_port()
        place = fleet_place(folder, broker_port=self.units_port, fleet_port=self.fleet_port, est_port=est_port)
        found(folder / "fleet", place, now=now)
        self.fleet = Fleet.open(folder / "fleet")
        self._install()

    def start(self) -> None:
        """Start the broker, and let the fleet's reload command find it."""
        self.mosquitto.start()
        eventually(lambda: is_open(self.fleet_port))  # it opens its ports one after the other
        process = self.mosquitto._process
        assert process is not None
        (self.folder / "broker.pid").write_text(f"{process.pid}\n", encoding="utf-8")

    def stop(self) -> None:
        """End the broker."""
        self.mosquitto.stop()
        self.fleet.close()

    def enrol(self, vehicle: str, *, now: datetime | None = None) -> str:
        """A new unit with both its certificates; its name."""
        card = self.fleet.expect(vehicle, now=now)
        key = new_key()
        self.keep(card.unit, key, self.fleet.enrol(card.unit, card.code, "tls", key.public_key(), now=now))
        evidence_key = new_key()
        self.keep(
            f"{card.unit}-evidence", evidence_key, self.fleet.enrol(card.unit, card.code, "evidence", evidence_key.public_key(), now=now)
        )
        return card.unit

    def keep(self, name: str, key: ec.EllipticCurvePrivateKey, chain: bytes) -> None:
        """Key and certificate in one file, as a unit has them: NAME.pem."""
        handle = os.open(self.folder / f"{name}.pem", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(private_pem(key) + chain)

    def settings(self, name: str, *, port: int | None = None) -> BrokerSettings:
        """How somebody reaches the broker: a unit or a stranger by its kept file, svc-receiver and svc-operator by the fleet's."""
        service = name.removeprefix("svc-") if name.startswith("svc-") else None
        own = self.folder / "fleet" / service if service else self.folder
        return BrokerSettings(
            host=HOST,
            port=port or (self.fleet_port if service else self.units_port),
            tls_ca=str(self.folder / "fleet" / "authority" / "root.pem"),
            tls_cert=str(own / "tls.pem" if service else own / f"{name}.pem"),
            tls_key=str(own / "tls.key") if service else str(own / f"{name}.pem"),
        )

    def serial(self, name: str) -> int:
        """The number of a kept certificate."""
        return x509.load_pem_x509_certificates((self.folder / f"{name}.pem").read_bytes())[0].serial_number

    def _install(self) -> None:
        changes = {
            "/var/lib/mosquitto/": f"{self.folder}/",
            "/run/mosquitto/": f"{self.folder}/",
            f"listener {self.units_port}\n": f"listener {self.units_port} {HOST}\n",
            f"listener {self.fleet_port}\n": f"listener {self.fleet_port} {HOST}\n",
            "log_dest syslog\n": f"log_dest stderr\nlog_type all\nuser {getpass.getuser()}\n",
        }
        text = (self.folder / "fleet" / "broker" / "mosquitto.conf").read_text(encoding="utf-8")
        for ours, here in changes.items():
            assert ours in text
            text = text.replace(ours, here)
        (self.folder / "mosquitto.conf").write_text(text, encoding="utf-8")
