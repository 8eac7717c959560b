"""A unit's records as a chain: each names the one before it, the first names the unit's certificate."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import structs

from mqtt.evidence import EvidenceError, record
from mqtt.evidence.jws import POD, Signer, sign
from mqtt.evidence.record import Record


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where a chain ends: the number and the link of its newest record."""

    seq: int
    link: str


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it is kept and sent."""

    rec: str
    jws: str

    @property
    def link(self) -> str:
        """What the next record's `prev` and the receipt name it by."""
        return link_of(self.rec, self.jws)


class Sealed(Signed, frozen=True, kw_only=True):
    """A record just signed, and the chain's new head, to be stored in one commit with it."""

    head: Head


def first_head(certificate_der: bytes) -> Head:
    """The head of a chain that has no record yet."""
    return Head(seq=0, link=hashlib.sha256(certificate_der).hexdigest())


def seal_record(fields: Record, head: Head, signer: Signer) -> Sealed:
    """Put a record behind the head and sign it; EvidenceError, and nothing is signed, when a verifier would refuse it."""
    data = record.write(structs.replace(fields, seq=head.seq + 1, prev=head.link))
    rec, jws = data.decode(), sign(data, POD, signer)
    return Sealed(rec=rec, jws=jws, head=Head(seq=head.seq + 1, link=link_of(rec, jws)))


def link_of(rec: bytes | str, jws: str) -> str:
    """SHA-256 over a record or receipt and its signature, hexadecimal."""
    data = rec if isinstance(rec, bytes) else rec.encode(errors="surrogatepass")
    return hashlib.sha256(data + b"\n" + jws.encode(errors="surrogatepass")).hexdigest()


def read_record(signed: Signed) -> Record:
    """What a record says, its signature unseen; EvidenceError when it is not in the form of one."""
    return record.read(encode(signed.rec))


def encode(text: str) -> bytes:
    """A text as the bytes that were signed; EvidenceError when it has none."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise EvidenceError("it is not UTF-8 text") from None
