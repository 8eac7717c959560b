"""Attachments sealed to the receiver from the moment they are captured: HPKE (RFC 9180), X25519, HKDF-SHA256, ChaCha20-Poly1305.

The unit has only the public key: it cannot read a photo back, and neither can who steals it.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from mqtt.evidence import EvidenceError

OVERHEAD_BYTES = 48  # the sealed form is this much longer: an X25519 public key and a tag
PURPOSE = b"roadproof attachment 1"  # bound into the key, so that nothing sealed for another purpose opens here
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class Seal:
    """The receiver's public key."""

    def __init__(self, public_pem: bytes) -> None:
        try:
            key = load_pem_public_key(public_pem)
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, X25519PublicKey):
            raise EvidenceError("the receiver's sealing key is no X25519 public key in PEM form: copy the receiver's seal.pub")
        self._key = key

    def seal(self, plain: bytes) -> bytes:
        """The bytes as only the receiver can read them, different each time, `OVERHEAD_BYTES` longer."""
        return SUITE.encrypt(plain, self._key, PURPOSE)


def unseal(private_pem: bytes, sealed: bytes) -> bytes:
    """What was sealed; EvidenceError when the key is none, not the right one, or a bit was changed."""
    try:
        key = load_pem_private_key(private_pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, X25519PrivateKey):
        raise EvidenceError("the receiver's private sealing key is no X25519 key in PEM form: use the receiver's seal.key")
    try:
        return SUITE.decrypt(sealed, key, PURPOSE)
    except (InvalidTag, ValueError):
        raise EvidenceError("the attachment does not open: it was altered on the way, or sealed to another receiver's key") from None
