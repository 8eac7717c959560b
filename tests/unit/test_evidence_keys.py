"""Keys in files, and attachments sealed to the receiver."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mqtt.evidence import EvidenceError
from mqtt.evidence.keys import FileSigner, read_private
from mqtt.evidence.sealing import OVERHEAD_BYTES, Seal, unseal
from tests.signers import Fleet


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return Fleet(tmp_path_factory.mktemp("fleet"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o622])
def test_a_key_that_others_can_read_is_refused(mode: int, fleet: Fleet, tmp_path: Path) -> None:
    key = tmp_path / "unit.key"
    key.write_bytes(fleet.pem("unit/unit.key"))
    key.chmod(mode)
    with pytest.raises(EvidenceError, match="can be read by others"):
        FileSigner.load(key, fleet.folder / "unit/unit.pem")


def test_a_key_for_its_owner_alone_signs(fleet: Fleet) -> None:
    assert len(fleet.unit.sign(b"message")) == 64


def test_a_key_of_another_certificate_is_refused(fleet: Fleet) -> None:
    with pytest.raises(EvidenceError, match="does not belong to the certificate"):
        FileSigner.load(fleet.folder / "unit/unit.key", fleet.folder / "other/unit.pem")
    with pytest.raises(EvidenceError, match="does not belong to the certificate"):
        FileSigner.load(fleet.folder / "receiver/seal.key", fleet.folder / "receiver/receiver.pem")


def test_files_that_cannot_be_used_are_named(fleet: Fleet, tmp_path: Path) -> None:
    rubbish = tmp_path / "unit.key"
    rubbish.write_bytes(b"no key")
    rubbish.chmod(0o600)
    for key, certificate, word in (
        (rubbish, fleet.folder / "unit/unit.pem", "holds no private key"),
        (tmp_path / "absent.key", fleet.folder / "unit/unit.pem", "absent.key cannot be read"),
        (fleet.folder / "unit/unit.key", tmp_path / "absent.pem", "absent.pem cannot be read"),
        (fleet.folder / "unit/unit.key", rubbish, "signing certificate cannot be read"),
    ):
        with pytest.raises(EvidenceError, match=word):
            FileSigner.load(key, certificate)


def test_a_sealed_attachment_opens_with_the_receiver_s_key_alone(fleet: Fleet) -> None:
    seal, key = Seal(fleet.pem("receiver/seal.pub")), read_private(fleet.folder / "receiver/seal.key")
    photo = os.urandom(30_000)
    sealed = seal.seal(photo)
    assert unseal(key, sealed) == photo
    assert len(sealed) == len(photo) + OVERHEAD_BYTES
    assert seal.seal(photo) != sealed
    stranger = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(EvidenceError, match="does not open"):
        unseal(stranger, sealed)


def test_a_sealed_attachment_altered_anywhere_does_not_open(fleet: Fleet) -> None:
    key = fleet.pem("receiver/seal.key")
    sealed = bytearray(Seal(fleet.pem("receiver/seal.pub")).seal(b"a door"))
    for at in range(len(sealed)):
        sealed[at] ^= 0x40
        with pytest.raises(EvidenceError):
            unseal(key, bytes(sealed))
        sealed[at] ^= 0x40
    for length in (0, 31, 32, 47, len(sealed) - 1):
        with pytest.raises(EvidenceError):
            unseal(key, bytes(sealed[:length]))


def test_what_is_no_sealing_key_is_refused(fleet: Fleet) -> None:
    for pem in (b"", fleet.receiver_pem, fleet.pem("receiver/seal.key")):
        with pytest.raises(EvidenceError, match=r"seal\.pub"):
            Seal(pem)
    for pem in (b"", fleet.pem("receiver/seal.pub"), fleet.pem("receiver/receiver.key")):
        with pytest.raises(EvidenceError, match=r"seal\.key"):
            unseal(pem, b"x" * 60)
