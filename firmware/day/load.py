"""The load scan: expected, wrong, twice, missing with a reason. Pure."""

from __future__ import annotations

import msgspec

from firmware.day.progress import Last, Parcel, Verdict
from firmware.day.stops import codes_of, find_stop, need_of, number_of, state_of
from firmware.day.turn import Act, Nothing, Turn, Word, on, refuse
from firmware.day.work import Scanned, Sound, Work
from mqtt.run import Code

SOUNDS: dict[Verdict, Sound] = {"ok": "accept", "dup": "duplicate", "wrong": "wrong", "unknown": "wrong", "rejected": "wrong"}
LONGEST_CODE = 128  # characters that are worth showing: no parcel of a run has a longer one
REASONS = ("missing", "damaged", "no_space", "other")  # why a parcel does not ride along


class Missing(msgspec.Struct, frozen=True):
    """A parcel that is not there, or cannot ride along."""

    code: Code
    reason: Word


def expected(work: Work) -> dict[str, Parcel]:
    """The parcels that must be in the vehicle when it leaves, by code."""
    return {
        code: Parcel(stop_id=stop.stop_id, line_id=line.line_id, code=code)
        for stop in (work.run.plan.stops if work.run else [])
        if stop.service == "delivery" and state_of(work, stop.stop_id) in {"open", "arrived"}
        for line, code in codes_of(stop)
    }


def scan(turn: Turn, scanned: Scanned) -> None:
    """A parcel goes into the vehicle. One that was reported missing and turns up is simply loaded."""
    found = turn.work.codes.get(scanned.identity, ())
    awaited = expected(turn.work)
    parcels = [parcel for parcel in found if parcel.code in awaited]
    fresh = next((parcel for parcel in parcels if parcel.code not in turn.work.load.loaded), None)
    if fresh:
        load = turn.work.load
        turn.load(
            loaded=load.loaded | {fresh.code: scanned.symbology},
            missing={code: reason for code, reason in load.missing.items() if code != fresh.code},
        )
        _tell(turn, scanned, "ok", fresh)
    elif parcels:
        _tell(turn, scanned, "dup", parcels[0])
    else:
        _put_aside(turn, scanned, found[0] if found else None)


def awaits(work: Work, scanned: Scanned) -> bool:
    """Whether this code is one of a parcel that is still to be loaded."""
    awaited = expected(work)
    return any(parcel.code in awaited and parcel.code not in work.load.loaded for parcel in work.codes.get(scanned.identity, ()))


def report_missing(turn: Turn, given: Missing) -> None:
    """A parcel stays behind: it cannot be delivered today."""
    if given.code not in expected(turn.work):
        refuse("load.unknown_code")
    if given.reason not in REASONS:
        refuse("reason.unknown")
    load = turn.work.load
    turn.load(
        missing=load.missing | {given.code: given.reason},
        loaded={code: sym for code, sym in load.loaded.items() if code != given.code},
    )


def unaccounted(work: Work) -> list[str]:
    """Codes that were neither scanned nor reported missing."""
    return [code for code in expected(work) if code not in work.load.loaded and code not in work.load.missing]


def finish(turn: Turn, _: Nothing) -> None:
    """Leave with what is loaded. Where the fleet requires scans, every parcel must be accounted for while there is a camera."""
    left = unaccounted(turn.work)
    awaited = expected(turn.work)
    required = [code for code in left if _requires_scan(turn.work, awaited[code].stop_id)]
    if required and turn.moment.camera == "ok":
        refuse("load.unaccounted", n=len(required))
    load = turn.load(done=True)
    turn.note(
        "load.done",
        total=len(awaited),
        loaded=sum(code in load.loaded for code in awaited),
        unscanned=len(left),
        wrong=load.wrong,
        missing=[{"code": code, "reason": reason} for code, reason in load.missing.items()],
    )
    turn.show("route")


def _requires_scan(work: Work, stop_id: str) -> bool:
    stop = find_stop(work, stop_id)
    return stop is not None and need_of(work, stop, "scan") == "required"


def _put_aside(turn: Turn, scanned: Scanned, parcel: Parcel | None) -> None:
    """A parcel that does not belong here, counted and told once though its label may be read several times in a hand."""
    before = turn.work.load.last
    _tell(turn, scanned, "wrong" if parcel else "unknown", parcel)
    last = turn.work.load.last
    if last != before:
        turn.load(wrong=turn.work.load.wrong + 1)
        turn.note("load.wrong", code=scanned.code[:LONGEST_CODE])


def _tell(turn: Turn, scanned: Scanned, verdict: Verdict, parcel: Parcel | None) -> None:
    number = number_of(turn.work, parcel.stop_id) if parcel else None
    stop = find_stop(turn.work, parcel.stop_id) if parcel else None
    shelf = next((line.shelf for line in stop.lines if parcel and line.line_id == parcel.line_id), "") if stop else ""
    turn.load(last=Last(code=parcel.code if parcel else scanned.code[:LONGEST_CODE], verdict=verdict, stop_no=number, shelf=shelf))
    turn.sound = SOUNDS[verdict]
    if verdict == "ok":
        return
    turn.toast("dup" if verdict == "dup" else "wrong", f"load.{verdict}", stop=number)


COMMANDS = {
    "load.missing": Act(Missing, report_missing, on("load")),
    "load.done": Act(Nothing, finish, on("load")),
}
