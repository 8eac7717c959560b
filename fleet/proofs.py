"""A proof of delivery at the fleet: what its record says of itself, and what checking it found. Pure."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from fleet.intake import TOP_INTEGER, Blob, Fixes, Record, Refused, Report, SignedRecord
from mqtt.evidence.chain import link_of
from mqtt.messages import MessageError, SignedReceipt, utc_ms

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


class Announced(msgspec.Struct, frozen=True):
    """An attachment that a good record names, as it is sent."""

    sha: str  # of the sealed bytes
    sealed_bytes: int


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A signed record with the verdict: good, not good with its fault, or, with neither, not checked."""

    record: Record
    link: str
    claims: Claims
    good: bool = False
    fault: str | None = None
    receipt: SignedReceipt | None = None
    attachments: tuple[Announced, ...] = ()  # of a good record only: a forged one must not say how long a real attachment is

    @property
    def unit(self) -> str:
        """Whose topic it came on."""
        return self.record.unit


Storable = Fixes | Record | SignedRecord | Checked | Report | Blob | Refused


def unchecked(signed: SignedRecord) -> Checked:
    """A record that nobody could check: this receiver knows no authority."""
    return Checked(record=signed.record, link=link_of(signed.rec, signed.jws), claims=claims_of(signed.rec))


def claims_of(rec: str) -> Claims:
    """Read what can be read; never fails."""
    try:
        told = json.loads(rec)
    except (ValueError, RecursionError):
        return Claims()
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
