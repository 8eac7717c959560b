"""The receiver's signed word for one record: acknowledgement, counter-signature and head of the unit's chain in one."""

from __future__ import annotations

from typing import Literal

import msgspec

from mqtt.evidence import EvidenceError
from mqtt.evidence.canonical import jcs, read_canonical
from mqtt.evidence.certificates import check_leaf
from mqtt.evidence.chain import encode, link_of
from mqtt.evidence.jws import RECEIPT, Signer, sign, verify
from mqtt.evidence.record import Hash
from mqtt.messages import MessageError, Number, SignedReceipt, UnitId, Utc, utc_ms


class Receipted(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says: the receiver held this record of this unit, and so everything before it in the chain, at `received`."""

    v: Literal[1]
    typ: Literal["receipt"]
    unit: UnitId
    seq: Number  # of the chain, not of the journal
    link: Hash  # of the record: chain.link_of(rec, jws)
    received: Utc


def sign_receipt(unit: str, seq: int, link: str, received: str, signer: Signer) -> SignedReceipt:
    """Sign for a stored record. Keep what comes back: signing again makes another receipt, and records name receipts by their link."""
    payload = jcs({"v": 1, "typ": "receipt", "unit": unit, "seq": seq, "link": link, "received": received})
    _read(payload)
    return SignedReceipt(rc=payload.decode(), jws=sign(payload, RECEIPT, signer))


def check_receipt(signed: SignedReceipt, *, receiver: bytes, issuing: bytes, root: bytes) -> Receipted:
    """What a receipt says (certificates as PEM); EvidenceError unless a receiver of this root signed it while its certificate was valid."""
    payload = encode(signed.rc)
    receipted = _read(payload)
    certificate, _ = check_leaf(leaf=receiver, issuing=issuing, root=root, role="receiver", at=receipted.received)
    verify(payload, signed.jws, RECEIPT, certificate)
    return receipted


def link_of_receipt(signed: SignedReceipt) -> str:
    """What a later record's `t.after` names this receipt by."""
    return link_of(signed.rc, signed.jws)


def _read(payload: bytes) -> Receipted:
    value = read_canonical(payload)
    try:
        receipted = msgspec.convert(value, Receipted)
        utc_ms(receipted.received)
    except (msgspec.ValidationError, MessageError) as error:
        raise EvidenceError(f"it breaks the contract: {error}") from None
    return receipted
