"""What the page shows of one stop and its proof. Pure."""

from __future__ import annotations

from typing import Any

from firmware.day import exceptions, handover, payment
from firmware.day.delivery import is_done, lacks, signature_state, unscanned
from firmware.day.ending import window_ms
from firmware.day.photos import WHY_NONE, reason_of_plan
from firmware.day.pins import locked_ms, tries_left
from firmware.day.progress import Draft, Photo, Step, StopWork
from firmware.day.record import flags_of, items_of
from firmware.day.stops import codes_of, is_open_count, need_of, number_of, parcels_of, place_m, radius_m, state_of, steps_of, stops_of
from firmware.day.work import Moment, Work
from firmware.driving.geofence import inside
from mqtt.run import Cod, Line, Stop

PIN_DIGITS = 4  # the hash does not tell; longer ones are typed all the same
DETOUR = 1.3  # roads are longer than straight lines, in towns by about a third
PACE_MPS = 8.3  # 30 km/h, a van's mean between stops in a town


def stop_card(work: Work, stop: Stop, moment: Moment, number: int | None = None) -> dict[str, Any]:
    """One stop, as every screen names it; `number` where its place in the order is known."""
    begin_ms, end_ms = window_ms(stop)
    away_m = place_m(stop, moment)
    return {
        "stop_id": stop.stop_id,
        "no": number or number_of(work, stop.stop_id),
        "service": stop.service,
        "address": stop.address,
        "detail": stop.detail,
        "contact": stop.contact.name,
        "phone": stop.contact.phone,
        "window": None if begin_ms is None else {"begin_ms": begin_ms, "end_ms": end_ms},
        "note": stop.note,
        "parcels": parcels_of(stop),
        "cod": money(stop.cod, stop.cod.amount) if stop.cod else None,
        "state": state_of(work, stop.stop_id),
        "distance_m": away_m,
        "eta_ms": eta_ms(stop, moment),
        "kept": work.stops.get(stop.stop_id, StopWork()).kept,
    }


def eta_ms(stop: Stop, moment: Moment) -> int | None:
    """When the vehicle may be there, from the straight line alone; None where either place is unknown."""
    away_m = place_m(stop, moment)
    return None if away_m is None else moment.at_ms + round(1000 * away_m * DETOUR / PACE_MPS)


def money(due: Cod, amount: int) -> dict[str, Any]:
    """An amount in the currency of what is due."""
    return {"amount": amount, "currency": due.currency, "digits": due.digits}


def stop_view(work: Work, stop: Stop, moment: Moment) -> dict[str, Any]:
    """S6."""
    progress = work.stops.get(stop.stop_id, StopWork())
    away_m = place_m(stop, moment)
    return {
        "stop": stop_card(work, stop, moment),
        "lines": _lines(work, stop, progress.draft),
        "needs": list(steps_of(work, stop, progress.draft)),
        "radius_m": radius_m(stop),
        "inside": None if away_m is None else inside(away_m, radius_m(stop), was_inside=False),
        "contactless": stop.contactless,
        "no": number_of(work, stop.stop_id),
        "total": len(stops_of(work)),
        "can_correct": progress.done is not None,
        "begun": progress.draft is not None,
    }


def scan_view(work: Work, stop: Stop, draft: Draft, moment: Moment) -> dict[str, Any]:
    """S7a and S9."""
    total = parcels_of(stop) if is_open_count(stop) else sum(1 for _ in codes_of(stop))
    done = len(draft.extras) if is_open_count(stop) else total - len(unscanned(work, stop, draft))
    return _step_view(work, stop, draft, moment, "scan") | {
        "lines": _lines(work, stop, draft),
        "extras": [{"code": extra.code, "grade": extra.grade} for extra in draft.extras],
        "done": done,
        "total": total,
        "last": None if draft.last is None else {"code": draft.last.code, "verdict": draft.last.verdict, "stop_no": draft.last.stop_no},
        "can_skip": need_of(work, stop, "scan") != "required" or is_done(work, stop, draft, "scan"),
        "camera": moment.camera,
    }


def photo_view(work: Work, stop: Stop, draft: Draft, moment: Moment) -> dict[str, Any]:
    """S7b."""
    return _step_view(work, stop, draft, moment, "photo") | {
        "camera": moment.camera,
        "review": _review(draft.photo),
        "can_skip": need_of(work, stop, "photo") != "required" or moment.camera != "ok" or moment.disk_full,
        "reasons": list(WHY_NONE),
    }


def cod_view(work: Work, stop: Stop, draft: Draft, moment: Moment) -> dict[str, Any]:
    """S10."""
    due, paid = stop.cod, draft.payment
    if due is None:
        return _step_view(work, stop, draft, moment, "cod")
    return _step_view(work, stop, draft, moment, "cod") | {
        "due": money(due, due.amount),
        "chips": [money(due, amount) for amount in payment.chips(due)],
        "given": None if paid.given is None else money(due, paid.given),
        "change": None if paid.given is None else money(due, paid.given - due.amount),
        "methods": list(due.methods),
        "method": paid.method,
        "reference": paid.reference,
        "needs_reference": paid.method == "card",
    }


