"""EST's formats: what openssl makes is read, what is made openssl reads, and rubbish is a sentence."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from mqtt.evidence.keys import new_key
from provisioning.est import wire
from provisioning.est.settings import read_settings
from provisioning.est.wire import WireError

OURS = """{"v":1,"unit":"van-017","vehicle":"van-017","broker":{"host":"mq.example.org","port":8883},
"est":{"host":"mq.example.org","port":8443},"receivers":["-----BEGIN CERTIFICATE-----"],"seal_to":"-----BEGIN PUBLIC KEY-----"}"""


def test_a_request_carries_its_key() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert wire.read_csr(wire.csr(key, "van-017")) == key.public_key()


def test_a_request_of_a_key_that_only_signs_is_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    key = new_key(str(tmp_path_factory.mktemp("key") / "evidence.key"))
    assert wire.read_csr(wire.csr_by(key, "van-017")) == key.public_key


def test_lines_of_base64_are_short_enough_for_openssl() -> None:
    lines = wire.armour(bytes(1000)).splitlines()
    assert max(map(len, lines)) == 64
    assert wire.unarmour(b"\r\n ".join(lines)) == bytes(1000)


@given(st.binary(max_size=400))
def test_rubbish_is_a_sentence(body: bytes) -> None:
    for read in (wire.read_csr, wire.read_certs, read_settings):
        with pytest.raises(WireError):
            read(body)
        with pytest.raises(WireError):
            read(wire.armour(body))


def test_settings_of_a_unit_are_read() -> None:
    told = read_settings(OURS.encode())
    assert (told.broker.host, told.est.port, told.unit) == ("mq.example.org", 8443, "van-017")


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('"v":1', '"v":2'),
        ('"unit":"van-017"', '"unit":"../etc"'),
        ("8883", "0"),
        ("8443", '"x"'),
        ("mq.example.org", "a b"),
        ('["-----BEGIN CERTIFICATE-----"]', "[]"),
        ("-----BEGIN PUBLIC KEY-----", "key"),
    ],
)
def test_settings_that_are_not_as_expected_name_the_field(good: str, bad: str) -> None:
    with pytest.raises(WireError, match=r"\$\."):
        read_settings(OURS.replace(good, bad).encode())
