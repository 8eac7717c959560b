"""Who may sign receipts for this unit: told at the enrolment, and again while the unit works."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from mqtt.evidence import EvidenceError
from mqtt.evidence.certificates import sha256_of, split
from mqtt.evidence.jws import signed_by
from mqtt.evidence.receipt import Receipted, check_receipt
from mqtt.messages import SignedReceipt

log = logging.getLogger(__name__)

Stamp = tuple[int, int]  # inode and time of a file, which a replaced one does not share


class Authorities(msgspec.Struct, frozen=True, kw_only=True):
    """The certificates, in PEM form, that a receipt is checked by."""

    receiver: bytes  # one or several: after a renewal receipts by the old one may still be on their way
    issuing: bytes
    root: bytes
    receiver_file: Path | None = None  # where `receiver` lies, when it may be replaced while the unit works


class Receivers:
    """Their certificates. The file is looked at only when a receipt names somebody who is not among them: a stat, and mostly not that.

    EvidenceError when there is none in what they are made from.
    """

    def __init__(self, authorities: Authorities) -> None:
        self._by = authorities
        self._seen: Stamp | None = None
        self._held = _named(authorities.receiver)

    def check(self, signed: SignedReceipt) -> Receipted:
        """What a receipt says; EvidenceError when none of the receivers signed it."""
        last = next(reversed(self._held.values()))
        receiver = self._held.get(signed_by(signed.jws) or "", last)
        return check_receipt(signed, receiver=receiver, issuing=self._by.issuing, root=self._by.root)

    def renewed_for(self, signed: SignedReceipt) -> list[str]:
        """Whom the file names since it was replaced (SHA-256 of each certificate); nobody while it need not be read again."""
        path = self._by.receiver_file
        if path is None or signed_by(signed.jws) in self._held:
            return []
        try:
            found = path.stat()
            stamp = found.st_ino, found.st_mtime_ns
            if stamp == self._seen:
                return []
            self._seen, held = stamp, _named(path.read_bytes())
        except (OSError, EvidenceError) as error:
            log.warning("%s cannot be read anew: %s; receipts are checked by the certificates of this start", path, error)
            return []
        if held.keys() == self._held.keys():
            return []
        self._held = held
        return list(held)


def _named(pem: bytes) -> dict[str, bytes]:
    return {sha256_of(one): one for one in split(pem, "receiver")}
