"""Who may sign what: root -> issuing -> leaf, and the leaf's role in its name.

A profile, exact on purpose: P-256 and SHA-256 throughout, three certificates, one name, one role, one use.
The use keeps a unit's TLS key from signing evidence, the role keeps a unit from signing receipts.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID, ObjectIdentifier

from mqtt.evidence import EvidenceError
from mqtt.messages import MessageError, utc_ms

Role = Literal["unit", "receiver"]
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")  # as mqtt/messages.UnitId
UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE, ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
}  # fmt: skip

UNREADABLE = (ValueError, x509.InvalidVersion)  # what loading says to rubbish; the second is no ValueError
FAULTS = (*UNREADABLE, UnsupportedAlgorithm, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


def role_uri(role: Role, name: str) -> str:
    """How a certificate says what its holder is."""
    return f"urn:roadproof:{role}:{name}"


def load(pem: bytes, whose: str) -> x509.Certificate:
    """The one certificate in a PEM text; EvidenceError when there is none, or a second."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except UNREADABLE:
        found = []
    if len(found) != 1:
        raise EvidenceError(f"the {whose} certificate cannot be read: one certificate in PEM form is expected")
    return found[0]


def split(pem: bytes, whose: str) -> list[bytes]:
    """The certificates in a PEM text, one or several, each as PEM; EvidenceError when there is none."""
    try:
        return [one.public_bytes(Encoding.PEM) for one in x509.load_pem_x509_certificates(pem)]
    except UNREADABLE:
        raise EvidenceError(f"the {whose} certificate cannot be read: one or several certificates in PEM form are expected") from None


def holder(leaf: bytes, role: Role) -> str:
    """Whom an evidence certificate (PEM) names as its holder, whoever issued it and however old it is; EvidenceError when not this role."""
    try:
        return _name(load(leaf, role), role)
    except EvidenceError:
        raise
    except FAULTS:
        raise EvidenceError(f"the {role} certificate lacks what evidence certificates have, or is damaged") from None


def sha256_of(pem: bytes) -> str:
    """What signatures name a certificate by: SHA-256 of its DER, hexadecimal."""
    return load(pem, "").fingerprint(hashes.SHA256()).hex()


def check_leaf(*, leaf: bytes, issuing: bytes, root: bytes, role: Role, at: str) -> tuple[x509.Certificate, str]:
    """The certificate and its holder's name; EvidenceError unless it leads to the root, has this role, and all three are valid at `at`.

    `at` is a time of the contract (UTC): when the receiver stored what was signed, for certificates run out and evidence does not.
    """
    certificate, authority, anchor = load(leaf, role), load(issuing, "issuing"), load(root, "root")
    try:
        _check_authority(anchor, anchor, "root")
        _check_authority(authority, anchor, "issuing")
        _check_issued(certificate, authority, role)
        for one, whose in ((certificate, role), (authority, "issuing"), (anchor, "root")):
            _check_time(one, whose, at)
        return certificate, _name(certificate, role)
    except EvidenceError:
        raise
    except FAULTS:
        raise EvidenceError(f"the {role} certificate, or one above it, lacks what evidence certificates have, or is damaged") from None


def _check_authority(certificate: x509.Certificate, issuer: x509.Certificate, whose: str) -> None:
    _check_issued(certificate, issuer, whose)
    limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    below = 1 if whose == "root" else 0  # authorities that must be allowed below it
    if not limits.ca or not usage.key_cert_sign or (limits.path_length is not None and limits.path_length < below):
        raise EvidenceError(f"the {whose} certificate is not that of an authority")


def _check_issued(certificate: x509.Certificate, issuer: x509.Certificate, whose: str) -> None:
    """That the issuer signed it, with the one algorithm, and that there is nothing critical in it that we do not understand."""
    if not isinstance(key := certificate.public_key(), ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise EvidenceError(f"the {whose} certificate's key is not on the curve P-256")
    try:
        certificate.verify_directly_issued_by(issuer)
        genuine = isinstance(certificate.signature_hash_algorithm, hashes.SHA256)
    except (InvalidSignature, ValueError, TypeError):
        genuine = False
    if not genuine:
        raise EvidenceError(f"the {whose} certificate does not lead to the root that you trust: another authority issued it")
    if any(extension.critical and extension.oid not in UNDERSTOOD for extension in certificate.extensions):
        raise EvidenceError(f"the {whose} certificate has a critical extension that is not understood")


def _check_time(certificate: x509.Certificate, whose: str, at: str) -> None:
    try:
        at_s = utc_ms(at) // 1000  # certificates know whole seconds
    except MessageError as error:
        raise EvidenceError(str(error)) from None
    if at_s < certificate.not_valid_before_utc.timestamp():
        raise EvidenceError(f"the {whose} certificate was not valid yet at {at}: it begins {_day(certificate.not_valid_before_utc)}")
    if at_s >= certificate.not_valid_after_utc.timestamp():
        raise EvidenceError(f"the {whose} certificate had run out by {at}: it ended {_day(certificate.not_valid_after_utc)}")


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def _name(certificate: x509.Certificate, role: Role) -> str:
    """The holder's name, when subject, role and use are exactly those of this role's evidence certificate."""
    extensions = certificate.extensions
    if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        raise EvidenceError(f"the {role} certificate is that of an authority: those sign certificates only")
    subject = list(certificate.subject)
    name = subject[0].value if len(subject) == 1 and subject[0].oid == NameOID.COMMON_NAME else ""
    alternative = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if not NAME.fullmatch(str(name)) or list(alternative) != [x509.UniformResourceIdentifier(role_uri(role, str(name)))]:
        raise EvidenceError(f"the {role} certificate does not say that its holder is a {role}: this key may not sign this")
    uses = list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    if uses != [DOCUMENT_SIGNING] or extensions.get_extension_for_class(x509.KeyUsage).value != SIGNING:
        raise EvidenceError(f"the {role} certificate is not for signing documents: it belongs to another of the holder's keys")
    return str(name)


def usage(*, signing: bool) -> x509.KeyUsage:
    """What a key may be used for: a leaf signs documents, an authority signs certificates."""
    return x509.KeyUsage(
        digital_signature=signing,
        content_commitment=signing,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signing,
        crl_sign=not signing,
        encipher_only=False,
        decipher_only=False,
    )


SIGNING = usage(signing=True)
