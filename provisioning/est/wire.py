"""What EST puts on the wire: requests in PKCS #10, answers in certs-only PKCS #7, both base64 (RFC 7030, RFC 8951). Pure.

The authority reads one thing from a request: the public key, and the proof that the sender has its private half. Names are the authority's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import textwrap
from collections.abc import Sequence
from typing import Literal

from asn1crypto import csr as requests  # type: ignore[import-untyped]  # its author gives no types
from asn1crypto import keys
from asn1crypto import x509 as names
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7

from mqtt.evidence.keys import Key

Purpose = Literal["tls", "evidence"]
ROOT = "/.well-known/est"
SETTINGS = "/roadproof/v1/unit"
WHY = "Roadproof-Why"  # header of a refusal: its kind, for programs; the body has the sentence
CERTS_ONLY = "application/pkcs7-mime; smime-type=certs-only"
PKCS10 = "application/pkcs10"
REQUEST_LIMIT_BYTES = 16 * 1024  # a P-256 request has 300 bytes; another client's, with attributes, a few thousand
LINE = 64  # signs of base64 in a line
# What cryptography says to DER that is not what it should be; x509.InvalidVersion is no ValueError.
UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.InvalidVersion)
FINGERPRINT_BITS = 128  # enough that nobody makes a second root with the same; 26 signs on the card


class WireError(ValueError):
    """What came in is not what EST says; one sentence."""


def csr(key: ec.EllipticCurvePrivateKey, unit: str) -> bytes:
    """A request (base64) for a key in memory. The name in it is for people: the authority writes its own."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, unit)])
    return armour(x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def csr_by(key: Key, unit: str) -> bytes:
    """A request (base64) for a key that only signs, one in hardware for instance."""
    told = {"version": "v1", "subject": names.Name.build({"common_name": unit}), "attributes": []}
    info = requests.CertificationRequestInfo({**told, "subject_pk_info": keys.PublicKeyInfo.load(_spki(key.public_key))})
    signature = key.sign(info.dump())
    signed = utils.encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    parts = {"certification_request_info": info, "signature_algorithm": {"algorithm": "sha256_ecdsa"}, "signature": signed}
    return armour(requests.CertificationRequest(parts).dump())


def read_csr(body: bytes) -> ec.EllipticCurvePublicKey:
    """The public key of a request; WireError unless it is on P-256 and the request is signed with it."""
    try:
        request = x509.load_der_x509_csr(unarmour(body))
        key = request.public_key()
        is_ours = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
        # Only then is it worth the arithmetic: strangers choose how long the numbers of the other kinds are.
        is_proven = is_ours and isinstance(request.signature_hash_algorithm, hashes.SHA256) and request.is_signature_valid
    except UNREADABLE:
        raise WireError("this is no certificate request: PKCS #10 as base64 of DER is expected") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not is_ours:
        raise WireError("the request's key is not on the curve P-256: make one with `openssl ecparam -name prime256v1 -genkey`")
    if not is_proven:
        raise WireError("the request is not signed by its own key with SHA-256: make it with the key that the certificate is for")
    return key


def certs_only(certificates: Sequence[x509.Certificate]) -> bytes:
    """Certificates as EST answers with them (base64)."""
    return armour(pkcs7.serialize_certificates(list(certificates), Encoding.DER))


def read_certs(body: bytes) -> list[x509.Certificate]:
    """The certificates of an answer, one at least; WireError when it holds none."""
    try:
        found = pkcs7.load_der_pkcs7_certificates(unarmour(body))
    except UNREADABLE:
        found = []
    if not found:
        raise WireError("the answer holds no certificates: is it an EST server (RFC 7030), or a network that wants a login first?")
    return found


def armour(der: bytes) -> bytes:
    """Base64 in lines, as openssl and libest read it."""
    return "".join(f"{line}\n" for line in textwrap.wrap(base64.b64encode(der).decode(), LINE)).encode()


def unarmour(body: bytes) -> bytes:
    """DER of base64, white space anywhere; WireError when it is none."""
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        raise WireError("this is no base64") from None


def key_sha256(key: ec.EllipticCurvePublicKey) -> str:
    """What the register knows a key by: SHA-256 of its SubjectPublicKeyInfo, hexadecimal."""
    return hashlib.sha256(_spki(key)).hexdigest()


def fingerprint(certificate: x509.Certificate) -> str:
    """How the card names the root: the first 128 bits of SHA-256 of its DER, base32 without padding."""
    return base64.b32encode(certificate.fingerprint(hashes.SHA256())[: FINGERPRINT_BITS // 8]).decode().rstrip("=")


def public_p256(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """The key of a certificate; WireError when it is on another curve or of another kind."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise WireError("the certificate's key is not on the curve P-256")
    return key


def _spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
