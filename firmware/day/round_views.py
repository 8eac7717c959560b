"""What the page shows of the round: sign-in, check, load, road, messages, end. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from firmware.day import ending, load, messages
from firmware.day.pins import locked_ms, tries_left
from firmware.day.stop_views import PIN_DIGITS, eta_ms, stop_card
from firmware.day.stops import OPEN, next_stop, number_of, state_of, stops_of, unread
from firmware.day.turn import is_moving
from firmware.day.work import Moment, Work
from mqtt.messages import MessageError, utc_ms
from mqtt.run import CheckItem, Notice

MINUTE_MS = 60_000


def boot_view(_work: Work, _moment: Moment, bar: dict[str, Any]) -> dict[str, Any]:
    """S0: what the server knows of the devices."""
    return {"checks": bar.get("checks", []), "version": bar.get("version", ""), "unit": bar.get("unit", ""), "qr": bar.get("qr")}


def signin_view(work: Work, moment: Moment, _bar: dict[str, Any]) -> dict[str, Any]:
    """S1."""
    drivers = work.run.plan.drivers if work.run else []
    return {
        "drivers": [{"driver_id": driver.driver_id, "name": driver.name} for driver in drivers],
        "digits": PIN_DIGITS,
        "tries_left": tries_left(work.day.tries, moment),
        "locked_ms": locked_ms(work.day.tries, moment),
        "has_run": work.run is not None,
        "badge": any(driver.badge for driver in drivers),
    }


def check_view(work: Work, moment: Moment, _bar: dict[str, Any]) -> dict[str, Any]:
    """S2."""
    check = work.day.check
    return {
        "phase": check.phase,
        "items": [_item(work, item) for item in (work.run.plan.checklist if work.run else ())],
        "odometer_km": None if moment.odometer_m is None else round(moment.odometer_m / 1000),
        "blocked": list(check.blocked),
        "photo_for": check.photo_for,
        "vehicle": work.run.plan.vehicle if work.run else "",
        "camera": moment.camera,
    }


def load_view(work: Work, _moment: Moment, _bar: dict[str, Any]) -> dict[str, Any]:
    """S3."""
    awaited, state = load.expected(work), work.load
    last = state.last
    return {
        "total": len(awaited),
        "loaded": sum(code in state.loaded for code in awaited),
        "wrong": state.wrong,
        "last": None if last is None else {"code": last.code, "verdict": last.verdict, "stop_no": last.stop_no, "shelf": last.shelf},
        "missing": [
            {"code": code, "stop_no": number_of(work, parcel.stop_id), "reason": state.missing.get(code)}
            for code, parcel in awaited.items()
            if code not in state.loaded
        ],
        "reasons": list(load.REASONS),
    }


def drive_view(work: Work, moment: Moment, bar: dict[str, Any]) -> dict[str, Any]:
    """S4: nothing on it is to be read for long or typed."""
    stop = next_stop(work) if work.day.driver else None
    card = stop_card(work, stop, moment) if stop else None
    return {
        "next": card,
        "distance_m": card["distance_m"] if card else None,
        "eta_ms": card["eta_ms"] if card else None,
        "locked": is_moving(work, moment),
        **_round(work, moment, bar),
    }


def route_view(work: Work, moment: Moment, bar: dict[str, Any]) -> dict[str, Any]:
    """S5."""
    stop = next_stop(work)
    return {
        "stops": [stop_card(work, other, moment, number) for number, other in enumerate(stops_of(work), 1)],
        "current": stop.stop_id if stop else None,
        **_round(work, moment, bar),
    }


def messages_view(work: Work, _moment: Moment, _bar: dict[str, Any]) -> dict[str, Any]:
    """S11."""
    replies = work.run.plan.replies if work.run else []
    offer = work.offer
    return {
        "items": [_notice(work, notice) for notice in messages.newest_first(work)],
        "replies": [{"text": text} for text in replies] or [{"key": key} for key in messages.REPLIES],
        "offer": None
        if offer is None
        else {"added": offer.added, "removed": offer.removed, "changed": offer.changed, "called": offer.called},
        "phone": work.run.plan.phone if work.run else "",
    }


def end_view(work: Work, moment: Moment, _bar: dict[str, Any]) -> dict[str, Any]:
    """S12."""
    due = [msgspec.to_builtins(money) for money in ending.expected_cash(work)]
    return {
        **ending.totals(work, moment),
        "aboard": [msgspec.to_builtins(parcel) for parcel in ending.still_aboard(work)],
        "cash_expected": due,
        "cash_counted": None if work.day.counted is None or not due else due[0] | {"amount": work.day.counted},
        "queue": moment.queue,
        "checked": work.day.check.after_done,
        "driver": driver_name(work) or "",
    }


def driver_name(work: Work) -> str | None:
    """Who is signed in."""
    drivers = work.run.plan.drivers if work.run else []
    return next((driver.name for driver in drivers if driver.driver_id == work.day.driver), work.day.driver)


def _round(work: Work, moment: Moment, _bar: dict[str, Any]) -> dict[str, Any]:
    stops = stops_of(work)
    where = moment.position
    return {
        "done": sum(state_of(work, stop.stop_id) not in OPEN for stop in stops),
        "total": len(stops),
        "deviation_min": _deviation_min(work, moment),
        "unread": unread(work),
        "map": {
            "here": None if where is None else {"lat": where.lat_deg, "lon": where.lon_deg, "course_deg": where.course_deg},
            "stops": [
                {
                    "stop_id": stop.stop_id,
                    "no": number,
                    "lat": stop.place.latitude,
                    "lon": stop.place.longitude,
                    "state": state_of(work, stop.stop_id),
                }
                for number, stop in enumerate(stops, 1)
                if stop.place
            ],
        },
    }


def _deviation_min(work: Work, moment: Moment) -> int | None:
    """Minutes after the next stop's window, below zero before it, 0 within; None without a window or a position."""
    stop = next_stop(work)
    there_ms = eta_ms(stop, moment) if stop else None
    begin_ms, end_ms = ending.window_ms(stop) if stop else (None, None)
    if there_ms is None or begin_ms is None or end_ms is None:
        return None
    late_ms = max(0, there_ms - end_ms) or min(0, there_ms - begin_ms)
    return round(late_ms / MINUTE_MS)


def _item(work: Work, item: CheckItem) -> dict[str, Any]:
    given = work.day.check.answers.get(item.item_id)
    return {
        "item_id": item.item_id,
        "name": item.name,
        "ok": given.ok if given else None,
        "safety": item.safety,
        "old_defect": item.item_id in work.day.check.old_defects,
        "photo": given is not None and given.photo is not None,
        "note": given.note if given else "",
    }


def _notice(work: Work, notice: Notice) -> dict[str, Any]:
    try:
        t_ms = utc_ms(notice.t)
    except MessageError:
        t_ms = 0
    return {
        "message_id": notice.message_id,
        "t_ms": t_ms,
        "text": notice.text,
        "urgent": notice.urgent,
        "read": notice.message_id in work.day.read,
        "reply": work.day.replies.get(notice.message_id),
    }
