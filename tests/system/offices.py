"""An office at work: a fleet in a folder, its authority served over real TLS on loopback, and boxes that want to be its units."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from provisioning.authority.certificates import new_key, private_pem
from provisioning.authority.folder import Fleet
from provisioning.authority.founding import found
from provisioning.authority.settings import BrokerPlace, EstPlace, FleetPlace
from provisioning.card import Card
from provisioning.est import wire
from provisioning.est.client import Est
from provisioning.est.server import Server
from provisioning.est.wire import Purpose

HOST = "127.0.0.1"


class Office:
    """A fleet and its server."""

    def __init__(self, fleet: Fleet, server: Server) -> None:
        self.fleet, self.server = fleet, server

    @property
    def port(self) -> int:
        """Where units enrol."""
        return self.server.port

    def card(self, vehicle: str | None = None, *, now: datetime | None = None) -> Card:
        """What the office hands to the technician; for a vehicle that it never heard of when none is named."""
        return self.fleet.expect(vehicle or f"van-{len(self.fleet.register.units()):03}", now=now)

    def fresh(self) -> AbstractContextManager[Office]:
        """The same fleet served by a second server, which has counted no guesses yet."""
        return served(Fleet.open(self.fleet.folder))

    def est(self) -> Est:
        """A client that trusts nobody yet."""
        return Est(HOST, self.port)

    def trusted(self) -> Est:
        """A client that has pinned this fleet's root."""
        est = self.est()
        est.pin(est.fetch_cacerts(), wire.fingerprint(self.fleet.cacerts()[-1]))
        return est


class Box:
    """A blank unit with keys of its own, in a folder."""

    def __init__(self, folder: Path, office: Office, card: Card) -> None:
        self.folder, self.office, self.card = folder, office, card
        self.keys: dict[Purpose, ec.EllipticCurvePrivateKey] = {"tls": new_key(), "evidence": new_key()}
        self.est = office.trusted()
        folder.mkdir(parents=True, exist_ok=True)

    def ask(self, purpose: Purpose = "tls", *, unit: str | None = None, code: str | None = None) -> bytes:
        """Enrol one of its keys; the leaf as PEM."""
        unit, request = unit or self.card.unit, wire.csr(self.keys[purpose], self.card.unit)
        return self.est.enrol(purpose, request, unit, code or self.card.code)

    def enrol(self) -> Path:
        """Enrol both keys; the file with key, leaf and issuing to log in with."""
        tls = self.file("tls", self.ask("tls"))
        self.file("evidence", self.ask("evidence"))
        return tls

    def file(self, purpose: Purpose, leaf: bytes) -> Path:
        """Key, leaf and issuing in one file."""
        path = self.folder / f"{purpose}.pem"
        path.write_bytes(private_pem(self.keys[purpose]) + leaf + self.office.fleet.issuing_pem)
        return path


@contextmanager
def office(folder: Path, *, now: datetime | None = None, reload: tuple[str, ...] = ()) -> Iterator[Office]:
    """A fleet founded in a folder (`now` says when, `reload` how its broker is told), and its server."""
    place = FleetPlace(
        name="Test", crl_urls=(f"https://{HOST}/crl",), reload=reload, broker=BrokerPlace(host=HOST), est=EstPlace(host=HOST)
    )
    found(folder, place, now=now)
    with served(Fleet.open(folder)) as there:
        yield there


@contextmanager
def served(fleet: Fleet, port: int = 0, *, address: str = HOST) -> Iterator[Office]:
    """The server of a fleet that is there, on a free port unless one is named."""
    server = Server(fleet, port, address=address)
    thread = threading.Thread(target=server.serve, name="est")
    thread.start()
    try:
        yield Office(fleet, server)
    finally:
        server.stop()
        thread.join(10)
        fleet.close()
    assert not thread.is_alive()


def certificate(pem: bytes) -> x509.Certificate:
    """The one certificate of a PEM text."""
    return x509.load_pem_x509_certificate(pem)
