"""Keys of a bench, a demo or a test: an authority, units and a receiver as files. A fleet has `roadproof fleet init`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from mqtt.evidence.certificates import Role
from provisioning.authority import certificates
from provisioning.authority.certificates import new_key, pem, private_pem, public_pem
from provisioning.authority.files import KEY_MODE, OPEN_MODE
from provisioning.authority.servers import pair

ABOVE = ("issuing.pem", "root.pem")  # lie beside every leaf


def make_keys(folder: Path, unit: str) -> None:
    """One unit and one receiver: the folders authority/, unit/ and receiver/, and units/UNIT.pem for the receiver to know the unit by."""
    make_root(folder / "authority")
    issue_unit(folder / "authority", unit, folder / "unit")
    issue_receiver(folder / "authority", "receiver-1", folder / "receiver")
    (folder / "units").mkdir()
    shutil.copy(folder / "unit" / "unit.pem", folder / "units" / f"{unit}.pem")


def make_root(folder: Path, *, now: datetime | None = None) -> None:
    """root.pem, issuing.pem and issuing.key; the root's key is in no file, for nothing here needs it again."""
    began = now or datetime.now(UTC)
    root = certificates.self_signed("Roadproof root", path_length=1, now=began)
    issuing = certificates.issuing_below(root, "Roadproof issuing", now=began)
    above = {"root.pem": pem(root.certificate), "issuing.pem": pem(issuing.certificate)}
    _write_all(folder, {"issuing.key": private_pem(issuing.key), **above})


def issue_unit(folder: Path, unit: str, out: Path, *, now: datetime | None = None) -> None:
    """unit.key and unit.pem in `out`, for proofs."""
    _write_all(out, _leaf(folder, "unit", unit, now))


def issue_receiver(folder: Path, name: str, out: Path, *, now: datetime | None = None) -> None:
    """receiver.key and receiver.pem in `out`, for receipts; seal.key and seal.pub, for attachments."""
    seal = X25519PrivateKey.generate()
    _write_all(out, {**_leaf(folder, "receiver", name, now), "seal.key": private_pem(seal), "seal.pub": public_pem(seal)})


def make_broker(out: Path, addresses: Sequence[str]) -> None:
    """broker.key and broker.pem in `out`: TLS for a broker at these IP addresses.

    The certificate is its own authority, so that nothing of the evidence's answers for a line: units trust broker.pem itself.
    """
    own = certificates.own_server("Roadproof broker", addresses, now=datetime.now(UTC))
    _write_all(out, {"broker.key": private_pem(own.key), "broker.pem": pem(own.certificate)})


def _leaf(folder: Path, role: Role, name: str, now: datetime | None) -> dict[str, bytes]:
    key = new_key()
    leaf = certificates.evidence(pair(folder, "issuing"), role, name, key.public_key(), now=now or datetime.now(UTC))
    return {f"{role}.key": private_pem(key), f"{role}.pem": pem(leaf), **{above: (folder / above).read_bytes() for above in ABOVE}}


def _write_all(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        mode = KEY_MODE if name.endswith(".key") else OPEN_MODE
        with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
