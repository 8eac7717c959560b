"""Everything that the fleet holds of one proof: record, receipt, certificates, opened attachments, neighbours."""

from __future__ import annotations

import hashlib

import msgspec

from fleet.notary import Chain, Notary
from fleet.rows import ProofRow
from fleet.store import Store
from mqtt.evidence import EvidenceError, bundle
from mqtt.evidence.chain import Signed
from mqtt.evidence.receipt import link_of_receipt
from mqtt.evidence.record import Attachment, Record
from mqtt.messages import Pod, SignedReceipt, decode

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
    attachments: tuple[Held, ...]

    @property
    def waiting(self) -> list[str]:
        """The kinds of attachments that have not come yet."""
        return [held.told.kind for held in self.attachments if held.data is None]


def gather(store: Store, notary: Notary, row: ProofRow) -> Dossier:
    """Check the proof anew and open its attachments; EvidenceError when it is not good, or one does not open."""
    signed = signed_of(row)
    seen = notary.see(row.unit, signed.rec, signed.jws, row.received_ms)
    attachments = tuple(_held(store, notary, row.unit, told) for told in seen.record.att)
    return Dossier(row=row, signed=signed, record=seen.record, chain=seen.chain, attachments=attachments)


def signed_of(row: ProofRow) -> Signed:
    """The record of a row as it was signed."""
    pod = decode(row.payload, Pod)
    assert isinstance(pod, Pod)
    return Signed(rec=pod.rec, jws=pod.jws)


def record_of(notary: Notary, row: ProofRow) -> Record:
    """What a proof says; EvidenceError when it is not good."""
    signed = signed_of(row)
    return notary.see(row.unit, signed.rec, signed.jws, row.received_ms).record


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
    if receipt is None or notary.own is None:
        raise EvidenceError(NO_RECEIPT)
    if dossier.chain.issuing != notary.own.issuing:
        raise EvidenceError("the unit and this receiver have certificates of two issuing authorities: a bundle holds one")
    others = [row for row in store.proofs(dossier.row.unit) if row.verified_ms is not None]
    return bundle.Contents(
        record=dossier.signed,
        receipt=receipt,
        unit=dossier.chain.leaf,
        issuing=dossier.chain.issuing,
        receiver=notary.own.leaf,
        attachments={
            held.told.sha256: (bundle.extension(held.told.mime), held.data) for held in dossier.attachments if held.data is not None
        },
        neighbours=_neighbours(notary, dossier, others),
        after=_earlier_receipt(dossier.record, others),
    )


def _neighbours(notary: Notary, dossier: Dossier, others: list[ProofRow]) -> dict[int, Signed]:
    """The records before and after, where they are held and of the same certificate."""
    found: dict[int, Signed] = {}
    for row in others:
        if row.chain_seq is None or abs(row.chain_seq - dossier.record.seq) != 1:
            continue
        signed = signed_of(row)
        seen = notary.see(row.unit, signed.rec, signed.jws, row.received_ms)
        follows = row.link == dossier.record.prev if row.chain_seq < dossier.record.seq else seen.record.prev == dossier.row.link
        if follows and seen.chain == dossier.chain:
            found[row.chain_seq] = signed
    return found


def _earlier_receipt(record: Record, others: list[ProofRow]) -> SignedReceipt | None:
    """The receipt that the unit already held when it made the record."""
    receipts = (row.receipt for row in others if row.receipt is not None)
    return next((receipt for receipt in receipts if link_of_receipt(receipt) == record.t.after), None)
