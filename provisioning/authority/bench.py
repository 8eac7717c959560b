"""A development authority: root, issuing, and the certificates of units and receivers, in a folder.

For the demo, the bench and a first try by hand; a fleet has `roadproof fleet init`. Its keys are files: keep root.key off line, for who
has it can make up a unit (docs/evidence.md).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mqtt.evidence.certificates import NAME, Role
from provisioning.authority import certificates
from provisioning.authority.certificates import Pair, new_key, pem, private_pem, public_pem
from provisioning.authority.errors import AuthorityError


def make_root(folder: Path, *, now: datetime | None = None) -> None:
    """root.pem, root.key, issuing.pem and issuing.key in the folder; AuthorityError when one is there already."""
    began = now or datetime.now(UTC)
    root = certificates.self_signed("Roadproof root", path_length=1, now=began)
    issuing = certificates.issuing_below(root, "Roadproof issuing", now=began)
    _write_all(
        folder,
        {
            "root.key": private_pem(root.key),
            "root.pem": pem(root.certificate),
            "issuing.key": private_pem(issuing.key),
            "issuing.pem": pem(issuing.certificate),
        },
    )


def issue_unit(folder: Path, unit: str, out: Path, *, now: datetime | None = None) -> None:
    """unit.key and unit.pem, with root.pem and issuing.pem beside them, in `out`."""
    key = new_key()
    certificate = _leaf(folder, "unit", unit, key, now)
    _write_all(out, {"unit.key": private_pem(key), "unit.pem": certificate, **_above(folder)})


def issue_receiver(folder: Path, name: str, out: Path, *, now: datetime | None = None) -> None:
    """receiver.key and receiver.pem, seal.key and seal.pub, with root.pem and issuing.pem beside them, in `out`."""
    key, seal = new_key(), X25519PrivateKey.generate()
    certificate = _leaf(folder, "receiver", name, key, now)
    sealing = {"seal.key": private_pem(seal), "seal.pub": public_pem(seal)}
    _write_all(out, {"receiver.key": private_pem(key), "receiver.pem": certificate, **sealing, **_above(folder)})


def make_broker(out: Path, addresses: Sequence[str], *, now: datetime | None = None) -> None:
    """broker.key and broker.pem in `out`: TLS for a broker at these IP addresses, for a demo or a bench.

    The certificate is its own authority, so that nothing of the evidence's answers for a line: units trust broker.pem itself.
    """
    own = certificates.own_server("Roadproof broker", addresses, now=now or datetime.now(UTC))
    _write_all(out, {"broker.key": private_pem(own.key), "broker.pem": pem(own.certificate)})


def fingerprint(folder: Path) -> str:
    """SHA-256 of the root certificate, as `openssl x509 -fingerprint -sha256` writes it."""
    certificate = x509.load_pem_x509_certificate((folder / "root.pem").read_bytes())
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _leaf(folder: Path, role: Role, name: str, key: ec.EllipticCurvePrivateKey, now: datetime | None) -> bytes:
    if not NAME.fullmatch(name):
        raise AuthorityError(f"{name!r} cannot be a name: small letters, digits and hyphens, 32 at most")
    return pem(certificates.evidence(_issuing(folder), role, name, key.public_key(), now=now or datetime.now(UTC)))


def _issuing(folder: Path) -> Pair:
    try:
        certificate = x509.load_pem_x509_certificate((folder / "issuing.pem").read_bytes())
        key = load_pem_private_key((folder / "issuing.key").read_bytes(), None)
    except OSError as error:
        raise AuthorityError(f"{folder} holds no authority ({error.strerror}): make one with `roadproof authority make {folder}`") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise AuthorityError(f"the authority in {folder} is damaged: restore it from your copy, or make a new one elsewhere") from None
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Pair(certificate, key)


def _above(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("issuing.pem", "root.pem")}


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
