"""What the fleet says of itself after the enrolment: who signs its receipts, for whom photos are sealed, where its broker is.

Whoever holds the enrolment server holds the issuing key, too, and can say anything here: that a receiver of his own signs receipts, so that
units forget records which the fleet never had; that photos are sealed to him; that the broker is his. At the enrolment this concerned new
units alone, by asking again it reaches every unit within a week. What is held against it: nobody is taken away whose certificate is valid,
so that the fleet's own receipts go on counting; what comes is checked by the very root and issuing certificates of the enrolment, never by
new ones; where the authority itself answers cannot be changed from here; a new broker must show a certificate of this fleet first; and the
unit tells the fleet, over the broker that it has, which receivers it believes (event `evidence.receivers`). It is a reason to keep that
machine as closed as docs/threat-model.md says, and to look at those events.
"""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from firmware.identity import SETTINGS
from mqtt.login import BrokerSettings, reason, tls_context
from mqtt.messages import MessageError, utc_ms, utc_text
from mqtt.session import LinkError
from provisioning.enrol import check_settings
from provisioning.est.anchors import Anchors
from provisioning.est.client import Est
from provisioning.est.settings import Place, UnitSettings
from provisioning.identity import (
    ISSUING,
    PAPER,
    RECEIVERS,
    ROOT,
    SEAL,
    TLS,
    Identity,
    IdentityError,
    replace_file,
    settings_of,
)

ASK_AFTER = timedelta(days=7)  # a new receiver is made known two months before it signs: eight times asked
MOST_RECEIVERS = 32
REACH_S = 10.0


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What is other than before; each a few words for people."""

    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # what was said and not taken, a sentence each


def is_old(identity: Identity, now: datetime) -> bool:
    """Whether to ask again; also when the clock was wrong the last time."""
    try:
        told = datetime.fromtimestamp(utc_ms(identity.told_at or identity.enrolled_at or "") / 1000, UTC)
    except MessageError:
        return True
    return abs(now - told) >= ASK_AFTER


def ask(folder: Path, identity: Identity, est: Est, now: datetime) -> News:
    """Ask, check, and take it file by file, each replaced at once; EstError or IdentityError say why not, and nothing has changed then."""
    told, at = est.unit_settings(folder / TLS), utc_text(round(now.timestamp() * 1000))
    anchors = Anchors.load((folder / ROOT).read_bytes(), (folder / ISSUING).read_bytes())
    check_settings(told, anchors, identity.unit, at)
    receivers = believed(told, _content(folder / RECEIVERS), now)
    changed, kept = list[str](), list[str]()
    if _take(folder / RECEIVERS, receivers):
        changed.append(f"who signs receipts ({receivers.count(b'BEGIN CERTIFICATE')} certificates), from the next receipt on")
    if _take(folder / SEAL, told.seal_to.encode()):
        changed.append("the key that photos are sealed to, from the daemon's next start on")
    settings = settings_of(identity, folder, told.broker)
    if settings != _content(folder / SETTINGS):
        if fault := stranger(folder, told.broker):
            kept.append(fault)
        else:
            replace_file(folder / SETTINGS, settings)
            changed.append(f"the broker, {told.broker.host}:{told.broker.port}, from the daemon's next start on")
    replace_file(folder / PAPER, msgspec.json.encode(msgspec.structs.replace(identity, told_at=at)))
    return News(changed=tuple(changed), kept=tuple(kept))


def believed(told: UnitSettings, held: bytes, now: datetime) -> bytes:
    """receiver.pem: whom the fleet names, then whom it named before, while the certificate is valid and the key in the right hands.

    IdentityError for more than anybody needs.
    """
    named = {one: None for pem in told.receivers for one in _certificates(pem.encode())}
    before = [one for one in _certificates(held) if one.not_valid_before_utc <= now < one.not_valid_after_utc]
    named |= dict.fromkeys(before)
    left = [one for one in named if f"{one.serial_number:x}" not in told.withdrawn]
    if not 0 < len(left) <= MOST_RECEIVERS:
        raise IdentityError(
            f"the fleet names {len(left)} receivers for this unit, 1 to {MOST_RECEIVERS} are possible: the office must mend it"
        )
    return b"".join(one.public_bytes(Encoding.PEM) for one in left)


def stranger(folder: Path, place: Place) -> str:
    """Why a broker is not gone to: a sentence; empty when it shows a certificate of this fleet."""
    settings = BrokerSettings(host=place.host, port=place.port, tls_ca=str(folder / ROOT), tls_cert=str(folder / TLS))
    try:
        with (
            socket.create_connection((place.host, place.port), REACH_S) as line,
            tls_context(settings).wrap_socket(line, server_hostname=place.host),
        ):
            return ""
    except (LinkError, OSError, UnicodeError) as error:
        told = str(error) if isinstance(error, LinkError) else reason(error)
        named = f"the fleet names another broker, {place.host}:{place.port}"
        return f"{named}, but none of this fleet answers there ({told}): the unit stays with the one it has"


def _take(path: Path, content: bytes) -> bool:
    """Whether it is other than what is there, and is there now."""
    if _content(path) == content:
        return False
    replace_file(path, content)
    return True


def _content(path: Path) -> bytes:
    """What is there; a file that is lost comes back."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _certificates(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        return []
