"""Detached JWS, ES256: exactly one header, exactly one spelling of each signature."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Literal, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding

from mqtt.evidence import EvidenceError
from mqtt.evidence.canonical import jcs, read_canonical

Kind = Literal["rp-pod+jws", "rp-receipt+jws", "rp-report+jws"]
POD: Kind = "rp-pod+jws"
RECEIPT: Kind = "rp-receipt+jws"
REPORT: Kind = "rp-report+jws"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (FIPS 186-4, D.1.2.3)
HALF = ORDER // 2  # s and ORDER - s both verify: only the lower one is a signature here, so that nobody can make a second spelling


class Signer(Protocol):
    """A P-256 key that signs and cannot be read, and its certificate: a file, a secure element, one-time-programmable memory."""

    @property
    def certificate_der(self) -> bytes:
        """DER of the certificate."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes, r then s, over the SHA-256 of the message."""


def sign(payload: bytes, kind: Kind, signer: Signer) -> str:
    """The detached JWS over a payload."""
    head = protected_header(kind, signer.certificate_der)
    raw = signer.sign(_signed(head, payload))
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    return f"{head}..{_encode(r.to_bytes(32) + min(s, ORDER - s).to_bytes(32))}"


def verify(payload: bytes, jws: str, kind: Kind, certificate: x509.Certificate) -> None:
    """Return when the certificate's key signed exactly this payload as this kind; EvidenceError otherwise."""
    head, gap, tail = jws.partition("..")
    if not gap:
        raise EvidenceError("its signature is not a detached JWS")
    if head != protected_header(kind, certificate.public_bytes(Encoding.DER)):
        raise EvidenceError(_wrong_header(head, kind))
    public_key = certificate.public_key()
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or not isinstance(public_key.curve, ec.SECP256R1):
        raise EvidenceError("its certificate's key is not on the curve P-256")
    raw = _decode(tail)
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    if len(raw) != 64 or not 0 < r < ORDER or not 0 < s <= HALF:  # noqa: PLR2004  # twice 32 bytes
        raise EvidenceError("its signature is not in its one canonical form")
    try:
        public_key.verify(utils.encode_dss_signature(r, s), _signed(head, payload), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise EvidenceError("its signature does not fit: it was altered, or signed with another key") from None


def signed_by(jws: str) -> str | None:
    """SHA-256 of the DER of the certificate that a signature names, hexadecimal; None when it names none. Nothing is verified."""
    try:
        found = read_canonical(_decode(jws.partition("..")[0]))
        return _decode(found["x5t#S256"]).hex()
    except (EvidenceError, KeyError, TypeError):
        return None


def protected_header(kind: Kind, certificate_der: bytes) -> str:
    """The one header that a signature of this kind by this certificate's key has, as it stands in the JWS."""
    thumbprint = _encode(hashlib.sha256(certificate_der).digest())
    return _encode(jcs({"alg": "ES256", "typ": kind, "x5t#S256": thumbprint}))


def _wrong_header(head: str, kind: Kind) -> str:
    """What is wrong with a header that is not the expected one."""
    try:
        found = read_canonical(_decode(head))
    except EvidenceError:
        return "the header of its signature is not canonical JSON"
    if not isinstance(found, dict) or set(found) != {"alg", "typ", "x5t#S256"}:
        return "the header of its signature has other fields than alg, typ and x5t#S256"
    if found["alg"] != "ES256":
        return f"the header of its signature asks for {str(found['alg'])[:20]!r}: only ES256 is a signature here"
    if found["typ"] != kind:
        return f"it was signed as {str(found['typ'])[:40]!r}, not as {kind!r}"
    return "it was signed under another certificate than the one given"


def _signed(head: str, payload: bytes) -> bytes:
    return f"{head}.{_encode(payload)}".encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Unpadded base64url, refused unless it is the only spelling of its bytes."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        data = b""
    if not data or _encode(data) != text:
        raise EvidenceError("its signature is not canonical base64url")
    return data
