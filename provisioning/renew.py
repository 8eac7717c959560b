"""A new login certificate before the old one runs out: a new key, asked for with the old certificate, tried by the daemon beside it.

The old pair is not touched: `mqtt/pair.py` puts the new one in its place when a broker began a session with it. The evidence certificate is
renewed for the same key, which never changes. Once a week, and after each renewal, the fleet is asked what it says of itself: office.py.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mqtt.evidence import EvidenceError
from mqtt.evidence.certificates import check_leaf
from mqtt.evidence.keys import open_key
from mqtt.messages import utc_text
from mqtt.pair import beside
from provisioning import office
from provisioning.est.client import Est
from provisioning.est.wire import csr, csr_by
from provisioning.identity import EVIDENCE, ISSUING, ROOT, TLS, Identity, IdentityError, key_file, read, replace_file

DUE = 2 / 3  # of a certificate's life: from day 265 of 398 on, which leaves four months of tries


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the certificates led to."""

    unit: str
    renewed: tuple[str, ...] = ()  # "tls", "evidence"
    waiting: bool = False  # a renewed login waits for the daemon's next session
    changed: tuple[str, ...] = ()  # what the fleet says otherwise than before, a few words each
    sentence: str


def renew(folder: Path, *, now: datetime, force: bool = False, est: Est | None = None) -> Renewal:
    """Renew what is due, login and news with `force`; EstError, IdentityError or EvidenceError say why not: what came before stands."""
    identity = read(folder)
    if identity is None:
        raise IdentityError(f"this unit is not enrolled, there is no identity in {folder}: run `roadproof enrol`")
    tls, evidence = _certificate(folder / TLS), _certificate(folder / EVIDENCE)
    waiting = _waiting(folder, tls)
    wanted = [("tls", force or (_is_due(tls, now) and not waiting)), ("evidence", _is_due(evidence, now))]
    due = tuple(purpose for purpose, is_due in wanted if is_due)
    news = office.News()
    if due or force or office.is_old(identity, now):
        asked = est or Est(identity.est.host, identity.est.port)
        asked.pin(asked.fetch_cacerts(), identity.fingerprint)
        if "tls" in due:
            _renew_tls(folder, identity, asked)
            waiting = True
        if "evidence" in due:
            _renew_evidence(folder, identity, asked, now)
        news = office.ask(folder, identity, asked, now)
    sentences = [_told(due, tls, waiting=waiting), *(f"new from the fleet: {one}" for one in news.changed), *news.kept]
    return Renewal(unit=identity.unit, renewed=due, waiting=waiting, changed=news.changed, sentence="\n".join(sentences))


def _told(due: tuple[str, ...], tls: x509.Certificate, *, waiting: bool) -> str:
    if due:
        parts = {
            "tls": "the login, in use from the daemon's next session on",
            "evidence": "evidence, in use from the daemon's next start on",
        }
        return "renewed: the certificate for " + "; that for ".join(parts[purpose] for purpose in due)
    if waiting:
        return "a renewed certificate waits for the daemon's next session: see `roadproof status` when it stays"
    until = tls.not_valid_after_utc
    return f"nothing is due: the login's certificate is good until {until:%Y-%m-%d} and is renewed from {_due(tls):%Y-%m-%d} on"


def _renew_tls(folder: Path, identity: Identity, est: Est) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = est.reenrol("tls", csr(key, identity.unit), folder / TLS)
    assert est.anchors is not None
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    replace_file(beside(folder / TLS), private + leaf + est.anchors.issuing_pem)


def _renew_evidence(folder: Path, identity: Identity, est: Est, now: datetime) -> None:
    key = open_key(key_file(identity, folder))
    leaf = est.reenrol("evidence", csr_by(key, identity.unit), folder / TLS)
    above = {name: (folder / name).read_bytes() for name in (ISSUING, ROOT)}
    at = utc_text(round(now.timestamp() * 1000))
    try:
        check_leaf(leaf=leaf, issuing=above[ISSUING], root=above[ROOT], role="unit", at=at)
    except EvidenceError as error:
        raise IdentityError(
            f"the renewed evidence certificate does not fit the rest of the identity: {error}; enrol the unit anew"
        ) from None
    replace_file(folder / EVIDENCE, leaf)


def _waiting(folder: Path, present: x509.Certificate) -> bool:
    """Whether a renewed login lies there that is newer than the present one; rubbish there is written over."""
    try:
        found = _certificate(beside(folder / TLS))
    except IdentityError:
        return False
    return found != present and found.not_valid_after_utc >= present.not_valid_after_utc


def _certificate(path: Path) -> x509.Certificate:
    """The first certificate of a file."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError):
        raise IdentityError(f"{path} holds no certificate: the identity is damaged; wipe the unit and enrol it anew") from None


def _due(certificate: x509.Certificate) -> datetime:
    began, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return began + DUE * (ends - began)


def _is_due(certificate: x509.Certificate, now: datetime) -> bool:
    return now >= _due(certificate)
