from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from firmware.selftest.certificate import valid_until
from firmware.selftest.fleet import _days


def pem(ends: datetime) -> bytes:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "van-1")])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begins, ends).sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + made.public_bytes(serialization.Encoding.PEM)


# 2050 is where the notation changes, RFC 5280, 4.1.2.5
@pytest.mark.parametrize(
    "ends", [datetime(2027, 12, 24, 1, 2, 3, tzinfo=UTC), datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)]
)
def test_the_end_of_the_first_certificate_is_read_behind_a_key(ends: datetime) -> None:
    assert valid_until(pem(ends) + pem(datetime(2070, 1, 1, tzinfo=UTC))) == ends


@pytest.mark.parametrize(
    "rubbish", [b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_has_no_end(rubbish: bytes) -> None:
    assert valid_until(rubbish) is None


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_certificate_never_raises(at: int, value: int) -> None:
    damaged = bytearray(GOOD)
    damaged[len(damaged) - 1 - at] = value
    assert valid_until(bytes(damaged)) is None or isinstance(valid_until(bytes(damaged)), datetime)


GOOD = pem(datetime(2027, 1, 1, tzinfo=UTC))


def test_days_are_counted_from_today(tmp_path: Path) -> None:
    path = tmp_path / "tls.pem"
    path.write_bytes(pem(datetime.now(UTC) + timedelta(days=30, hours=1)))
    assert (_days(str(path)), _days(None), _days(str(tmp_path / "missing.pem"))) == (30, None, None)
