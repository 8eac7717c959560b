"""All checks of one record, without a clock and without a network."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding

from mqtt.evidence import EvidenceError, record
from mqtt.evidence.certificates import check_leaf
from mqtt.evidence.chain import encode, first_head
from mqtt.evidence.jws import POD, verify
from mqtt.evidence.record import Record


def verify_record(rec: str, jws: str, *, unit: bytes, issuing: bytes, root: bytes, at: str) -> Record:
    """What a record says (certificates as PEM); EvidenceError unless the unit that it names signed exactly this.

    `at`, a time of the contract, is when the receiver stored it: certificates must be valid then. The unit's clock is not asked.
    """
    data = encode(rec)
    said = record.read(data)
    certificate, name = check_leaf(leaf=unit, issuing=issuing, root=root, role="unit", at=at)
    verify(data, jws, POD, certificate)
    if said.unit != name:
        raise EvidenceError(f"it says that it is of unit {said.unit}, but {name} signed it")
    if said.seq == 1 and said.prev != first_head(certificate.public_bytes(Encoding.DER)).link:
        raise EvidenceError("it is the first of its chain, but does not begin at the unit's certificate")
    return said
