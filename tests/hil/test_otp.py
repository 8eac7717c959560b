"""The one-time-programmable key of the Raspberry Pi on the bench. Nothing here burns one: `rpi-fw-crypto genkey` did that before, once."""

from __future__ import annotations

import shutil

import pytest

from mqtt.evidence import EvidenceError
from mqtt.evidence.keys import OtpKey, open_key
from provisioning.est.wire import csr_by, read_csr

pytestmark = [pytest.mark.hil, pytest.mark.timeout(60)]


@pytest.fixture
def key() -> OtpKey:
    if shutil.which("rpi-fw-crypto") is None:
        pytest.skip("this is no Raspberry Pi with raspi-utils")
    try:
        found = open_key("rpi-otp:1")
    except EvidenceError as error:
        pytest.skip(str(error))
    assert isinstance(found, OtpKey)
    return found


def test_the_firmware_signs_what_its_public_key_verifies(key: OtpKey) -> None:
    for size in (1, 6_000, 100_000):
        assert len(key.sign(bytes(size))) == 64  # it is checked before it is returned


def test_the_firmware_signs_a_certificate_request(key: OtpKey) -> None:
    assert read_csr(csr_by(key, "van-017")) == key.public_key


def test_the_key_is_the_same_at_every_start(key: OtpKey) -> None:
    assert open_key("rpi-otp:1").public_key == key.public_key
