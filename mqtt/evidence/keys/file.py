"""Keys in files that nobody but their owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from mqtt.evidence import EvidenceError
from mqtt.evidence.certificates import load
from mqtt.evidence.keys.key import SHA256, KeySigner, check_belongs, raw_signature

LARGEST_BYTES = 100_000  # a key has a few hundred


class FileKey:
    """A P-256 key from a PEM file."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        self.public_key = private.public_key()

    @classmethod
    def read(cls, path: Path) -> FileKey:
        """The key of a file; EvidenceError when it holds none, or others can read it."""
        pem = read_private(path)
        try:
            private = load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise EvidenceError(
                f"{path} holds no private key without a password in PEM form: put back the one that belongs to its certificate"
            ) from None
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise EvidenceError(f"{path} does not belong to the certificate of a signer: its key is of another kind")
        return cls(private)

    @classmethod
    def make(cls, path: Path) -> FileKey:
        """A new key, on the card when this returns; EvidenceError when something is there already, or it cannot be written."""
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            raise EvidenceError(f"{path} is there already: a key is never overwritten") from None
        except OSError as error:
            raise EvidenceError(f"{path} cannot be written: {_reason(error)}") from None
        return cls(private)

    def sign(self, message: bytes) -> bytes:
        """64 bytes, r then s, over the SHA-256 of the message."""
        return raw_signature(self._private.sign(message, SHA256))

    def describe(self) -> str:
        """Where it lies, for people."""
        return "a file"


class FileSigner(KeySigner):
    """A key from a file, and its certificate."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        super().__init__(FileKey(key), certificate)

    @classmethod
    def load(cls, key: Path, certificate: Path) -> FileSigner:
        """Read both; EvidenceError names the file that cannot be used, and why."""
        found, read = load(read_certificate(certificate), "signing"), FileKey.read(key)
        check_belongs(read, found, str(key), certificate)
        return cls(read._private, found)  # noqa: SLF001  both are of this file


def read_certificate(path: Path) -> bytes:
    """A certificate file's bytes; EvidenceError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {_reason(error)}") from None


def read_private(path: Path) -> bytes:
    """A private file's bytes; EvidenceError when it cannot be read, or others than its owner can."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise EvidenceError(
                    f"{path} can be read by others than its owner: chmod 600 it, and think of the key as copied if they could"
                )
            return file.read(LARGEST_BYTES)
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
