"""What a broker is given: its configuration, who may do what, and who may not come in any longer."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

import mqtt
from mqtt import access
from provisioning.authority import certificates, files
from provisioning.authority.certificates import Pair
from provisioning.authority.errors import FleetError
from provisioning.authority.register import CertificateEntry, Register
from provisioning.authority.settings import FleetPlace

TEMPLATE = Path(mqtt.__file__).parent / "broker" / "mosquitto.conf"
HOME = "/var/lib/roadproof-authority/broker/"
RELOAD_S = 30.0
ACCESS_MODE = 0o640  # for the group of the folder, the broker: it warns of an access file that everybody may read
TOLD = """
# Taken out of the fleet, and perhaps still connected: the revocation list lets none of them in again, these lines end what one that is
# in can say and hear.
"""


class BrokerFiles:
    """The folder broker/ of a fleet."""

    def __init__(self, folder: Path, place: FleetPlace, register: Register, *, issuing: Pair, services: Pair) -> None:
        self.folder, self._place, self._register = folder, place, register
        self._issuing, self._services = issuing, services

    def write(self, now: datetime) -> None:
        """Revocation lists and access files, each replaced at once."""
        revoked = self._register.revoked(now)
        units = [entry for entry in revoked if entry.purpose != "service"]
        services = [entry for entry in revoked if entry.purpose == "service"]
        number, urls = self._register.next_list_number(now), self._place.crl_urls
        self._write("fleet.crl", certificates.crl(self._issuing, _entries(units), number=number, now=now, urls=urls))
        self._write("services.crl", certificates.crl(self._services, _entries(services), number=number, now=now))
        gone = [entry.unit for entry in self._register.units() if entry.state == "revoked"]
        files.replace(self.folder / "units.acl", units_access(gone).encode(), ACCESS_MODE)
        files.replace(self.folder / "fleet.acl", access.fleet().encode(), ACCESS_MODE)

    def write_configuration(self) -> None:
        """mosquitto.conf, from the settings."""
        files.replace(self.folder / "mosquitto.conf", configuration(self._place, self.folder).encode())

    def tell_broker(self) -> None:
        """Have the broker read its files again; FleetError when it could not be told."""
        words = list(self._place.reload)
        if not words:
            return
        try:
            done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=RELOAD_S, check=False)
            why = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        except (OSError, subprocess.TimeoutExpired) as error:
            why = (
                f"no answer in {RELOAD_S:.0f} s" if isinstance(error, subprocess.TimeoutExpired) else (error.strerror or str(error)).lower()
            )
        if why:
            raise FleetError(f"everything is written, but the broker does not know it yet ({why}): run `{' '.join(words)}` on its machine")

    def _write(self, name: str, made: x509.CertificateRevocationList) -> None:
        files.replace(self.folder / name, made.public_bytes(Encoding.PEM))


def _entries(revoked: Iterable[CertificateEntry]) -> list[tuple[int, datetime]]:
    return [(entry.number, datetime.fromtimestamp(entry.revoked_s or 0, UTC)) for entry in revoked]


def configuration(place: FleetPlace, broker: Path) -> str:
    """mosquitto.conf for the files in a folder."""
    changes = {
        HOME: f"{broker}/",
        "\nlistener 8883\n": f"\nlistener {place.broker.port}\n",
        "\nlistener 8884\n": f"\nlistener {place.broker.fleet_port}\n",
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for ours, theirs in changes.items():
        assert ours in text
        text = text.replace(ours, theirs)
    return text


def units_access(revoked: Iterable[str]) -> str:
    """The access file of the listener for units, with a line for each that was taken out."""
    lines = [f"user {unit}\ntopic deny #\n" for unit in revoked]
    return access.units() + (TOLD + "".join(lines) if lines else "")