def pin_view(work: Work, stop: Stop, draft: Draft, moment: Moment) -> dict[str, Any]:
    """The recipient's PIN."""
    return _step_view(work, stop, draft, moment, "pin") | {
        "digits": PIN_DIGITS,
        "tries_left": tries_left(draft.pin_tries, moment),
        "locked_ms": locked_ms(draft.pin_tries, moment),
        "can_skip": need_of(work, stop, "pin") != "required",
    }


def sign_view(work: Work, stop: Stop, draft: Draft, moment: Moment) -> dict[str, Any]:
    """S7c: what is signed for."""
    items = items_of(work, stop, draft)
    names = {line.line_id: line.name for line in stop.lines}
    facts = {line_id: sum(item.qty_fact for item in items if item.line_id == line_id) for line_id in names}
    return _step_view(work, stop, draft, moment, "sign") | {
        "parcels": sum(item.qty_fact for item in items),
        "lines_text": [f"{facts[line_id]} × {name}" for line_id, name in names.items() if facts[line_id]],  # noqa: RUF001 - the sign for times
        "who": draft.name or stop.contact.name,
        "state": draft.signature_state,
        "can_skip": need_of(work, stop, "sign") != "required",
    }


def rate_view(work: Work, stop: Stop, draft: Draft, moment: Moment) -> dict[str, Any]:
    """The recipient's one tap."""
    return _step_view(work, stop, draft, moment, "rate")


def name_view(work: Work, stop: Stop, draft: Draft, moment: Moment) -> dict[str, Any]:
    """S7d."""
    items = items_of(work, stop, draft)
    missing = lacks(work, stop, draft)
    paid = payment.settled(stop.cod, draft.payment)
    names = {"recipient": stop.contact.name}
    return _step_view(work, stop, draft, moment, "name") | {
        "chips": [{"relation": relation, "name": names.get(relation, "")} for relation in handover.relations(stop)],
        "name": draft.name,
        "relation": draft.relation,
        "summary": {
            "parcels": sum(item.qty_fact for item in items),
            "photo": draft.photo is not None,
            "signature": signature_state(draft),
            "cash": money(stop.cod, paid.amount) if stop.cod and paid else None,
            "missing": sum(item.qty - item.qty_fact for item in items),
        },
        "ready": not missing,
        "lacks": list(missing),
        "flags": list(flags_of(work, stop, draft, moment, failed=False)),
        "corrects": draft.corrects is not None,
        "note": draft.note,
    }


def exception_view(work: Work, stop: Stop, draft: Draft, moment: Moment) -> dict[str, Any]:
    """S8."""
    trouble = draft.trouble
    reasons = work.run.plan.reasons if work.run else ()
    chosen = reason_of_plan(reasons, trouble.reason if trouble else None)
    ready = trouble is not None and exceptions.is_ready(trouble, chosen)
    photo = trouble.photo if trouble else None
    wants_photo = chosen is not None and chosen.photo != "disabled" and (photo is None or not photo.kept)
    excused = trouble is not None and trouble.no_photo is not None
    return {
        "stop": stop_card(work, stop, moment),
        "scope": trouble.scope if trouble else "stop",
        "line_id": trouble.line_id if trouble else None,
        "reasons": [{"code": reason.code, "name": reason.name, "photo": reason.photo} for reason in reasons],
        "reason": chosen.code if chosen else None,
        "step": "reason" if chosen is None else "photo" if wants_photo and not excused else "confirm",
        "camera": moment.camera,
        "review": _review(photo),
        "can_skip": chosen is not None and (chosen.photo != "required" or moment.camera != "ok" or moment.disk_full),
        "ready": ready,
    }


def _step_view(work: Work, stop: Stop, draft: Draft, moment: Moment, step: Step) -> dict[str, Any]:
    return {
        "stop": stop_card(work, stop, moment),
        "steps": [{"name": name, "state": _step_state(work, stop, draft, name)} for name in steps_of(work, stop, draft)],
        "need": need_of(work, stop, step),
    }


def _step_state(work: Work, stop: Stop, draft: Draft, step: Step) -> str:
    if step == draft.step:
        return "now"
    return "done" if is_done(work, stop, draft, step) else "todo"


def _review(photo: Photo | None) -> dict[str, Any] | None:
    return None if photo is None else {"sha256": photo.attachment.sha256, "warning": None if photo.kept else photo.warning}


def _lines(work: Work, stop: Stop, draft: Draft | None) -> list[dict[str, Any]]:
    return [_line(work, line, draft) for line in stop.lines]


def _line(work: Work, line: Line, draft: Draft | None) -> dict[str, Any]:
    short = draft.shortages.get(line.line_id) if draft else None
    return {
        "line_id": line.line_id,
        "name": line.name,
        "qty": line.qty,
        "qty_fact": short.qty_fact if short else line.qty,
        "unit": line.unit,
        "codes": [_code(work, code, draft) for code in line.codes],
        "weight_g": line.weight_g,
        "reason": short.reason if short else None,
    }


def _code(work: Work, code: str, draft: Draft | None) -> dict[str, Any]:
    mark = draft.marks.get(code) if draft else None
    state = "scanned" if mark else "open"
    if code in work.load.missing:
        state = "missing"
    elif draft and code in draft.rejects:
        state = "rejected"
    return {"code": code, "state": state, "grade": mark.grade if mark else None}
