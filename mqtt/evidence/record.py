"""What a proof of delivery says, field by field; docs/evidence.md has the table."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mqtt.evidence import EvidenceError
from mqtt.evidence.canonical import jcs, read_canonical
from mqtt.messages import END, BootId, Count, MessageError, TimeSource, UnitId, Utc, utc_ms

MAX_CHARACTERS = 500_000  # as mqtt/messages.Pod takes it

Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}" + END, description="SHA-256 in hexadecimal")]
Uuid = Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}" + END)]
Word = Annotated[str, Meta(pattern="^[a-z0-9_]{1,40}" + END, description="a word of the contract or of the fleet's own list")]
Label = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=1_000)]
Minor = Annotated[int, Meta(ge=-(10**12), le=10**12, description="money in the currency's smallest unit")]
Outcome = Literal[
    "delivered_to_recipient", "delivered_to_third_party", "delivered_to_mailbox", "delivered_to_safe_place", "delivered_to_pickup_point",
    "delivered_other", "picked_up_from_customer", "picked_up_unmanned", "picked_up_from_locker", "picked_up_other", "failed_not_home",
    "failed_cant_find_address", "failed_no_parking", "failed_no_time", "failed_package_not_available", "failed_missing_required_proof",
    "failed_payment_not_received", "failed_other", "failed_refused", "failed_damaged", "failed_access", "failed_unsafe", "failed_closed",
    "failed_age_check", "unattempted",
]  # fmt: skip


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A field without a default is always written, null where it is known to be absent; one with a default is left out when it has it."""


class Recipient(Part, frozen=True, kw_only=True):
    """Who took it, as the driver was told."""

    name: Text | None
    relation: Word | None
    signature_state: Literal["signed", "declined", "unable", "not_required"]


class Item(Part, frozen=True, kw_only=True):
    """One parcel, or one line of goods without codes."""

    code: Annotated[str, Meta(max_length=500)] | None  # as it was read
    sym: Annotated[str, Meta(max_length=40)] | None  # symbology
    line_id: Label | None
    state: Word
    qty: Count
    qty_fact: Count  # fewer than qty: a partial delivery
    reason: Label | None
    grade: Word | None = None  # of goods taken back: good, worn, damaged


class When(Part, frozen=True, kw_only=True):
    """The unit's clock, and what does not depend on it."""

    wall: Utc
    mono_ms: Count  # since the boot that the record names
    src: TimeSource
    err_ms: Count
    after: Hash | None  # link of the newest signed receipt that the unit held: the record was made after that


class Where(Part, frozen=True, kw_only=True):
    """WGS 84."""

    lat_e7: Annotated[int, Meta(ge=-900_000_000, le=900_000_000)]
    lon_e7: Annotated[int, Meta(ge=-1_800_000_000, le=1_800_000_000)]
    acc_m: Count | None
    fix: Annotated[int, Meta(ge=0, le=8)] | None
    sats: Count | None
    age_ms: Count


class Attachment(Part, frozen=True, kw_only=True):
    """A file that the record answers for: `sha256` and `len` of itself, `enc_sha256` and `enc_len` of its sealed form on the wire."""

    kind: Literal["photo", "signature", "defect"]
    mime: Annotated[str, Meta(pattern=r"^[a-z]+/[a-z0-9.+-]+" + END, max_length=60)]
    sha256: Hash
    len: Count
    enc_sha256: Hash
    enc_len: Count


class Cash(Part, frozen=True, kw_only=True):
    """What was due and what was taken."""

    amount: Minor
    taken: Minor
    change: Minor
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}" + END, description="ISO 4217")]
    method: Word
    reference: Annotated[str, Meta(max_length=100)] | None = None


class Record(Part, frozen=True, kw_only=True):
    """One proof. `seq` and `prev` are its place in the unit's chain: `chain.seal_record` fills them in."""

    v: Annotated[int, Meta(ge=1, le=1)] = msgspec.field(default_factory=lambda: 1)  # a factory: it is written all the same
    typ: Literal["pod"] = msgspec.field(default_factory=lambda: "pod")
    unit: UnitId
    boot: BootId
    seq: Annotated[int, Meta(ge=1, le=2**53 - 1)] = 0
    prev: Hash = ""
    id: Uuid
    job: Label | None
    stop: Label
    outcome: Outcome
    reason: Label | None  # the fleet's own code, as its run names it
    recipient: Recipient | None
    driver: Label | None
    items: Annotated[tuple[Item, ...], Meta(max_length=2_000)]
    t: When
    pos: Where | None
    att: Annotated[tuple[Attachment, ...], Meta(max_length=32)]
    fw: Annotated[str, Meta(max_length=40)]
    flags: Annotated[tuple[Word, ...], Meta(max_length=32)] = ()  # sorted; what the day remarked without blocking it
    cash: Cash | None = None
    corrects: Uuid | None = None  # the id of the record that this one corrects
    rating: Annotated[int, Meta(ge=1, le=5)] | None = None
    note: Text | None = None
    place_m: Count | None = None  # from the stop's position
    service: Word | None = None
    run_n: Count | None = None


def write(record: Record) -> bytes:
    """A record's canonical bytes; EvidenceError when a reader would refuse them."""
    data = jcs(msgspec.to_builtins(record))
    read(data)
    return data


def read(data: bytes) -> Record:
    """The record in canonical bytes, keys of a newer contract ignored; EvidenceError says what is wrong, and where."""
    value = read_canonical(data)
    try:
        record = msgspec.convert(value, Record)
        utc_ms(record.t.wall)
    except (msgspec.ValidationError, MessageError) as error:
        raise EvidenceError(f"it breaks the contract: {error}") from None
    if not {"v", "typ", "seq", "prev"} <= value.keys():
        raise EvidenceError("it breaks the contract: it lacks v, typ, seq or prev")
    if list(record.flags) != sorted(set(record.flags)):
        raise EvidenceError("it breaks the contract: its flags are not in order")
    if len(data.decode()) > MAX_CHARACTERS:
        raise EvidenceError(f"it is longer than {MAX_CHARACTERS} characters")
    return record
