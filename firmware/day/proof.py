"""A proof of delivery as the day knows it, before it is signed. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

Signed = Literal["signed", "declined", "unable", "not_required"]


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A picture or a signature that is stored already: hashes of the plain bytes and of the sealed ones."""

    kind: Literal["photo", "signature", "defect"]
    mime: str
    sha256: str
    len: int  # bytes
    enc_sha256: str
    enc_len: int  # bytes


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Where the unit is, WGS 84."""

    lat_deg: float
    lon_deg: float
    accuracy_m: float | None = None
    sats: int | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    age_ms: int = 0
    fix: int = 3  # dimensions: 2 or 3


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Who took it, or gave it."""

    name: str | None = None
    relation: str | None = None
    signature_state: Signed = "not_required"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one parcel, or of the part of a line that has no codes."""

    code: str | None
    sym: str | None  # how it was read: a symbology, or "typed"
    line_id: str | None  # None: not in the run
    state: Literal["scanned", "unscanned", "counted", "rejected", "missing", "extra"]
    qty: int
    qty_fact: int
    reason: str | None = None
    grade: str | None = None  # of what came back: good, worn, damaged


class Cash(msgspec.Struct, frozen=True, kw_only=True):
    """Money on delivery, in the currency's smallest unit. With a card or paid before, nothing changes hands here."""

    amount: int  # due
    taken: int  # in hand
    change: int  # given back
    currency: str
    digits: int
    method: Literal["cash", "card", "paid"]
    reference: str | None = None  # of the external card reader; never a card's number


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of an evidence record that the day knows. Its time is the moment of Confirm, by both clocks."""

    id: str
    stop_id: str
    job: str | None
    service: Literal["delivery", "pickup", "return"]
    run_n: int
    outcome: str  # the contract's word
    reason: str | None
    recipient: Recipient | None  # None: nothing was handed over
    driver: str
    items: tuple[Item, ...]
    at_ms: int
    mono_ms: int
    boot: str  # the start of the system that mono_ms counts from
    src: str
    err_ms: int
    position: Where | None
    place_m: int | None  # from the stop's place
    attachments: tuple[Attachment, ...] = ()
    flags: tuple[str, ...] = ()  # sorted
    cash: Cash | None = None
    corrects: str | None = None  # the id of the proof that this one corrects
    rating: int | None = None
    note: str | None = None
