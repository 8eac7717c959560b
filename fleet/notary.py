"""Checks proofs against the certificates of their units, and countersigns the good ones. Reads files, asks no clock."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import msgspec

from fleet.config import EvidenceSettings
from fleet.intake import SignedRecord, sentence
from fleet.proofs import Announced, Chain, Checked, unchecked
from mqtt.evidence import EvidenceError
from mqtt.evidence.certificates import check_leaf
from mqtt.evidence.jws import Signer
from mqtt.evidence.keys import open_signer, read_private
from mqtt.evidence.receipt import Receipted, check_receipt, sign_receipt
from mqtt.evidence.record import Record
from mqtt.evidence.report import Paper, check
from mqtt.evidence.sealing import unseal
from mqtt.evidence.verify import verify_record
from mqtt.messages import SignedReceipt, utc_text

log = logging.getLogger(__name__)

BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)
UNKNOWN = "no certificate of unit {unit} is in evidence.units_folder: put it there as {unit}.pem, then run `roadproof fleet pods --recheck`"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A good record, and the certificates that say so."""

    record: Record
    chain: Chain


class Notary:
    """What this receiver knows about who may sign what, and its own key if it has one."""

    def __init__(self, settings: EvidenceSettings) -> None:
        self._settings = settings
        self._folder = Path(settings.units_folder)
        self.root = _certificates(Path(settings.root))[0]
        self._issuing = _certificates(Path(settings.issuing))[0] if settings.issuing else None
        self.own: Chain | None = None
        self._signer: Signer | None = None
        if settings.certificate or settings.key:
            self.own, self._signer = self._own_key()
        if not self._folder.is_dir():
            raise EvidenceError(
                f"there is no folder {self._folder} with the units' certificates; make it, or correct evidence.units_folder"
            )

    def _own_key(self) -> tuple[Chain, Signer]:
        if not (self._settings.certificate and self._settings.key):
            raise EvidenceError("evidence.certificate and evidence.key go together: one of them is missing")
        certificate = Path(self._settings.certificate)
        return self._chain(certificate, _certificates(certificate)), open_signer(self._settings.key, certificate)

    def check_own(self, at_ms: int) -> None:
        """EvidenceError when the receipts that this receiver would sign now would not be accepted."""
        if self.own is not None:
            check_leaf(leaf=self.own.leaf, issuing=self.own.issuing, root=self.root, role="receiver", at=utc_text(at_ms))

    def check(self, signed: SignedRecord, at_ms: int) -> Checked:
        """The verdict on a record held now, by this receiver's own clock; with a receipt when it is good and there is a key.

        Never a time that the store tells: who can write there would have receipts made for any day.
        """
        plain = msgspec.structs.replace(unchecked(signed), attachments=())
        try:
            seen = self.see(signed.unit, signed.rec, signed.jws, at_ms)
        except EvidenceError as error:
            log.warning("a proof of unit %s is stored, but is not good: %s", signed.unit, error)
            return msgspec.structs.replace(plain, fault=sentence(error))
        attachments = tuple(
            Announced(sha=one.enc_sha256, sealed_bytes=one.enc_len, sha256=one.sha256, mime=one.mime, good=True) for one in seen.record.att
        )
        receipt = self._receipt(signed.unit, seen.record.seq, plain.link, at_ms)
        return msgspec.structs.replace(plain, good=True, receipt=receipt, by=self.own if receipt else None, attachments=attachments)

    def see(self, unit: str, rec: str, jws: str, at_ms: int) -> Seen:
        """A record by the unit's certificate, or by one that it had before, valid at that time; EvidenceError says why by none."""
        first: EvidenceError | None = None
        for chain in self._chains(unit):
            try:
                record = verify_record(rec, jws, unit=chain.leaf, issuing=chain.issuing, root=self.root, at=utc_text(at_ms))
            except EvidenceError as error:
                first = first or error
                continue
            if record.unit != unit:
                raise EvidenceError(f"it is of unit {record.unit} and came on the topic of {unit}")
            return Seen(record=record, chain=chain)
        raise first or EvidenceError(UNKNOWN.format(unit=unit))

    def see_report(self, unit: str, rec: str, jws: str, at_ms: int) -> Paper:
        """A unit's commissioning report with the certificates that it holds by, valid when it came; EvidenceError says why by none."""
        first: EvidenceError | None = None
        for chain in self._chains(unit):
            paper = Paper(rec=rec, jws=jws, unit=chain.leaf.decode(), issuing=chain.issuing.decode())
            try:
                said = check(paper, root=self.root, at=utc_text(at_ms))
            except EvidenceError as error:
                first = first or error
                continue
            if said.unit != unit:
                raise EvidenceError(f"it is of unit {said.unit} and came on the topic of {unit}")
            return paper
        raise first or EvidenceError(f"no certificate of unit {unit} is in evidence.units_folder: put it there as {unit}.pem")

    def _chains(self, unit: str) -> list[Chain]:
        """The certificates of a unit, today's first; a unit's name holds no dot, so no file can be another unit's."""
        try:
            present = {path.name for path in self._folder.iterdir()}
        except OSError as error:
            raise EvidenceError(f"{self._folder} cannot be read: {(error.strerror or str(error)).lower()}") from None
        old = sorted((name for name in present if re.fullmatch(re.escape(unit) + r"\.[^.]+\.pem", name)), reverse=True)
        files = [self._folder / name for name in (f"{unit}.pem", *old) if name in present]
        return [self._chain(file, _certificates(file)) for file in files]

    def _chain(self, file: Path, found: list[bytes]) -> Chain:
        issuing = found[1] if len(found) > 1 else self._issuing
        if issuing is None:
            raise EvidenceError(f"{file} holds no issuing certificate behind the first one: add it, or name it in evidence.issuing")
        return Chain(leaf=found[0], issuing=issuing)

    def _receipt(self, unit: str, chain_seq: int, link: str, at_ms: int) -> SignedReceipt | None:
        """A receipt of this time; None when nobody would accept it."""
        if self.own is None or self._signer is None:
            return None
        signed = sign_receipt(unit, chain_seq, link, utc_text(at_ms), self._signer)
        try:
            check_receipt(signed, receiver=self.own.leaf, issuing=self.own.issuing, root=self.root)
        except EvidenceError as error:
            log.error("proof %s of unit %s is good, but gets no receipt: %s", chain_seq, unit, error)  # noqa: TRY400  a sentence
            return None
        return signed

    def read_receipt(self, signed: SignedReceipt, by: Chain | None) -> Receipted:
        """What a receipt says; `by` signed it: this receiver, one before it, or one beside it. EvidenceError when it does not hold."""
        if by is None:
            raise EvidenceError("the certificate that it was signed under is not here")
        return check_receipt(signed, receiver=by.leaf, issuing=by.issuing, root=self.root)

    def open_attachment(self, sealed: bytes) -> bytes:
        """What is in a sealed attachment; EvidenceError when there is no key, or it does not fit."""
        if not self._settings.seal_key:
            raise EvidenceError("photos and signatures are sealed: name the key that opens them in evidence.seal_key")
        return unseal(read_private(Path(self._settings.seal_key)), sealed)


def _certificates(file: Path) -> list[bytes]:
    """The certificates of a PEM file, one text each."""
    try:
        found = BLOCK.findall(file.read_bytes())
    except OSError as error:
        raise EvidenceError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}") from None
    if not found:
        raise EvidenceError(f"{file} holds no certificate in PEM form")
    return [bytes(block) for block in found]
