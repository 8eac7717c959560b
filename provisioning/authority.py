"""A development authority: root, issuing, and the certificates of units and receivers, in a folder.

For the demo, the bench and small fleets. Its keys are files: keep root.key off line, for who has it can make up a unit (docs/evidence.md).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from mqtt.evidence.certificates import DOCUMENT_SIGNING, NAME, Role, role_uri, usage

Key = ec.EllipticCurvePrivateKey | X25519PrivateKey
YEAR = timedelta(days=365)
ROOT_FOR, ISSUING_FOR, LEAF_FOR = 30 * YEAR, 20 * YEAR, 5 * YEAR
EARLIER = timedelta(days=1)  # begins before it is made, for a receiver whose clock is a little slow


class AuthorityError(RuntimeError):
    """A certificate cannot be made; the sentence says why."""


def make_root(folder: Path, *, now: datetime | None = None) -> None:
    """root.pem, root.key, issuing.pem and issuing.key in the folder; AuthorityError when one is there already."""
    began = (now or datetime.now(UTC)) - EARLIER
    root_key, issuing_key = _new_key(), _new_key()
    root_name, issuing_name = _subject("Roadproof root"), _subject("Roadproof issuing")
    root = _builder(root_name, root_name, root_key, root_key, began=began, valid_for=ROOT_FOR)
    root = _authority(root, path_length=1)
    issuing = _builder(issuing_name, root_name, issuing_key, root_key, began=began, valid_for=ISSUING_FOR)
    issuing = _authority(issuing, path_length=0)
    _write_all(
        folder,
        {
            "root.key": _private(root_key),
            "root.pem": _signed(root, root_key),
            "issuing.key": _private(issuing_key),
            "issuing.pem": _signed(issuing, root_key),
        },
    )


def issue_unit(folder: Path, unit: str, out: Path, *, now: datetime | None = None) -> None:
    """unit.key and unit.pem, with root.pem and issuing.pem beside them, in `out`."""
    key = _new_key()
    certificate = _leaf(folder, "unit", unit, key, now)
    _write_all(out, {"unit.key": _private(key), "unit.pem": certificate, **_above(folder)})


def issue_receiver(folder: Path, name: str, out: Path, *, now: datetime | None = None) -> None:
    """receiver.key and receiver.pem, seal.key and seal.pub, with root.pem and issuing.pem beside them, in `out`."""
    key, seal = _new_key(), X25519PrivateKey.generate()
    certificate = _leaf(folder, "receiver", name, key, now)
    sealing = {"seal.key": _private(seal), "seal.pub": seal.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)}
    _write_all(out, {"receiver.key": _private(key), "receiver.pem": certificate, **sealing, **_above(folder)})


def make_broker(out: Path, addresses: Sequence[str], *, now: datetime | None = None) -> None:
    """broker.key and broker.pem in `out`: TLS for a broker at these IP addresses, for a demo or a bench.

    The certificate is its own authority, so that nothing of the evidence's answers for a line: units trust broker.pem itself.
    """
    key, name = _new_key(), _subject("Roadproof broker")
    began = (now or datetime.now(UTC)) - EARLIER
    certificate = _builder(name, name, key, key, began=began, valid_for=LEAF_FOR)
    certificate = certificate.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = certificate.add_extension(_own_authority(), critical=True)
    named = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address)) for address in addresses])
    _write_all(out, {"broker.key": _private(key), "broker.pem": _signed(certificate.add_extension(named, critical=False), key)})


def fingerprint(folder: Path) -> str:
    """SHA-256 of the root certificate, as `openssl x509 -fingerprint -sha256` writes it."""
    certificate = x509.load_pem_x509_certificate((folder / "root.pem").read_bytes())
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _leaf(folder: Path, role: Role, name: str, key: ec.EllipticCurvePrivateKey, now: datetime | None) -> bytes:
    if not NAME.fullmatch(name):
        raise AuthorityError(f"{name!r} cannot be a name: small letters, digits and hyphens, 32 at most")
    issuing, issuing_key = _issuing(folder)
    began = (now or datetime.now(UTC)) - EARLIER
    leaf = _builder(_subject(name), issuing.subject, key, issuing_key, began=began, valid_for=LEAF_FOR)
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.add_extension(usage(signing=True), critical=True)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING]), critical=False)
    leaf = leaf.add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(role_uri(role, name))]), critical=False)
    return _signed(leaf, issuing_key)


def _issuing(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        certificate = x509.load_pem_x509_certificate((folder / "issuing.pem").read_bytes())
        key = load_pem_private_key((folder / "issuing.key").read_bytes(), None)
    except OSError as error:
        raise AuthorityError(f"{folder} holds no authority ({error.strerror}): make one with `roadproof authority make {folder}`") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise AuthorityError(f"the authority in {folder} is damaged: restore it from your copy, or make a new one elsewhere") from None
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return certificate, key


def _above(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("issuing.pem", "root.pem")}


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    began: datetime,
    valid_for: timedelta,
) -> x509.CertificateBuilder:
    """What every certificate here has; the identifiers are what openssl's strict check asks for."""
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + valid_for)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _authority(builder: x509.CertificateBuilder, *, path_length: int) -> x509.CertificateBuilder:
    limits = x509.BasicConstraints(ca=True, path_length=path_length)
    return builder.add_extension(limits, critical=True).add_extension(usage(signing=False), critical=True)


def _own_authority() -> x509.KeyUsage:
    """What a key may be used for that answers a TLS handshake and signed its own certificate."""
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _private(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_all(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files, keys for their owner alone; nothing is written when a key or its certificate is there already."""
    shared = {"root.pem", "issuing.pem"} - ({"root.pem", "issuing.pem"} if "root.key" in files else set())
    there = sorted(name for name in files if name not in shared and (folder / name).exists())
    if there:
        raise AuthorityError(f"{folder / there[0]} is there already: choose an empty folder, a key is never overwritten")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            _write(folder / name, data, replace=name in shared)
    except OSError as error:
        raise AuthorityError(f"{folder} cannot be written: {error.strerror}") from None


def _write(path: Path, data: bytes, *, replace: bool) -> None:
    mode = 0o600 if path.suffix == ".key" else 0o644
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if replace else os.O_EXCL)
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        file.write(data)
