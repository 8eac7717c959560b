"""What the record says of a stop: items, outcome, flags. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import msgspec
from msgspec.structs import replace

from firmware.day.delivery import unscanned
from firmware.day.parcels import NOT_THERE
from firmware.day.progress import Draft, Extra
from firmware.day.proof import Attachment, Item
from firmware.day.stops import FAR_M, is_open_count, need_of, place_m, radius_m
from firmware.day.turn import FRESH_MS
from firmware.day.work import Moment, Work
from mqtt.evidence.record import Outcome
from mqtt.run import Line, Stop

MOST_ITEMS = 2_000  # of one record
MOST_BYTES = 450_000  # of its items: a record of 500,000 characters holds them and the rest
DELIVERED = {
    "recipient": "delivered_to_recipient",
    "mailbox": "delivered_to_mailbox",
    "safe_place": "delivered_to_safe_place",
    "pickup_point": "delivered_to_pickup_point",
}
PICKED_UP = {
    "mailbox": "picked_up_unmanned",
    "safe_place": "picked_up_unmanned",
    "pickup_point": "picked_up_from_locker",
    "other": "picked_up_other",
}


def items_of(work: Work, stop: Stop, draft: Draft, *, failed: str | None = None) -> tuple[Item, ...]:
    """What became of each parcel; with `failed` nothing was handed over, for that reason."""
    lone = len(stop.lines) == 1 and is_open_count(stop)
    items = [item for line in stop.lines for item in _line(work, line, draft, draft.extras if lone else (), failed)]
    if not lone and not failed:
        items += [_extra(extra, None) for extra in draft.extras]
    return tuple(items)


def condensed(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items as a record can hold them: where one a parcel is too much, alike ones as one, of a line or, if need be, of the stop."""
    if _fits(items):
        return items
    by_line = _alike(items)
    return by_line if _fits(by_line) else _alike(tuple(replace(item, line_id=None) for item in items))


def known_outcome(outcome: str) -> str:
    """A run's word for a failure, if the contract has it."""
    return outcome if outcome in get_args(Outcome) else "failed_other"


def outcome_of(stop: Stop, relation: str | None) -> str:
    """The contract's word for something that was handed over."""
    if stop.service == "delivery":
        return DELIVERED.get(relation or "recipient", "delivered_to_third_party")
    return PICKED_UP.get(relation or "recipient", "picked_up_from_customer")


def flags_of(work: Work, stop: Stop, draft: Draft, moment: Moment, *, failed: bool) -> tuple[str, ...]:
    """What is remarkable about how it was proved; nothing of it kept the driver from confirming."""
    return tuple(sorted({*_about_place(stop, moment), *_about_exception(draft), *(() if failed else _about_steps(work, stop, draft))}))


def attachments_of(draft: Draft | None) -> list[Attachment]:
    """Everything that a proof in the making refers to."""
    if draft is None:
        return []
    photos = [draft.photo, draft.trouble.photo if draft.trouble else None]
    taken = [*(photo.attachment for photo in photos if photo), *draft.line_photos]
    return [*taken, draft.signature] if draft.signature else taken


def _fits(items: tuple[Item, ...]) -> bool:
    return len(items) <= MOST_ITEMS and len(msgspec.json.encode(items)) <= MOST_BYTES


def _alike(items: tuple[Item, ...]) -> tuple[Item, ...]:
    found: dict[Item, list[Item]] = {}
    for item in items:
        found.setdefault(replace(item, code=None, qty=0, qty_fact=0), []).append(item)
    return tuple(
        replace(kind, qty=sum(item.qty for item in group), qty_fact=sum(item.qty_fact for item in group)) for kind, group in found.items()
    )


def _line(work: Work, line: Line, draft: Draft, extras: tuple[Extra, ...], failed: str | None) -> Iterator[Item]:
    coded = [_parcel(work, line, code, draft, failed) for code in line.codes]
    counted = [] if failed else [_extra(extra, line.line_id) for extra in extras]
    yield from coded
    yield from counted
    rest = line.qty - len(coded) - len(counted)
    if rest <= 0:
        return
    short = draft.shortages.get(line.line_id)
    fact, reason = rest, None
    if failed:
        fact, reason = 0, short.reason if short else failed
    elif short:
        fact = max(0, min(rest, short.qty_fact - sum(item.qty_fact for item in [*coded, *counted])))
        reason = short.reason if fact < rest else None
    elif counted:
        fact, reason = 0, NOT_THERE
    yield Item(code=None, sym=None, line_id=line.line_id, state="counted" if fact else "rejected", qty=rest, qty_fact=fact, reason=reason)


def _parcel(work: Work, line: Line, code: str, draft: Draft, failed: str | None) -> Item:
    missing = work.load.missing.get(code)
    reason = missing or draft.rejects.get(code) or failed
    mark = draft.marks.get(code)
    if reason:
        return Item(
            code=code,
            sym=mark.sym if mark else None,
            line_id=line.line_id,
            state="missing" if missing else "rejected",
            qty=1,
            qty_fact=0,
            reason=reason,
        )
    if mark is None:
        return Item(code=code, sym=None, line_id=line.line_id, state="unscanned", qty=1, qty_fact=1)
    return Item(code=code, sym=mark.sym, line_id=line.line_id, state="scanned", qty=1, qty_fact=1, grade=mark.grade)


def _extra(extra: Extra, line_id: str | None) -> Item:
    return Item(
        code=extra.code, sym=extra.sym, line_id=line_id, state="scanned" if line_id else "extra", qty=1, qty_fact=1, grade=extra.grade
    )


def _about_place(stop: Stop, moment: Moment) -> Iterator[str]:
    away_m = place_m(stop, moment)
    if moment.position is None or moment.position.age_ms > FRESH_MS:
        yield "no_position"
    elif away_m is not None and away_m > max(FAR_M, radius_m(stop)):
        yield "far"
    if moment.moving or (moment.moving is None and moment.ignition):
        yield "moving"
    if moment.src == "floor":
        yield "clock"


def _about_exception(draft: Draft) -> Iterator[str]:
    photos = [draft.photo, draft.trouble.photo if draft.trouble else None]
    yield from (f"photo_{photo.warning}" for photo in photos if photo and photo.warning)
    if draft.trouble and draft.trouble.no_photo:
        yield "no_photo"


def _about_steps(work: Work, stop: Stop, draft: Draft) -> Iterator[str]:
    if draft.corrects:
        return
    if draft.photo is None and need_of(work, stop, "photo") in {"required", "warn"}:
        yield "no_photo" if need_of(work, stop, "photo") == "required" else "photo_skipped"
    if need_of(work, stop, "scan") == "warn" and unscanned(work, stop, draft):
        yield "scan_skipped"
    if need_of(work, stop, "pin") != "disabled" and not draft.pin_passed:
        yield "pin_skipped"
    if need_of(work, stop, "sign") == "warn" and draft.signature_state is None:
        yield "signature_skipped"
    if need_of(work, stop, "name") == "warn" and not draft.name:
        yield "name_skipped"
