"""What the store tells: one struct for each answer."""

from __future__ import annotations

import msgspec

from fleet.intake import Series
from mqtt.messages import BlobHeld, Ledger, SignedReceipt
from mqtt.ranges import Ranges


class SeriesHolding(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one series, and what the unit knows of it."""

    coverage: Ranges  # every number held, or accounted for by the unit
    batch: Ranges  # those of them that came just now
    ledger: Ledger | None  # the newest that the unit sent


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """A journal after a commit: what its unit can be told."""

    unit: str
    log: str
    seq: SeriesHolding
    tseq: SeriesHolding
    born: bool = False  # the unit has just come online: it waits for an answer
    proofs: tuple[SignedReceipt, ...] = ()  # of the good proofs that came just now, new or again
    blobs: dict[str, BlobHeld] = {}  # attachments of which something came just now, and at a ledger some that are not whole


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What one commit did."""

    stored: int = 0  # rows new to the store
    repeated: int = 0  # rows that it held already
    refused: int = 0
    holdings: tuple[Holding, ...] = ()

    def plus(self, other: Kept) -> Kept:
        """Both together."""
        return Kept(
            stored=self.stored + other.stored,
            repeated=self.repeated + other.repeated,
            refused=self.refused + other.refused,
            holdings=self.holdings + other.holdings,
        )


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one unit, and how many of them differ in what they say whatever their number: less means stored twice."""

    fixes: int
    records: int
    fixes_distinct_time: int
    records_distinct: int

    @property
    def stored_twice(self) -> int:
        """Fixes and records that are there under more than one number."""
        return self.fixes - self.fixes_distinct_time + self.records - self.records_distinct


class UnitRow(msgspec.Struct, frozen=True, kw_only=True):
    """One unit as last heard."""

    unit: str
    first_ms: int
    seen_ms: int
    log: str | None
    state: str | None
    live: bytes | None  # newest payloads as they came
    last: bytes | None
    health: bytes | None


class SeriesRow(msgspec.Struct, frozen=True, kw_only=True):
    """One series of one journal as the store holds it."""

    unit: str
    log: str
    series: Series
    current: bool  # the journal that the unit uses now; False for one that was replaced
    coverage: Ranges
    rows: int  # fixes or records; numbers covered beyond them were dropped by the unit
    ledger: Ledger | None


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered message as the store holds it."""

    log: str
    number: int
    span: int
    kind: str
    event: str | None
    t_ms: int | None
    received_ms: int
    data: str | None  # JSON
    fault: str | None
    payload: bytes


class RefusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A message that could not be stored under a number."""

    topic: str
    sha256: str
    reason: str
    count: int
    last_ms: int
    payload: bytes


class ProofRow(msgspec.Struct, frozen=True, kw_only=True):
    """One signed record as the store holds it: what it says of itself, and the verdict."""

    unit: str
    link: str
    chain_seq: int | None
    id: str | None
    stop: str | None
    outcome: str | None
    recipient: str | None
    driver: str | None
    t_ms: int | None
    corrects: str | None
    verified_ms: int | None  # when it was found good; None with a fault: it is not; None without: nobody could check it
    fault: str | None
    rc: str | None
    rc_jws: str | None
    signer: str | None  # SHA-256 of the certificate that its signature names
    received_ms: int
    payload: bytes  # mqtt.messages.Pod

    @property
    def receipt(self) -> SignedReceipt | None:
        """This receiver's signature over it."""
        return None if self.rc is None or self.rc_jws is None else SignedReceipt(rc=self.rc, jws=self.rc_jws)


class AttachmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment as records and events tell of it."""

    unit: str
    sha: str  # of the sealed bytes
    sha256: str | None  # of what was sealed; None: nothing has told
    mime: str | None
    whole_ms: int | None  # when all of it was there


class WaitingProof(msgspec.Struct, frozen=True, kw_only=True):
    """A signed record that is still to be found good, or to be receipted."""

    unit: str
    log: str
    number: int
    received_ms: int
    payload: bytes
