"""A proof of delivery at the fleet: what its record says of itself, and what checking it found. Pure."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from fleet.intake import ATTACHMENT_LIMIT_BYTES, TOP_INTEGER, Blob, Fixes, Record, Refused, Report, SignedRecord
from mqtt.evidence.chain import link_of
from mqtt.evidence.jws import signed_by
from mqtt.evidence.record import Hash
from mqtt.messages import MessageError, SignedReceipt, utc_ms

NAMED_LIMIT = 64  # attachments of one message
CLAIM_LIMIT = 200  # characters of a claim that are worth a column; the record itself is stored whole


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a record says of itself, true or not; None where it says nothing readable."""

    chain_seq: int | None = None
    id: str | None = None
    stop: str | None = None
    outcome: str | None = None
    recipient: str | None = None
    driver: str | None = None
    t_ms: int | None = None
    corrects: str | None = None


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """The certificates above a signature, each in PEM form; the root is the same for all."""

    leaf: bytes
    issuing: bytes


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment that a record or an event names, as it is sent, and what it is when it is opened."""

    sha: str  # of the sealed bytes
    sealed_bytes: int
    sha256: str  # of what was sealed
    mime: str
    good: bool = False  # a verified record says so: it counts more than what anybody else said


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A signed record with the verdict: good, not good with its fault, or, with neither, not checked."""

    record: Record
    link: str
    claims: Claims
    good: bool = False
    fault: str | None = None
    receipt: SignedReceipt | None = None
    by: Chain | None = None  # who signed the receipt
    signer: str | None = None  # SHA-256 of the certificate that the record's signature names: what tells one chain of a unit from another
    attachments: tuple[Announced, ...] = ()  # not of a record found forged: it must not say how long a real attachment is

    @property
    def unit(self) -> str:
        """Whose topic it came on."""
        return self.record.unit


Storable = Fixes | Record | SignedRecord | Checked | Report | Blob | Refused


def unchecked(signed: SignedRecord) -> Checked:
    """A record that nobody could check: this receiver knows no authority."""
    return Checked(
        record=signed.record,
        link=link_of(signed.rec, signed.jws),
        claims=claims_of(signed.rec),
        signer=signed_by(signed.jws),
        attachments=announced_in(signed.rec),
    )


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment as records and events tell of it."""

    sha256: Hash
    enc_sha256: Hash
    enc_len: Annotated[int, Meta(ge=1, le=ATTACHMENT_LIMIT_BYTES)]
    mime: Annotated[str, Meta(max_length=60)] = ""


def announced_in(text: str) -> tuple[Announced, ...]:
    """The attachments that a JSON text names, wherever they stand in it; never fails."""
    found: dict[str, Announced] = {}
    parts = [_json(text)]
    while parts and len(found) < NAMED_LIMIT:
        part = parts.pop()
        parts += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        if isinstance(part, dict) and "enc_sha256" in part:
            with suppress(msgspec.ValidationError):
                told = msgspec.convert(part, Told)
                found[told.enc_sha256] = Announced(
                    sha=told.enc_sha256, sealed_bytes=told.enc_len, sha256=told.sha256, mime=told.mime
                )  # fmt: skip
    return tuple(found.values())


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def claims_of(rec: str) -> Claims:
    """Read what can be read; never fails."""
    told = _json(rec)
    if not isinstance(told, dict):
        return Claims()
    return Claims(
        chain_seq=_number(told.get("seq")),
        id=_text(told.get("id")),
        stop=_text(told.get("stop")),
        outcome=_text(told.get("outcome")),
        recipient=_text(_within(told, "recipient", "name")),
        driver=_text(told.get("driver")),
        t_ms=_time_ms(_within(told, "t", "wall")),
        corrects=_text(told.get("corrects")),
    )


def _within(told: dict[str, Any], outer: str, inner: str) -> Any:
    part = told.get(outer)
    return part.get(inner) if isinstance(part, dict) else None


def _number(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= TOP_INTEGER else None


def _text(value: Any) -> str | None:
    """As a database and a terminal can take it; letters of every script are printable."""
    if type(value) is int:
        value = str(value) if abs(value) <= TOP_INTEGER else None
    return "".join(c if c.isprintable() else "?" for c in value[:CLAIM_LIMIT]) if isinstance(value, str) else None


def _time_ms(value: Any) -> int | None:
    try:
        return utc_ms(value) if isinstance(value, str) else None
    except (MessageError, OverflowError):
        return None
