"""The key in the OTP of a Raspberry Pi, against a stand-in that obeys rpi-fw-crypto's documented command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mqtt.evidence import EvidenceError
from mqtt.evidence.chain import first_head, seal_record
from mqtt.evidence.keys import is_file, new_key, open_key, open_signer
from mqtt.evidence.verify import verify_record
from provisioning.est.wire import csr_by, read_csr
from tests.signers import Fleet, record, wall

BODY = Path(__file__).parents[1] / "otp_body.py"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return Fleet(tmp_path_factory.mktemp("fleet"))


@pytest.fixture
def fuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one-time-programmable memory of a Raspberry Pi that has no key yet."""
    program = tmp_path / "bin" / "rpi-fw-crypto"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P {BODY} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    folder = tmp_path / "fuses"
    folder.mkdir()
    monkeypatch.setenv("OTP_FOLDER", str(folder))
    return folder


def test_a_record_signed_by_the_firmware_verifies(fuses: Path, fleet: Fleet, tmp_path: Path) -> None:
    key = new_key("rpi-otp:1", burn=True)
    certificate = tmp_path / "unit.pem"
    certificate.write_bytes(fleet.certificate(key.public_key))
    signer = open_signer("rpi-otp:1", certificate)
    sealed = seal_record(record(1), first_head(signer.certificate_der), signer)
    verify_record(sealed.rec, sealed.jws, unit=certificate.read_bytes(), issuing=fleet.issuing, root=fleet.root, at=wall(1, 20))
    assert signer.describe() == "OTP of this Raspberry Pi"
    assert not is_file("rpi-otp:1")


def test_a_certificate_is_asked_for_with_the_firmware_s_key(fuses: Path) -> None:
    key = new_key("rpi-otp:1", burn=True)
    assert key.public_key == open_key("rpi-otp:1").public_key
    assert read_csr(csr_by(key, "van-017")) == key.public_key


def test_no_key_is_burnt_for_ever_unless_that_is_asked_for(fuses: Path) -> None:
    with pytest.raises(EvidenceError, match=r"cannot be undone.*--burn"):
        new_key("rpi-otp:1")
    assert list(fuses.iterdir()) == []


def test_a_key_that_is_there_is_used_and_never_replaced(fuses: Path) -> None:
    first = new_key("rpi-otp:1", burn=True).public_key
    assert new_key("rpi-otp:1", burn=True).public_key == first
    assert new_key("rpi-otp:1").public_key == first


@pytest.mark.parametrize("answer", [b"", b"\x00" * 71, b"\x30\x06\x02\x01\x01\x02\x01\x01"], ids=["nothing", "zeros", "another"])
def test_a_signature_that_does_not_fit_is_none(fuses: Path, answer: bytes) -> None:
    key = new_key("rpi-otp:1", burn=True)
    (fuses / "spoilt").write_bytes(answer)
    with pytest.raises(EvidenceError, match=r"signed nothing|does not fit"):
        key.sign(b"a record")


def test_what_the_firmware_refuses_is_told_with_its_own_words(fuses: Path, fleet: Fleet) -> None:
    with pytest.raises(EvidenceError, match=r"holds no such key .*Key not set.*--burn"):
        open_key("rpi-otp:1")
    with pytest.raises(EvidenceError, match="Key not found"):
        open_key("rpi-otp:9")
    with pytest.raises(EvidenceError, match="names no key of the firmware: write rpi-otp:1"):
        open_key("rpi-otp:first")


def test_where_there_is_no_firmware_the_reason_is_told(fuses: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fuses.rmdir()
    with pytest.raises(EvidenceError, match="group video"):
        open_key("rpi-otp:1")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EvidenceError, match="apt install raspi-utils"):
        open_key("rpi-otp:1")


def test_what_is_signed_reaches_the_program_whole(fuses: Path) -> None:
    key = new_key("rpi-otp:1", burn=True)
    message = bytes(range(256)) * 400
    key.sign(message)
    assert (fuses / "signed").read_bytes() == message


def test_a_certificate_of_another_key_is_refused(fuses: Path, fleet: Fleet) -> None:
    new_key("rpi-otp:1", burn=True)
    with pytest.raises(EvidenceError, match="the key in OTP of this Raspberry Pi does not belong to the certificate"):
        open_signer("rpi-otp:1", fleet.folder / "unit/unit.pem")
