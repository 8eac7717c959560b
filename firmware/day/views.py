"""What the page shows, as plain data: keys for the words, raw values for everything else. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from firmware.day import round_views, stop_views
from firmware.day.closing import undo_left_ms
from firmware.day.load import LONGEST_CODE
from firmware.day.progress import Draft
from firmware.day.roads import settled_screen
from firmware.day.stops import find_stop
from firmware.day.turn import is_moving
from firmware.day.work import Moment, Screen, Work
from mqtt.run import Stop

CARD_SCREENS = ("route", "drive", "stop", "end")  # where a newer run may ask; never in the middle of a proof
ROUND: dict[Screen, Callable[[Work, Moment, dict[str, Any]], dict[str, Any]]] = {
    "boot": round_views.boot_view,
    "signin": round_views.signin_view,
    "check": round_views.check_view,
    "load": round_views.load_view,
    "drive": round_views.drive_view,
    "route": round_views.route_view,
    "messages": round_views.messages_view,
    "end": round_views.end_view,
}
PROOF: dict[Screen, Callable[[Work, Stop, Draft, Moment], dict[str, Any]]] = {
    "scan": stop_views.scan_view,
    "photo": stop_views.photo_view,
    "cod": stop_views.cod_view,
    "pin": stop_views.pin_view,
    "sign": stop_views.sign_view,
    "rate": stop_views.rate_view,
    "name": stop_views.name_view,
    "exception": stop_views.exception_view,
}


def view(work: Work, moment: Moment, bar: dict[str, Any]) -> dict[str, Any]:
    """The page of this moment; `bar` is what the server knows besides, for the boot screen."""
    shown = work.practice or work
    screen = shown_screen(shown, moment)
    face = shown.face
    return {
        "screen": screen,
        "lang": face.lang,
        "theme": face.theme,
        "hand": face.hand,
        "training": work.practice is not None,
        "moving": is_moving(shown, moment),
        "overlay": _overlay(shown, moment, screen),
        "toast": None if face.toast is None else msgspec.to_builtins(face.toast) | {"args": face.toast.args},
        "bar": {"driver": round_views.driver_name(shown)},
        "d": _data(shown, screen, moment, bar),
    }


def shown_screen(work: Work, moment: Moment) -> Screen:
    """The work's screen; while the vehicle moves, the one for driving."""
    screen = settled_screen(work, moment)
    return "drive" if is_moving(work, moment) and screen != "boot" else screen


def _data(work: Work, screen: Screen, moment: Moment, bar: dict[str, Any]) -> dict[str, Any]:
    if screen in ROUND:
        return ROUND[screen](work, moment, bar)
    stop = find_stop(work, work.day.current)
    assert stop is not None  # settled_screen goes elsewhere without one
    progress = work.stops.get(stop.stop_id)
    draft = progress.draft if progress else None
    if screen == "stop" or draft is None:
        return stop_views.stop_view(work, stop, moment)
    return PROOF[screen](work, stop, draft, moment)


def _overlay(work: Work, moment: Moment, screen: Screen) -> dict[str, Any] | None:
    left_ms = undo_left_ms(work, moment)
    if work.pending and left_ms:
        return {"kind": "undo", "left_ms": left_ms, "address": work.pending.address, "outcome": work.pending.proof.outcome}
    if work.face.choice and not is_moving(work, moment):
        return {"kind": "choice", "codes": [code.code[:LONGEST_CODE] for code in work.face.choice]}
    offer = work.offer
    if offer is None or offer.called or screen not in CARD_SCREENS or is_moving(work, moment):
        return None
    return {"kind": "run", "added": offer.added, "removed": offer.removed, "changed": offer.changed}
