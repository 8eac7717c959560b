"""Everything that a bundle shows and does not show, as findings; the Python half of what verify-openssl.sh does without Python."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives import hashes

from mqtt.evidence import EvidenceError
from mqtt.evidence.bundle import Contents
from mqtt.evidence.certificates import load
from mqtt.evidence.chain import Signed, read_record
from mqtt.evidence.findings import Finding, Level
from mqtt.evidence.receipt import Receipted, check_receipt, link_of_receipt
from mqtt.evidence.record import Record
from mqtt.evidence.verify import verify_record
from mqtt.messages import SignedReceipt, utc_ms

SET = {"gnss": "satellites", "ntp": "the network"}  # what has set a clock that is asked as a witness
CLOCKS_APART_MS = 600_000  # more than this and the unit's good clock contradicts the receiver's
Value = TypeVar("Value")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The findings; record and receipt where they could be trusted."""

    findings: list[Finding]
    record: Record | None
    receipt: Receipted | None

    @property
    def good(self) -> bool:
        """Whether nothing speaks against it."""
        return all(finding.level != "bad" for finding in self.findings)


def verify_bundle(contents: Contents, root: bytes) -> Verdict:
    """Check everything against the root certificate (PEM) that the reader trusts; never raises for what is in the bundle."""
    return _Examination(contents, root).verdict()


