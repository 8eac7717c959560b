"""The certificate under which the fleet's receiver signs receipts: the one in use, the next one, which units learn first, those before.

A unit believes the receivers that it was told of, and asks again once a week. So a certificate is made known long before it signs: as
receiver.next.pem it is told to every unit, after two months it becomes receiver.pem, and the one before stays as receiver.1.pem. A renewal
by the calendar is for the same key, which the authority cannot read and need not; a new key is made by hand.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from provisioning.authority import certificates, files
from provisioning.authority.certificates import Pair, new_key, pem, private_pem
from provisioning.authority.errors import FleetError
from provisioning.authority.register import Register
from provisioning.authority.settings import FleetPlace

HOLDER = "svc-receipts"  # in the register: not svc-receiver, whose logins are revoked by that name
NAME = "receiver-1"
DUE = timedelta(days=365)  # of five years: time for a van that stood in a shed for months
KNOWN_FOR = timedelta(days=60)  # before it signs; a unit asks eight times meanwhile
MOST = 16  # a unit takes no more
CURRENT, NEXT = "receiver", "receiver.next"


class Receipts:
    """The evidence certificates in the folder receiver/ of a fleet."""

    def __init__(self, folder: Path, place: FleetPlace, register: Register, issuing: Pair) -> None:
        self._folder, self._place, self._register, self._issuing = folder, place, register, issuing

    def known(self, now: datetime) -> list[bytes]:
        """What units are told: every certificate under which a receipt may come, as PEM; FleetError when one cannot be read."""
        held = [self._held(path) for path in sorted(self._folder.glob("receiver*.pem"))]
        withdrawn = self.withdrawn(now)
        valid = [one for one in held if now < one.not_valid_after_utc and f"{one.serial_number:x}" not in withdrawn]
        return [pem(one) for one in valid[-MOST:]]  # by their names the one in use is the last, the next one before it

    def withdrawn(self, now: datetime) -> list[str]:
        """Serial numbers that no unit may believe any longer."""
        return [one.serial for one in self._register.revoked(now) if one.holder == HOLDER]

    def until(self) -> datetime:
        """When the one in use ends; FleetError when it cannot be read."""
        return self._held(self._path(CURRENT)).not_valid_after_utc

    def make(self, now: datetime, *, name: str = CURRENT) -> None:
        """A new key and its certificate, into the folder."""
        key = new_key()
        files.replace(self._path(name, "key"), private_pem(key), files.KEY_MODE)
        self._certify(name, key.public_key(), now)

    def look(self, now: datetime) -> str:
        """Once a day: prepare the next one when it is time, and use it when units had time to learn it; what was done, or nothing."""
        upcoming = self._path(NEXT)
        if upcoming.exists():
            known_since = self._held(upcoming).not_valid_before_utc + certificates.EARLIER
            if now < min(known_since + KNOWN_FOR, self.until()):
                return ""
            self._put_to_use()
            return "the signing of receipts (restart the receivers: systemctl restart roadproof-fleet)"
        current = self._held(self._path(CURRENT))
        if now < current.not_valid_after_utc - DUE:
            return ""
        key = current.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)  # nothing else was ever certified here
        self._certify(NEXT, key, now)
        return f"the signing of receipts, in use in {KNOWN_FOR.days} days, when every unit knows it"

    def exchange(self, now: datetime, *, stolen: bool = False) -> None:
        """A new key: units learn its certificate, and it signs two months later; at once, and the old ones are withdrawn, when `stolen`."""
        try:
            owner = self._path(CURRENT, "key").stat()
        except OSError:
            raise FleetError(f"{self._path(CURRENT, 'key')} is not there: a key in a token is exchanged where the token is") from None
        if stolen:
            self._register.revoke_certificates(HOLDER, now)
        self.make(now, name=NEXT)
        if os.geteuid() == 0:
            os.chown(self._path(NEXT, "key"), owner.st_uid, owner.st_gid)
        if stolen:
            self._put_to_use()

    def _put_to_use(self) -> None:
        """Two renames; after a cut between them no receiver starts, and the next look makes the second one."""
        number = 1
        while self._path(f"receiver.{number}").exists():
            number += 1
        files.replace(self._path(f"receiver.{number}"), files.read(self._path(CURRENT)))
        if self._path(NEXT, "key").exists():
            _rename(self._path(NEXT, "key"), self._path(CURRENT, "key"))
        _rename(self._path(NEXT), self._path(CURRENT))

    def _certify(self, name: str, key: ec.EllipticCurvePublicKey, now: datetime) -> None:
        leaf = certificates.evidence(self._issuing, "receiver", NAME, key, now=now, crl_urls=self._place.crl_urls)
        self._register.record(pem(leaf) + pem(self._issuing.certificate), HOLDER, "receipts", now)
        files.replace(self._path(name), pem(leaf))

    def _held(self, path: Path) -> x509.Certificate:
        try:
            return x509.load_pem_x509_certificate(files.read(path))
        except ValueError:
            raise FleetError(f"{path} holds no certificate: restore it from your copy") from None

    def _path(self, name: str, kind: str = "pem") -> Path:
        return self._folder / f"{name}.{kind}"


def _rename(path: Path, target: Path) -> None:
    try:
        path.replace(target)
    except OSError as error:
        raise FleetError(f"{target} cannot be replaced: {(error.strerror or str(error)).lower()}; run the command with sudo") from None
