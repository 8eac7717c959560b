"""A unit that is known asks again: with the certificate that it has, in the name that stands in it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from http import HTTPStatus

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from mqtt.evidence.certificates import role_uri
from provisioning.authority.folder import Fleet
from provisioning.est import wire
from provisioning.est.refusal import RefusedError
from provisioning.est.wire import Purpose

DAY_S = 86_400
A_DAY = 8  # a unit renews once in nine months; who asks for more is broken, or a thief who fills the register
FRESH_PART = 1 / 3  # with more than this of its life left, a certificate is not made anew for the same key


class Renewal:
    """What the holder of a unit's TLS certificate may have."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._lock = threading.Lock()  # the same request twice at once gets one certificate

    def holder(self, peer: bytes | None) -> str:
        """The unit whose certificate (DER) TLS has checked; RefusedError when it is none, or one that does not stand any more."""
        if peer is None:
            raise RefusedError(HTTPStatus.FORBIDDEN, "tls", "the unit's certificate is wanted on this line, and none was shown")
        certificate = x509.load_der_x509_certificate(peer)
        unit = _unit(certificate)
        if certificate.not_valid_after_utc < datetime.now(UTC):  # TLS looks too, but not again when a session is taken up
            raise RefusedError(HTTPStatus.FORBIDDEN, "tls", f"the certificate of {unit} has run out: enrol it again with a new code")
        held = [one for one in self._fleet.register.certificates(unit) if one.number == certificate.serial_number and one.purpose == "tls"]
        if self._fleet.register.is_revoked(unit) or any(one.revoked_s is not None for one in held):
            raise RefusedError(HTTPStatus.FORBIDDEN, "revoked", f"{unit} was taken out of the fleet")
        if not held:
            raise RefusedError(HTTPStatus.FORBIDDEN, "tls", "this certificate is not in the fleet's register: enrol the unit again")
        return unit

    def renewed(self, unit: str, purpose: Purpose, key: ec.EllipticCurvePublicKey) -> bytes:
        """A certificate for the key, leaf and issuing as PEM: for TLS any new key, for evidence the one that the unit has."""
        self.check_one_use(unit, purpose, key)
        with self._lock:
            held = self._fleet.register.certificate_for(unit, purpose, wire.key_sha256(key))
            if held is not None and _fresh(held):
                return held
            if purpose == "evidence":
                if held is None:
                    told = "the key that signs proofs stays: this one is not the unit's; a new key needs a new enrolment"
                    raise RefusedError(HTTPStatus.FORBIDDEN, "protocol", told)
                return self._fleet.issue_evidence(unit, key)
            self._check_pace(unit)
            return self._fleet.issue_tls(unit, key)

    def check_one_use(self, unit: str, purpose: Purpose, key: ec.EllipticCurvePublicKey) -> None:
        """RefusedError for a key that has a certificate for the other purpose: what logs in must not be able to sign proofs."""
        other: Purpose = "evidence" if purpose == "tls" else "tls"
        if self._fleet.register.certificate_for(unit, other, wire.key_sha256(key)) is not None:
            told = f"this key has a certificate for {other} already: make a key of its own for {purpose}"
            raise RefusedError(HTTPStatus.BAD_REQUEST, "protocol", told)

    def _check_pace(self, unit: str) -> None:
        since_s = datetime.now(UTC).timestamp() - DAY_S
        if sum(one.issued_s > since_s for one in self._fleet.register.certificates(unit) if one.purpose == "tls") >= A_DAY:
            raise RefusedError(
                HTTPStatus.TOO_MANY_REQUESTS, "busy", f"{unit} had {A_DAY} certificates within a day: no more until tomorrow"
            )


def _unit(certificate: x509.Certificate) -> str:
    """The unit that a certificate names; RefusedError when it is a program's of the fleet, or somebody's who has no role."""
    names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    try:
        told = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        told = []
    if len(names) != 1 or told != [x509.UniformResourceIdentifier(role_uri("unit", names[0]))]:
        raise RefusedError(HTTPStatus.FORBIDDEN, "tls", "this certificate is not a unit's")
    return names[0]


def _fresh(chain: bytes) -> bool:
    certificate = x509.load_pem_x509_certificates(chain)[0]
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_after_utc - datetime.now(UTC) > life * FRESH_PART