class _Examination:
    """One bundle on the table: goes on after a finding, so that all are told."""

    def __init__(self, contents: Contents, root: bytes) -> None:
        self._contents = contents
        self._root = root
        self._findings: list[Finding] = []

    def verdict(self) -> Verdict:
        told = f"Checked against the root certificate {self._fingerprint()}: compare that with what the fleet has published."
        self._say("note", "root", told)
        receipt = self._attempt("receipt", lambda: self._check_receipt(self._contents.receipt))
        at = self._attempt("record", lambda: receipt.received if receipt else read_record(self._contents.record).t.wall)
        record = self._attempt("record", lambda: self._verify(self._contents.record, at)) if at else None
        if receipt:
            self._say(
                "good", "receipt", f"A receiver of your root signed at {receipt.received} for record {receipt.seq} of {receipt.unit}."
            )
        if record:
            self._say("good", "record", f"Unit {record.unit} signed record {record.seq}, and nothing in it was changed since.")
        if record and receipt:
            self._attempt("receipt", lambda: self._match(record, receipt))
            self._attempt("time", lambda: self._time(record, receipt))
        if record and at:
            self._attempt("attachments", lambda: self._attachments(record))
            self._attempt("chain", lambda: self._chain(record, at))
        return Verdict(findings=self._findings, record=record, receipt=receipt)

    def _fingerprint(self) -> str:
        """As `openssl x509 -fingerprint -sha256` writes it."""
        try:
            return load(self._root, "root").fingerprint(hashes.SHA256()).hex(":").upper()
        except EvidenceError:
            return "(none)"

    def _match(self, record: Record, receipt: Receipted) -> None:
        if (receipt.unit, receipt.seq, receipt.link) != (record.unit, record.seq, self._contents.record.link):
            raise EvidenceError("it is for another record or another signature than the one in the bundle")

    def _time(self, record: Record, receipt: Receipted) -> None:
        stored_ms, wall_ms = utc_ms(receipt.received), utc_ms(record.t.wall)
        trusted = record.t.src in SET
        if trusted and record.t.err_ms > CLOCKS_APART_MS:
            said = f"the unit calls its clock set by {SET[record.t.src]}, and {record.t.err_ms} ms wrong"
            raise EvidenceError(f"{said}: one of the two is false")
        if trusted and wall_ms - record.t.err_ms > stored_ms + CLOCKS_APART_MS:
            raise EvidenceError(f"the unit made it at {record.t.wall}, after the receiver had stored it: one of the two times is false")
        self._say("good", "time", f"It was made before {receipt.received}: by then the receiver held it.")
        self._earlier_time(record, receipt)
        if trusted:
            said = f"The unit's clock, set by {SET[record.t.src]}, said {record.t.wall}: that contradicts no receipt in the bundle."
            self._say("good", "time", said)
        else:
            self._say("note", "time", f"The unit's clock said {record.t.wall}, but nothing had set it: go by the receipts alone.")

    def _earlier_time(self, record: Record, receipt: Receipted) -> None:
        after = self._contents.after
        if record.t.after is None or after is None:
            why = "the unit held no receipt yet" if record.t.after is None else "the receipt that it names is not in the bundle"
            if after is not None:
                raise EvidenceError("the bundle has an earlier receipt that the record does not name")
            self._say("note", "time", f"That it was not made earlier than it says is the unit's word alone: {why}.")
            return
        earlier = self._check_earlier(record, receipt, after)
        if record.t.src in SET and utc_ms(record.t.wall) + record.t.err_ms + CLOCKS_APART_MS < utc_ms(earlier.received):
            raise EvidenceError(
                f"it says {record.t.wall}, but it names a receipt that was made only at {earlier.received}: it was backdated"
            )
        self._say("good", "time", f"It was made after {earlier.received}: it names the receipt of record {earlier.seq} made then.")

    def _check_earlier(self, record: Record, receipt: Receipted, after: SignedReceipt) -> Receipted:
        """The receipt that the record names: nobody could name it before it was signed."""
        if link_of_receipt(after) != record.t.after:
            raise EvidenceError("the earlier receipt in the bundle is not the one that the record names")
        earlier = self._check_receipt(after)
        if earlier.unit != record.unit or earlier.seq >= record.seq:
            raise EvidenceError("the earlier receipt in the bundle is not of an earlier record of this unit")
        if utc_ms(earlier.received) > utc_ms(receipt.received):
            raise EvidenceError(f"its receipt is backdated: it says {receipt.received}, the record names one made at {earlier.received}")
        return earlier

    def _attachments(self, record: Record) -> None:
        held = self._contents.attachments
        signed = {attachment.sha256: attachment for attachment in record.att}
        for sha256 in sorted(signed.keys() - held.keys()):
            self._say("bad", "attachments", f"The {signed[sha256].kind} {sha256[:16]} is missing: the record answers for it.")
        for sha256 in sorted(held.keys() - signed.keys()):
            self._say("bad", "attachments", f"The file {sha256[:16]} was added: the record does not name it.")
        for sha256 in sorted(held.keys() & signed.keys()):
            data = held[sha256][1]
            if hashlib.sha256(data).hexdigest() != sha256 or len(data) != signed[sha256].len:
                self._say(
                    "bad", "attachments", f"The {signed[sha256].kind} {sha256[:16]} was altered: it is not the one that was signed for."
                )
        if all(finding.about != "attachments" for finding in self._findings):
            self._say("good", "attachments", f"Attachments that the record answers for: {len(signed)}, each as it was signed for.")

    def _chain(self, record: Record, at: str) -> None:
        for number, signed in sorted(self._contents.neighbours.items()):
            if number not in {record.seq - 1, record.seq + 1}:
                raise EvidenceError(f"record {number} is in it, but is no neighbour of record {record.seq}")
            neighbour = self._verify(signed, at)
            if neighbour.seq != number or neighbour.unit != record.unit:
                raise EvidenceError(f"chain/{number}.json holds another record")
            earlier, later, link = (
                (neighbour, record, signed.link) if number < record.seq else (record, neighbour, self._contents.record.link)
            )
            if later.prev != link:
                raise EvidenceError(f"record {later.seq} does not follow the record {earlier.seq} in the bundle: one of them was exchanged")
            self._say("good", "chain", f"Record {later.seq} follows record {earlier.seq} of the same unit.")
        if not self._contents.neighbours:
            self._say("note", "chain", "No neighbour is in the bundle: it does not show that nothing was left out before or after.")

    def _check_receipt(self, signed: SignedReceipt) -> Receipted:
        return check_receipt(signed, receiver=self._contents.receiver, issuing=self._contents.issuing, root=self._root)

    def _verify(self, signed: Signed, at: str) -> Record:
        contents = self._contents
        return verify_record(signed.rec, signed.jws, unit=contents.unit, issuing=contents.issuing, root=self._root, at=at)

    def _attempt(self, about: str, check: Callable[[], Value]) -> Value | None:
        try:
            return check()
        except EvidenceError as error:
            self._say("bad", about, f"The {about} does not hold: {error}.")
            return None

    def _say(self, level: Level, about: str, text: str) -> None:
        self._findings.append(Finding(level=level, about=about, text=text))
