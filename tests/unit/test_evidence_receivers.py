"""Whose receipts count: the file of the receivers is replaced while the unit works."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from firmware.evidence.receivers import Authorities, Receivers
from mqtt.evidence import EvidenceError
from mqtt.evidence.keys import FileSigner
from mqtt.evidence.receipt import sign_receipt
from mqtt.messages import SignedReceipt
from provisioning.authority import bench
from tests.proofs import RECEIVED, UNIT, Keys, keys_of_the_session

LINK = "0" * 64


@pytest.fixture(scope="module")
def keys() -> Keys:
    return keys_of_the_session()


@pytest.fixture(scope="module")
def new(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    bench.issue_receiver(keys.folder / "authority", "receiver-2", folder)
    return folder


def authorities(keys: Keys, file: Path) -> Authorities:
    file.write_bytes(keys.authorities.receiver)
    return msgspec.structs.replace(keys.authorities, receiver_file=file)


def word(signer: FileSigner) -> SignedReceipt:
    return sign_receipt(UNIT, 1, LINK, RECEIVED, signer)


def signer(folder: Path) -> FileSigner:
    return FileSigner.load(folder / "receiver.key", folder / "receiver.pem")


def test_a_receiver_in_a_replaced_file_is_believed_without_a_restart(tmp_path: Path, keys: Keys, new: Path) -> None:
    file = tmp_path / "receiver.pem"
    receivers, signed = Receivers(authorities(keys, file)), word(signer(new))
    assert receivers.renewed_for(signed) == []
    with pytest.raises(EvidenceError, match="another certificate"):
        receivers.check(signed)
    fresh = tmp_path / "fresh"
    fresh.write_bytes((new / "receiver.pem").read_bytes() + keys.authorities.receiver)
    fresh.replace(file)
    assert len(receivers.renewed_for(signed)) == 2
    assert receivers.check(signed).seq == 1
    assert receivers.check(word(keys.receiver_signer)).seq == 1
    assert receivers.renewed_for(signed) == []


def test_the_file_is_read_for_a_stranger_only_and_once(tmp_path: Path, keys: Keys, new: Path) -> None:
    file = tmp_path / "receiver.pem"
    receivers = Receivers(authorities(keys, file))
    assert receivers.renewed_for(word(signer(new))) == []
    file.unlink()
    assert receivers.renewed_for(word(keys.receiver_signer)) == []


@pytest.mark.parametrize("content", [b"", b"\0rubbish", None])
def test_a_damaged_file_changes_nobody(
    tmp_path: Path, keys: Keys, new: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "receiver.pem"
    receivers = Receivers(authorities(keys, file))
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert receivers.renewed_for(word(signer(new))) == []
    assert "cannot be read anew" in caplog.text
    assert receivers.check(word(keys.receiver_signer)).seq == 1


def test_without_a_file_nothing_is_looked_for(keys: Keys, new: Path) -> None:
    assert Receivers(keys.authorities).renewed_for(word(signer(new))) == []
