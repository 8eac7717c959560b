"""Whom a unit believes: the root that its card names by a fingerprint, and the authority below it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from provisioning.est import wire
from provisioning.est.errors import EstError


class Anchors(msgspec.Struct, frozen=True):
    """The fleet's root, and the authority below it that issues."""

    root: x509.Certificate
    issuing: x509.Certificate

    @classmethod
    def load(cls, root: bytes, issuing: bytes) -> Anchors:
        """From PEM; EstError when one cannot be read."""
        try:
            return cls(x509.load_pem_x509_certificate(root), x509.load_pem_x509_certificate(issuing))
        except wire.UNREADABLE:
            raise EstError("wrong_root", "the fleet's certificates on this unit are damaged: enrol the unit again") from None

    @classmethod
    def among(cls, certificates: Sequence[x509.Certificate], fingerprint: str, place: str) -> Anchors:
        """Those that a fingerprint of the root names; EstError `wrong_root` when they are not there. `place` is who showed them."""
        wanted = fingerprint.replace("-", "").replace(" ", "").upper()
        root = next((one for one in certificates if wire.fingerprint(one) == wanted), None)
        if root is None:
            told = f"{place} shows another root certificate than the card names: it is not this fleet's authority"
            raise EstError("wrong_root", f"{told}; check the address on the card and who is in this network: no code was sent")
        issuing = next((one for one in certificates if one != root and _is_authority(one) and issued(one, root)), None)
        if issuing is None:
            raise EstError("wrong_root", f"{place} names no authority that this fleet's root lets issue certificates: check the server")
        return cls(root, issuing)

    @property
    def root_pem(self) -> bytes:
        """The root, as files have it."""
        return self.root.public_bytes(Encoding.PEM)

    @property
    def issuing_pem(self) -> bytes:
        """The issuing authority, as files have it."""
        return self.issuing.public_bytes(Encoding.PEM)


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer signed the certificate."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
