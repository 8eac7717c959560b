"""The fleet's own servers and programs: what each proves with who it is, and until when."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from provisioning.authority import certificates, files
from provisioning.authority.certificates import Pair, new_key, pem, private_pem
from provisioning.authority.errors import FleetError
from provisioning.authority.register import Register
from provisioning.authority.settings import FleetPlace

Server = Literal["broker", "est", "receiver", "operator"]
SERVERS: tuple[Server, ...] = ("broker", "est", "receiver", "operator")
PLACES = {"broker": "broker/broker", "est": "authority/est", "receiver": "receiver/tls", "operator": "operator/tls"}


class Servers:
    """Their certificates and keys, in the folders from which each of them reads its own."""

    def __init__(self, folder: Path, place: FleetPlace, register: Register, *, issuing: Pair, services: Pair) -> None:
        self._folder, self._place, self._register = folder, place, register
        self._issuing, self._services = issuing, services

    def certificate(self, server: Server) -> Path:
        """Its certificate's file, with the one above it behind."""
        return self._folder / f"{PLACES[server]}.pem"

    def key(self, server: Server) -> Path:
        """Its private key's file."""
        return self._folder / f"{PLACES[server]}.key"

    def until(self, server: Server) -> datetime:
        """When its certificate ends; FleetError when the file cannot be used."""
        return certificate(self.certificate(server)).not_valid_after_utc

    def due(self, by: datetime) -> list[Server]:
        """Whose certificate ends before then, or is of no use now: damaged, or for another key, or for another host."""
        return [server for server in SERVERS if self._bad(server) or self.until(server) < by]

    def renew(self, server: Server, now: datetime, *, new: bool = False) -> None:
        """A new certificate for the key that is there, one file replaced at once; for a new key when `new`, or when there is none."""
        key = None if new else self._own_key(server)
        if key is None:
            key = new_key()
            files.replace(self.key(server), private_pem(key), files.KEY_MODE if server == "est" else files.GROUP_KEY_MODE)
        chain = self._certified(server, key.public_key(), now)
        self._register.record(chain, self._holder(server), "server" if server in ("broker", "est") else "service", now)
        files.replace(self.certificate(server), chain)

    def _certified(self, server: Server, key: ec.EllipticCurvePublicKey, now: datetime) -> bytes:
        if server == "receiver" or server == "operator":  # noqa: PLR1714  mypy follows this one
            return pem(certificates.service_tls(self._services, server, key, now=now)) + pem(self._services.certificate)
        leaf = certificates.server_tls(self._issuing, self._host(server), key, now=now, crl_urls=self._place.crl_urls)
        return pem(leaf) + pem(self._issuing.certificate)

    def _host(self, server: Server) -> str:
        return self._place.broker.host if server == "broker" else self._place.est.host

    @staticmethod
    def _holder(server: Server) -> str:
        return f"svc-{server}"

    def _own_key(self, server: Server) -> ec.EllipticCurvePrivateKey | None:
        with suppress(FleetError):
            return private_key(self.key(server))
        return None

    def _bad(self, server: Server) -> bool:
        key = self._own_key(server)
        try:
            held = certificate(self.certificate(server))
        except FleetError:
            return True
        if key is None or held.public_key() != key.public_key():
            return True
        wanted = [certificates.host_name(self._host(server))]
        named = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return server in ("broker", "est") and list(named) != wanted


def certificate(path: Path) -> x509.Certificate:
    """The first certificate of a file; FleetError when there is none."""
    try:
        return x509.load_pem_x509_certificates(files.read(path))[0]
    except ValueError:
        raise FleetError(f"{path} holds no certificate: restore it from your copy, or run `roadproof fleet renew-access`") from None


def private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key of a file; FleetError when there is none that can be used."""
    try:
        key = load_pem_private_key(files.read(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise FleetError(f"{path} holds no private key: restore it from your copy")
    return key


def pair(folder: Path, name: str) -> Pair:
    """An authority's certificate and key, as NAME.pem and NAME.key; FleetError when they cannot be used."""
    return Pair(certificate(folder / f"{name}.pem"), private_key(folder / f"{name}.key"))
