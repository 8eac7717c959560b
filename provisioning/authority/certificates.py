"""The certificates of a fleet: who is named, what the key may do, how long. Nothing is ever copied from a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Literal, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from mqtt.evidence.certificates import DOCUMENT_SIGNING, Role, role_uri, usage

PrivateKey = ec.EllipticCurvePrivateKey | X25519PrivateKey
Service = Literal["receiver", "operator"]
YEAR = timedelta(days=365)
ROOT_FOR, ISSUING_FOR, EVIDENCE_FOR = 30 * YEAR, 20 * YEAR, 5 * YEAR
TLS_FOR = timedelta(days=398)  # what browsers take at most; a unit renews after two thirds of it
CRL_FOR = timedelta(days=30)  # renewed daily: a month in which somebody may notice that it no longer is
COMMON_NAME_CHARACTERS = 64  # RFC 5280, ub-common-name
EARLIER = timedelta(days=1)  # begins before it is made, for a clock that is a little slow


class Pair(NamedTuple):
    """A certificate and the key that it certifies."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key of the only kind there is here."""
    return ec.generate_private_key(ec.SECP256R1())


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate for a file."""
    return certificate.public_bytes(Encoding.PEM)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` writes it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def private_pem(key: PrivateKey) -> bytes:
    """A private key for a file, without a password."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: PrivateKey) -> bytes:
    """The public half, for a file."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def self_signed(name: str, *, path_length: int, now: datetime) -> Pair:
    """An authority that nobody stands above."""
    key = new_key()
    builder = _builder(subject(name), subject(name), key.public_key(), key, began=now - EARLIER, valid_for=ROOT_FOR)
    return Pair(_authority(builder, path_length=path_length).sign(key, hashes.SHA256()), key)


def issuing_below(root: Pair, name: str, *, now: datetime) -> Pair:
    """The authority that issues leaves, and no further authority."""
    key = new_key()
    builder = _builder(subject(name), root.certificate.subject, key.public_key(), root.key, began=now - EARLIER, valid_for=ISSUING_FOR)
    return Pair(_authority(builder, path_length=0).sign(root.key, hashes.SHA256()), key)


def evidence(
    issuer: Pair, role: Role, name: str, key: ec.EllipticCurvePublicKey, *, now: datetime, crl_urls: Sequence[str] = ()
) -> x509.Certificate:
    """For a key that signs proofs, or receipts: exactly what mqtt.evidence.certificates asks for."""
    uri = x509.UniformResourceIdentifier(role_uri(role, name))
    return _leaf(issuer, EVIDENCE, name, uri, key, now=now, crl_urls=crl_urls)


def unit_tls(issuer: Pair, unit: str, key: ec.EllipticCurvePublicKey, *, now: datetime, crl_urls: Sequence[str]) -> x509.Certificate:
    """For a key with which a unit logs in at the broker, and renews this certificate."""
    uri = x509.UniformResourceIdentifier(role_uri("unit", unit))
    return _leaf(issuer, CLIENT, unit, uri, key, now=now, crl_urls=crl_urls)


def service_tls(issuer: Pair, service: Service, key: ec.EllipticCurvePublicKey, *, now: datetime) -> x509.Certificate:
    """For a key with which one of the fleet's own programs logs in at the broker's port for them."""
    return _leaf(issuer, CLIENT, f"svc-{service}", x509.UniformResourceIdentifier(f"urn:roadproof:role:{service}"), key, now=now)


def server_tls(issuer: Pair, host: str, key: ec.EllipticCurvePublicKey, *, now: datetime, crl_urls: Sequence[str]) -> x509.Certificate:
    """For a server that is reached by this name or address."""
    name = host if len(host) <= COMMON_NAME_CHARACTERS else "server"  # clients look at the alternative name alone
    return _leaf(issuer, SERVER, name, host_name(host), key, now=now, crl_urls=crl_urls)


def own_server(name: str, addresses: Sequence[str], *, now: datetime) -> Pair:
    """A server for a bench that is its own authority, at these addresses."""
    key, began = new_key(), now - EARLIER
    builder = _builder(subject(name), subject(name), key.public_key(), key, began=began, valid_for=EVIDENCE_FOR)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(handshake(authority=True), critical=True)
    named = x509.SubjectAlternativeName([host_name(address) for address in addresses])
    return Pair(builder.add_extension(named, critical=False).sign(key, hashes.SHA256()), key)


def crl(
    issuer: Pair, revoked: Iterable[tuple[int, datetime]], *, number: int, now: datetime, urls: Sequence[str] = ()
) -> x509.CertificateRevocationList:
    """What an authority no longer stands for: serial numbers, and since when.

    It names the addresses at which it can be had: EMQX ignores a list that does not (docs/access.md).
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now - EARLIER)
        .next_update(now + CRL_FOR)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    if urls:
        builder = builder.add_extension(_issuing_point(urls), critical=True)
    for serial, at in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256())


def subject(name: str) -> x509.Name:
    """A common name and nothing else."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def host_name(host: str) -> x509.GeneralName:
    """How a certificate says where a server is: by address where it is one, else by name."""
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class _Profile(NamedTuple):
    """What a kind of leaf is for, and how long."""

    extended: ObjectIdentifier
    usage: x509.KeyUsage
    valid_for: timedelta


def _leaf(
    issuer: Pair,
    profile: _Profile,
    name: str,
    alternative: x509.GeneralName,
    key: ec.EllipticCurvePublicKey,
    *,
    now: datetime,
    crl_urls: Sequence[str] = (),
) -> x509.Certificate:
    leaf = _builder(subject(name), issuer.certificate.subject, key, issuer.key, began=now - EARLIER, valid_for=profile.valid_for)
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.add_extension(profile.usage, critical=True)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([profile.extended]), critical=False)
    leaf = leaf.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    if crl_urls:
        points = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in crl_urls[:1]]
        leaf = leaf.add_extension(x509.CRLDistributionPoints(points), critical=False)
    return leaf.sign(issuer.key, hashes.SHA256())


def _builder(
    name: x509.Name,
    issuer_name: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    began: datetime,
    valid_for: timedelta,
) -> x509.CertificateBuilder:
    """What every certificate here has; the identifiers are what openssl's strict check asks for."""
    return (
        x509.CertificateBuilder(subject_name=name, issuer_name=issuer_name, public_key=key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + valid_for)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _authority(builder: x509.CertificateBuilder, *, path_length: int) -> x509.CertificateBuilder:
    limits = x509.BasicConstraints(ca=True, path_length=path_length)
    return builder.add_extension(limits, critical=True).add_extension(usage(signing=False), critical=True)


def _issuing_point(urls: Sequence[str]) -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(url) for url in urls],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )


def handshake(*, authority: bool) -> x509.KeyUsage:
    """What a key may be used for that answers a TLS handshake; `authority` when it signed its own certificate, too."""
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


EVIDENCE = _Profile(DOCUMENT_SIGNING, usage(signing=True), EVIDENCE_FOR)
CLIENT = _Profile(ExtendedKeyUsageOID.CLIENT_AUTH, handshake(authority=False), TLS_FOR)
SERVER = _Profile(ExtendedKeyUsageOID.SERVER_AUTH, handshake(authority=False), TLS_FOR)
