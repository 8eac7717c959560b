"""Keys in files, behind the same interface as keys in hardware. The only file of the package that reads files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from mqtt.evidence import EvidenceError
from mqtt.evidence.certificates import load


class FileSigner:
    """A P-256 key from a PEM file that nobody else may read, and the certificate that belongs to it."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self.certificate_der = certificate.public_bytes(Encoding.DER)

    @classmethod
    def load(cls, key: Path, certificate: Path) -> FileSigner:
        """Read both; EvidenceError names the file that cannot be used, and why."""
        found, pem = load(_bytes(certificate), "signing"), read_private(key)
        try:
            private = load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise EvidenceError(f"{key} holds no private key without a password in PEM form: make one with `roadproof authority`") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != found.public_key():
            raise EvidenceError(f"{key} does not belong to the certificate {certificate}: use the pair that was made together")
        return cls(private, found)

    def sign(self, message: bytes) -> bytes:
        """64 bytes, r then s, over the SHA-256 of the message."""
        r, s = utils.decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)


def read_private(path: Path) -> bytes:
    """A private file's bytes; EvidenceError when it cannot be read, or others than its owner can."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise EvidenceError(
                    f"{path} can be read by others than its owner: chmod 600 it, and think of the key as copied if they could"
                )
            return file.read(100_000)
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {error.strerror}") from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {error.strerror}") from None
