"""What a key is, wherever it lies: it signs, tells its public half, and says where it is. And one with its certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding

from mqtt.evidence import EvidenceError

SHA256 = ec.ECDSA(hashes.SHA256())


class Key(Protocol):
    """A P-256 private key that signs: what a certificate is asked for with, and what signs under it. For any thread."""

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Its public half."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes, r then s, over the SHA-256 of the message; EvidenceError when the key is out of reach."""

    def describe(self) -> str:
        """Where it lies, for people."""


class KeySigner:
    """A key and the certificate that belongs to it: `mqtt.evidence.jws.Signer`."""

    def __init__(self, key: Key, certificate: x509.Certificate) -> None:
        self._key = key
        self.certificate_der = certificate.public_bytes(Encoding.DER)

    def sign(self, message: bytes) -> bytes:
        """64 bytes, r then s, over the SHA-256 of the message; EvidenceError when the key is out of reach."""
        return self._key.sign(message)

    def describe(self) -> str:
        """Where the key lies, for people."""
        return self._key.describe()


def check_belongs(key: Key, certificate: x509.Certificate, named: str, file: Path) -> None:
    """EvidenceError when a certificate is that of another key; `named` says which key it is, `file` where the certificate is from."""
    if key.public_key != certificate.public_key():
        raise EvidenceError(f"{named} does not belong to the certificate {file}: use the pair that was made together")


def raw_signature(der: bytes) -> bytes:
    """A signature as X.509 writes it, as 64 bytes; ValueError when it is none."""
    r, s = utils.decode_dss_signature(der)
    if max(r, s).bit_length() > 256:  # noqa: PLR2004  P-256
        raise ValueError("a number of it is longer than the curve's")
    return r.to_bytes(32) + s.to_bytes(32)


def der_signature(raw: bytes) -> bytes:
    """64 bytes of a signature as X.509 writes it."""
    return utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))


def check_made(raw: bytes, message: bytes, public_key: ec.EllipticCurvePublicKey, where: str) -> bytes:
    """A signature that hardware made, when it fits; EvidenceError otherwise: a proof with a wrong one would be worth nothing."""
    try:
        public_key.verify(der_signature(raw), message, SHA256)
    except InvalidSignature:
        raise EvidenceError(f"{where} made a signature that does not fit its own key: have the part checked") from None
    return raw
