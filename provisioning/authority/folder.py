"""A fleet's folder at work: what the commands and the enrolment server do with it."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from mqtt import access
from mqtt.evidence.certificates import NAME
from provisioning.authority import certificates, files, settings
from provisioning.authority.broker_files import BrokerFiles
from provisioning.authority.certificates import Pair, pem
from provisioning.authority.errors import FleetError
from provisioning.authority.outlook import Ending, endings, overdue
from provisioning.authority.receipts import Receipts
from provisioning.authority.register import Register
from provisioning.authority.servers import Servers, pair
from provisioning.card import SERVICE, Card
from provisioning.est import wire
from provisioning.est.wire import Purpose

DUE = timedelta(days=60)  # a server certificate is renewed so long before its end: a month before anybody has to be warned


class Fleet:
    """One fleet's authority, by its folder. Safe for threads, and for several programs at once."""

    def __init__(self, folder: Path, place: settings.FleetPlace, register: Register, issuing: Pair, services: Pair) -> None:
        self.folder, self.settings, self.register = folder, place, register
        self.servers = Servers(folder, place, register, issuing=issuing, services=services)
        self.receipts = Receipts(folder / "receiver", place, register, issuing)
        self._broker = BrokerFiles(folder / "broker", place, register, issuing=issuing, services=services)
        self._issuing = issuing
        self._lock = threading.RLock()

    @classmethod
    def open(cls, folder: Path) -> Fleet:
        """The fleet that `roadproof fleet init` made there; FleetError when it cannot be used."""
        if not (folder / settings.FILE).exists():
            raise FleetError(
                f"{folder} holds no fleet: make one with `roadproof fleet init {folder} --broker HOST`, or name its folder with --fleet"
            )
        own = folder / "authority"
        place, issuing, services = settings.load(folder), pair(own, "issuing"), pair(own, "services")
        return cls(folder.absolute(), place, Register(own / "register.db"), issuing, services)

    def close(self) -> None:
        """Close the register."""
        self.register.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def root_pem(self) -> bytes:
        """The root certificate."""
        return files.read(self.folder / "authority" / "root.pem")

    @property
    def issuing_pem(self) -> bytes:
        """The certificate between root and leaves."""
        return pem(self._issuing.certificate)

    @property
    def est_pem(self) -> Path:
        """The enrolment server's certificate, the issuing one behind it."""
        return self.servers.certificate("est")

    @property
    def est_key(self) -> Path:
        """The enrolment server's private key."""
        return self.servers.key("est")

    def cacerts(self) -> list[x509.Certificate]:
        """What a unit trusts: the issuing certificate and the root."""
        return [self._issuing.certificate, *x509.load_pem_x509_certificates(self.root_pem)]

    def crl(self) -> bytes:
        """The units' revocation list that is in force, as DER."""
        return x509.load_pem_x509_crl(files.read(self.folder / "broker" / "fleet.crl")).public_bytes(Encoding.DER)

    # --- units come

    def expect(self, vehicle: str, *, now: datetime | None = None) -> Card:
        """The card of a vehicle's unit: of its first one, or of one that was never enrolled; FleetError when it has one already."""
        now = now or datetime.now(UTC)
        if not NAME.fullmatch(vehicle) or vehicle.startswith(SERVICE):
            raise FleetError(
                f"{vehicle!r} cannot be a vehicle's name: small letters, digits and hyphens, 32 at most, and not svc- at its beginning"
            )
        standing = [entry for entry in self.register.units() if entry.vehicle == vehicle and entry.state != "revoked"]
        if enrolled := [entry.unit for entry in standing if entry.state == "enrolled"]:
            old = enrolled[0]
            raise FleetError(
                f"{vehicle} has a unit already, {old}: `roadproof fleet replace {old}` takes it out of the fleet and makes the next"
            )
        unit = standing[0].unit if standing else self.register.free_name(vehicle)
        card = self._card(unit, self.register.new_code(vehicle, unit, now))
        if self.register.certificates(unit):  # of an enrolment that was not finished: they stand no longer
            self._write_broker(now)
        return card

    def replace(self, old: str, reason: str, *, now: datetime | None = None) -> Card:
        """Take a unit out of the fleet, and the card of the next unit of its vehicle; FleetError when there is no such unit.

        The broker's files are written, and `tell_broker` is the caller's: a card is made once, and must be shown even when that fails.
        """
        now = now or datetime.now(UTC)
        entry = self.register.unit(old)
        if entry is None:
            raise FleetError(f"there is no unit {old} in this fleet; `roadproof fleet access` names them all")
        if others := [
            one.unit for one in self.register.units() if one.vehicle == entry.vehicle and one.unit != old and one.state != "revoked"
        ]:
            raise FleetError(
                f"{entry.vehicle} has another unit already, {others[0]}: `roadproof fleet revoke {old}` only takes this one out"
            )
        unit = self.register.free_name(entry.vehicle)
        card = self._card(unit, self.register.replace(old, unit, entry.vehicle, now, reason))
        self._write_broker(now)
        return card

    def _card(self, unit: str, code: str) -> Card:
        root = x509.load_pem_x509_certificate(self.root_pem)
        est = self.settings.est
        return Card(host=est.host, port=est.port, unit=unit, code=code, fingerprint=wire.fingerprint(root))

    def enrol(self, unit: str, code: str, purpose: Purpose, key: ec.EllipticCurvePublicKey, *, now: datetime | None = None) -> bytes:
        """The certificate for a code, leaf and issuing as PEM, the same one for the same key; CodeError when it is not to be had."""
        now = now or datetime.now(UTC)
        _check_key(key)
        with self._lock:
            self.register.claim(unit, code, purpose, wire.key_sha256(key), now)
            held = self.register.certificate_for(unit, purpose, wire.key_sha256(key))
            return held or self._issue(unit, purpose, key, now)

    def issue_tls(self, unit: str, key: ec.EllipticCurvePublicKey, *, now: datetime | None = None) -> bytes:
        """A new certificate to log in with, leaf and issuing as PEM; FleetError for a unit that is not in the fleet."""
        return self._issue(unit, "tls", key, now or datetime.now(UTC))

    def issue_evidence(self, unit: str, key: ec.EllipticCurvePublicKey, *, now: datetime | None = None) -> bytes:
        """A new certificate for proofs, leaf and issuing as PEM, kept in units/ too; FleetError for a unit that is not in the fleet."""
        return self._issue(unit, "evidence", key, now or datetime.now(UTC))

    def _issue(self, unit: str, purpose: Purpose, key: ec.EllipticCurvePublicKey, now: datetime) -> bytes:
        _check_key(key)
        with self._lock:
            entry = self.register.unit(unit)
            if entry is None or entry.state == "revoked":
                told = "was taken out of this fleet" if entry else "is no unit of this fleet"
                raise FleetError(f"{unit} {told}: make a new unit with `roadproof fleet enrol`")
            urls = self.settings.crl_urls
            if purpose == "tls":
                leaf = certificates.unit_tls(self._issuing, unit, key, now=now, crl_urls=urls)
            else:
                leaf = certificates.evidence(self._issuing, "unit", unit, key, now=now, crl_urls=urls)
            chain = pem(leaf) + self.issuing_pem
            if purpose == "evidence":
                self._keep_for_receivers(unit, chain)
            self.register.record(chain, unit, purpose, now)
        return chain

    def _keep_for_receivers(self, unit: str, chain: bytes) -> None:
        """units/UNIT.pem; one that was there stays as UNIT.1.pem and so on, for what it signed."""
        newest, number = self.folder / "units" / f"{unit}.pem", 1
        if newest.exists():
            while (older := newest.with_name(f"{unit}.{number}.pem")).exists():
                number += 1
            files.replace(older, files.read(newest))
        files.replace(newest, chain)

    def unit_settings(self, unit: str, *, now: datetime | None = None) -> bytes:
        """What a unit is told at its enrolment, and later once a week, as JSON; FleetError when it is none of this fleet."""
        entry, now = self.register.unit(unit), now or datetime.now(UTC)
        if entry is None:
            raise FleetError(f"{unit} is no unit of this fleet")
        place = self.settings
        told = {
            "v": 1,
            "unit": unit,
            "vehicle": entry.vehicle,
            "broker": {"host": place.broker.host, "port": place.broker.port},
            "est": {"host": place.est.host, "port": place.est.port},
            "receivers": [one.decode() for one in self.receipts.known(now)],
            "seal_to": files.read(self.folder / "receiver" / "seal.pub").decode(),
            "withdrawn": self.receipts.withdrawn(now),
        }
        return msgspec.json.encode(told)

    # --- and go

    def revoke(self, holder: str, reason: str, *, now: datetime | None = None) -> None:
        """Take a unit out of the fleet at once; of svc-receiver and svc-operator what they log in with, and make them new.

        FleetError when there is none of that name, or when the broker could not be told: what is written stands then.
        """
        now = now or datetime.now(UTC)
        if holder in (access.RECEIVER, access.OPERATOR):
            with self._alone():
                self.register.revoke_certificates(holder, now)
                self.servers.renew("receiver" if holder == access.RECEIVER else "operator", now, new=True)
        else:
            self.register.revoke(holder, reason, now)
        self.write_access(now=now)

    def write_access(self, *, now: datetime | None = None) -> None:
        """Write revocation lists and access files, then tell the broker; FleetError when it could not be told: what is written stands."""
        self._write_broker(now or datetime.now(UTC))
        self.tell_broker()

    def renew_receiver(self, *, stolen: bool = False, now: datetime | None = None) -> None:
        """A new key to sign receipts with: known to units first, in use two months later; at once when the old one was `stolen`."""
        now = now or datetime.now(UTC)
        with self._alone():
            self.receipts.exchange(now, stolen=stolen)
        if stolen:
            self.write_access(now=now)

    def renew_access(self, *, now: datetime | None = None) -> list[str]:
        """What must be done once a day: revocation lists, and certificates of the fleet's own that end within two months.

        Who got a new certificate. FleetError when one could not be written, or the broker not be told: the rest is done all the same.
        """
        now = now or datetime.now(UTC)
        renewed, faults = list[str](), list[FleetError]()
        with self._alone():
            for server in self.servers.due(now + DUE):
                with _counted(faults):
                    self.servers.renew(server, now)
                    renewed.append(server)
            with _counted(faults):
                if told := self.receipts.look(now):
                    renewed.append(told)
            self._broker.write_configuration()
        self.write_access(now=now)
        if faults:
            raise faults[0]
        return renewed

    def endings(self) -> list[Ending]:
        """What keeps the fleet out when it ends, and when."""
        return list(endings(self.folder, self.servers, self.receipts))

    def warnings(self, now: datetime) -> list[str]:
        """What somebody must look after now, a sentence each: lists and certificates that end, and units that did not renew theirs."""
        near = [warning for ending in self.endings() if (warning := ending.warning(now))]
        return near + [told for entry in self.register.units() if (told := overdue(entry, now))]

    def tell_broker(self) -> None:
        """Have the broker read its files again; FleetError when it could not be told."""
        self._broker.tell_broker()

    def _write_broker(self, now: datetime) -> None:
        with self._alone():
            self._broker.write(now)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread, and no other program, writes the fleet's files meanwhile."""
        with self._lock:
            handle = os.open(self.folder / "authority", os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)


@contextmanager
def _counted(faults: list[FleetError]) -> Iterator[None]:
    """What fails here must not keep the rest from being done: the lists must not run out over it."""
    try:
        yield
    except FleetError as error:
        faults.append(error)


def _check_key(key: ec.EllipticCurvePublicKey) -> None:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise FleetError("the key is not on the curve P-256: this fleet takes no other")
