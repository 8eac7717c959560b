"""Until when a certificate is good, without the library that signs: reading two dates must not cost the daemon its megabytes."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

BEGIN = b"-----BEGIN CERTIFICATE-----"
VERSION, UTC_TIME = 0xA0, 0x17  # tags of X.690, 8.1.2
LONG_FORM = 0x80


def valid_until(pem: bytes) -> datetime | None:
    """When the first certificate of a file ends; None where there is none that can be read. RFC 5280, 4.1."""
    start = pem.find(BEGIN)
    if start < 0:
        return None
    try:
        der = ssl.PEM_cert_to_DER_cert(pem[start:].decode("ascii").partition("-----END")[0] + ssl.PEM_FOOTER)
        signed = _parts(_parts(der)[0][1])
        fields = [part for part in _parts(signed[0][1]) if part[0] != VERSION]
        return _time(*_parts(fields[3][1])[1])  # behind serial number, signature's kind, issuer: not before, not after
    except (ValueError, IndexError):
        return None


def _parts(der: bytes) -> list[tuple[int, bytes]]:
    """The values that lie one behind the other, each with its tag; IndexError or ValueError for what is no DER."""
    parts, at = [], 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & LONG_FORM:
            count = length & ~LONG_FORM
            length, at = int.from_bytes(der[at : at + count], "big"), at + count
        if at + length > len(der):
            raise ValueError("a value ends behind its certificate")
        parts.append((tag, der[at : at + length]))
        at += length
    return parts


def _time(tag: int, told: bytes) -> datetime:
    text = told.decode("ascii")
    if tag == UTC_TIME:  # two digits of the year: up to 49 this century, RFC 5280, 4.1.2.5.1
        text = ("20" if text < "50" else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
