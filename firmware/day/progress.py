"""What was done so far: at one stop, with one proof, with the load. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from firmware.day.proof import Attachment, Cash, Item, Proof, Signed, Where

Step = Literal["scan", "photo", "cod", "pin", "sign", "rate", "name"]
Verdict = Literal["ok", "dup", "wrong", "unknown", "rejected"]
StopState = Literal["open", "arrived", "delivered", "partial", "failed", "picked_up"]


class Piece(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something remembered; unknown keys of a newer version are ignored."""


class Tries(Piece, frozen=True, kw_only=True):
    """Wrong PINs in a row, and when the newest was."""

    wrong: int = 0
    mono_ms: int = 0
    boot: str = ""


class Mark(Piece, frozen=True, kw_only=True):
    """A parcel that was read at the door."""

    sym: str
    grade: str | None = None


class Extra(Piece, frozen=True, kw_only=True):
    """A parcel that was read and is in no line: a pickup without codes."""

    code: str
    identity: str
    sym: str
    grade: str | None = None


class Shortage(Piece, frozen=True, kw_only=True):
    """Of a line less than was ordered."""

    qty_fact: int
    reason: str


class Photo(Piece, frozen=True, kw_only=True):
    """A picture; with a warning it waits until the driver keeps it or takes another."""

    attachment: Attachment
    warning: Literal["blurred", "dark"] | None = None
    kept: bool = True


class Last(Piece, frozen=True, kw_only=True):
    """The newest scan and what it meant."""

    code: str
    verdict: Verdict
    stop_no: int | None = None
    shelf: str = ""


class Payment(Piece, frozen=True, kw_only=True):
    """Cash on delivery so far."""

    given: int | None = None
    method: Literal["cash", "card", "paid"] | None = None
    reference: str | None = None
    taken: bool = False


class Trouble(Piece, frozen=True, kw_only=True):
    """An exception in the making."""

    scope: Literal["stop", "parcel"]
    line_id: str | None = None
    reason: str | None = None
    note: str | None = None
    photo: Photo | None = None
    no_photo: str | None = None  # why there is none


class Draft(Piece, frozen=True, kw_only=True):
    """A proof in the making."""

    step: Step
    corrects: str | None = None
    marks: dict[str, Mark] = {}  # by code
    rejects: dict[str, str] = {}  # code -> reason
    shortages: dict[str, Shortage] = {}  # by line_id
    extras: tuple[Extra, ...] = ()
    last: Last | None = None
    photo: Photo | None = None
    no_photo: str | None = None
    line_photos: tuple[Attachment, ...] = ()  # of rejected parcels
    payment: Payment = Payment()
    pin_passed: bool = False
    pin_tries: Tries = Tries()
    signature: Attachment | None = None
    signature_state: Signed | None = None
    rated: bool = False
    rating: int | None = None
    relation: str | None = None
    name: str | None = None
    note: str | None = None
    passed: tuple[Step, ...] = ()  # optional steps that the driver left
    trouble: Trouble | None = None


class Done(Piece, frozen=True, kw_only=True):
    """The newest proof of a stop, in short."""

    proof_id: str
    state: Literal["delivered", "partial", "failed", "picked_up"]
    outcome: str
    at_ms: int
    reason: str | None = None
    cash: Cash | None = None
    signature_state: Signed = "not_required"
    relation: str | None = None
    name: str | None = None
    items: tuple[Item, ...] = ()


class StopWork(Piece, frozen=True, kw_only=True):
    """What was done at one stop."""

    arrived_ms: int | None = None
    attempts: int = 0
    draft: Draft | None = None
    done: Done | None = None
    kept: bool = False  # the newest run no longer has it


class Pending(Piece, frozen=True, kw_only=True):
    """A confirmed proof that can still be taken back."""

    proof: Proof
    before: StopWork  # what undo brings back
    address: str = ""
    unused: tuple[str, ...] = ()  # enc_sha256 of what only undo still needs


class Parcel(Piece, frozen=True, kw_only=True):
    """Where a code belongs."""

    stop_id: str
    line_id: str
    code: str


class Load(Piece, frozen=True, kw_only=True):
    """The load scan."""

    loaded: dict[str, str] = {}  # code -> symbology
    missing: dict[str, str] = {}  # code -> reason
    wrong: int = 0
    last: Last | None = None
    done: bool = False


class Defect(Piece, frozen=True, kw_only=True):
    """One answer of the vehicle check."""

    ok: bool
    note: str = ""
    photo: Attachment | None = None
    told: bool = False  # the fleet knows of it: the picture is on its way


class Check(Piece, frozen=True, kw_only=True):
    """The vehicle check that is being made, or was made last."""

    phase: Literal["before", "after"] = "before"
    answers: dict[str, Defect] = {}
    photo_for: str | None = None  # the item whose picture comes next
    blocked: tuple[str, ...] = ()  # safety defects that dispatch has not cleared
    passed: bool = False  # before the route
    after_done: bool = False  # after it
    old_defects: tuple[str, ...] = ()  # of the last report


class Visit(Piece, frozen=True, kw_only=True):
    """The stop that the vehicle stands at."""

    stop_id: str
    at_ms: int
    where: Where | None = None
