"""Everything that the fleet holds of one proof: record, receipt, certificates, opened attachments, neighbours."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from fleet.notary import Notary, Seen
from fleet.proofs import Chain
from fleet.rows import ProofRow
from fleet.store import Store
from mqtt.evidence import EvidenceError, bundle
from mqtt.evidence.certificates import sha256_of
from mqtt.evidence.chain import Signed
from mqtt.evidence.jws import signed_by
from mqtt.evidence.receipt import Receipted, link_of_receipt
from mqtt.evidence.record import Attachment, Record
from mqtt.messages import MessageError, Pod, SignedReceipt, decode, utc_ms

NO_RECEIPT = (
    "there is no signed receipt of it: name this receiver's certificate and key in [evidence], then run `roadproof fleet pods --recheck`"
)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment of the record; `data` is the plain bytes, None while not all of it has come."""

    told: Attachment
    data: bytes | None


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """One good proof and what belongs to it."""

    row: ProofRow
    signed: Signed
    record: Record
    chain: Chain
    by: Chain | None  # who signed the receipt
    attachments: tuple[Held, ...]
    corrected_by: str | None = None  # the id of a later record that corrects it

    @property
    def waiting(self) -> list[str]:
        """The kinds of attachments that have not come yet."""
        return [held.told.kind for held in self.attachments if held.data is None]


def gather(store: Store, notary: Notary, row: ProofRow) -> Dossier:
    """Check the proof anew and open its attachments; EvidenceError when it is not good, or one does not open."""
    signed = signed_of(row)
    seen = see(notary, row)
    attachments = tuple(_held(store, notary, row.unit, told) for told in seen.record.att)
    corrections = [other.id for other in store.proofs(row.unit) if other.corrects == row.id and other.verified_ms is not None]
    return Dossier(
        row=row,
        signed=signed,
        record=seen.record,
        chain=seen.chain,
        by=signer_of(notary, store.receivers(), row.receipt) if row.receipt else None,
        attachments=attachments,
        corrected_by=corrections[-1] if corrections else None,
    )


def see(notary: Notary, row: ProofRow) -> Seen:
    """A proof checked anew, with certificates that were valid when its receipt was signed; EvidenceError when it is not good."""
    signed = signed_of(row)
    receipt_ms = None if row.receipt is None else _received_ms(row.receipt)
    return notary.see(row.unit, signed.rec, signed.jws, receipt_ms or row.verified_ms or row.received_ms)


def _received_ms(receipt: SignedReceipt) -> int | None:
    """Its time as it says, checked later."""
    try:
        return utc_ms(msgspec.json.decode(receipt.rc, type=Receipted).received)
    except (msgspec.DecodeError, MessageError):
        return None


def signer_of(notary: Notary, receivers: Mapping[str, Chain], receipt: SignedReceipt) -> Chain | None:
    """The certificates of the receiver that signed: this one, one before it, or one beside it; None when nobody here knows them."""
    name = signed_by(receipt.jws)
    if notary.own is not None and name == sha256_of(notary.own.leaf):
        return notary.own
    return receivers.get(name or "")


def signed_of(row: ProofRow) -> Signed:
    """The record of a row as it was signed."""
    pod = decode(row.payload, Pod)
    assert isinstance(pod, Pod)
    return Signed(rec=pod.rec, jws=pod.jws)


def record_of(notary: Notary, row: ProofRow) -> Record:
    """What a proof says; EvidenceError when it is not good."""
    return see(notary, row).record


def _held(store: Store, notary: Notary, unit: str, told: Attachment) -> Held:
    sealed = store.sealed_attachment(unit, told.enc_sha256)
    if sealed is None:
        return Held(told=told, data=None)
    data = notary.open_attachment(sealed)
    if hashlib.sha256(data).hexdigest() != told.sha256:
        raise EvidenceError(f"the {told.kind} that came is not the one that the record answers for")
    return Held(told=told, data=data)


def contents(store: Store, notary: Notary, dossier: Dossier) -> bundle.Contents:
    """What goes into its bundle; EvidenceError without a receipt. Attachments that have not come are left out."""
    receipt = dossier.row.receipt
    if receipt is None:
        raise EvidenceError(NO_RECEIPT)
    if dossier.by is None:
        raise EvidenceError("its receipt was signed under a certificate that is not here: name that receiver's in evidence.certificate")
    if dossier.chain.issuing != dossier.by.issuing:
        raise EvidenceError("the unit and the receiver have certificates of two issuing authorities: a bundle holds one")
    others = [row for row in store.proofs(dossier.row.unit) if row.verified_ms is not None]
    return bundle.Contents(
        record=dossier.signed,
        receipt=receipt,
        unit=dossier.chain.leaf,
        issuing=dossier.chain.issuing,
        receiver=dossier.by.leaf,
        attachments={
            held.told.sha256: (bundle.extension(held.told.mime), held.data) for held in dossier.attachments if held.data is not None
        },
        neighbours=_neighbours(notary, dossier, receipt, others),
        after=_earlier_receipt(dossier.record, receipt, others),
    )


def _neighbours(notary: Notary, dossier: Dossier, receipt: SignedReceipt, others: list[ProofRow]) -> dict[int, Signed]:
    """The records before and after, where they are held and of the same certificate."""
    found: dict[int, Signed] = {}
    at_ms = utc_ms(msgspec.json.decode(receipt.rc, type=Receipted).received)  # whoever checks the bundle knows no other time
    for row in others:
        if row.chain_seq is None or abs(row.chain_seq - dossier.record.seq) != 1:
            continue
        signed = signed_of(row)
        seen = notary.see(row.unit, signed.rec, signed.jws, at_ms)
        follows = row.link == dossier.record.prev if row.chain_seq < dossier.record.seq else seen.record.prev == dossier.row.link
        if follows and seen.chain == dossier.chain:
            found[row.chain_seq] = signed
    return found


def _earlier_receipt(record: Record, receipt: SignedReceipt, others: list[ProofRow]) -> SignedReceipt | None:
    """The receipt that the unit already held when it made the record, where the same receiver signed it: a bundle holds one certificate."""
    earlier = (row.receipt for row in others if row.receipt is not None)
    found = next((one for one in earlier if link_of_receipt(one) == record.t.after), None)
    return found if found is not None and signed_by(found.jws) == signed_by(receipt.jws) else None
