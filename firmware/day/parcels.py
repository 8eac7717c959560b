"""The parcels at the door: read, typed, counted, rejected, graded. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from firmware.day import load
from firmware.day.delivery import STEPS, advance, is_done, unscanned
from firmware.day.load import LONGEST_CODE, SOUNDS
from firmware.day.progress import Extra, Last, Mark, Parcel, Shortage, Verdict
from firmware.day.stops import is_open_count, number_of
from firmware.day.turn import PLAIN, Act, Turn, Word, on, refuse
from firmware.day.work import Scanned
from mqtt.run import Code, Line

Grade = Literal["good", "worn", "damaged"]
NOT_THERE = "not_there"
MOST_EXTRAS = 1_000  # as many as a line of a run may name


class Typed(msgspec.Struct, frozen=True):
    """A code read by eye."""

    code: Annotated[str, Meta(min_length=1, max_length=LONGEST_CODE, pattern=PLAIN)]


class LineFact(msgspec.Struct, frozen=True):
    """Of a line less was handed over than ordered."""

    line_id: Word
    qty_fact: Annotated[int, Meta(ge=0, le=100_000)]
    reason: Word | None = None


class Graded(msgspec.Struct, frozen=True):
    """How a returned parcel looks."""

    code: Code
    grade: Grade


class Absent(msgspec.Struct, frozen=True):
    """A parcel that should have been fetched and is not there."""

    code: Code


def scan(turn: Turn, scanned: Scanned) -> None:
    """A parcel is read: the last one of a delivery leads on to the next step; one that is fetched may still be graded."""
    stop, draft = turn.stop, turn.draft
    found = turn.work.codes.get(scanned.identity, ())
    here = [parcel for parcel in found if parcel.stop_id == stop.stop_id]
    left = unscanned(turn.work, stop, draft)
    fresh = next((parcel for parcel in here if parcel.code in left), None)
    if fresh:
        turn.on_draft(marks=draft.marks | {fresh.code: Mark(sym=scanned.symbology)})
        _tell(turn, fresh.code, "ok")
        if stop.service == "delivery" and draft.step == "scan" and is_done(turn.work, stop, turn.draft, "scan"):
            advance(turn)
    elif here:
        _tell(turn, here[0].code, "dup" if here[0].code in draft.marks else "rejected")
    elif found:
        _tell(turn, found[0].code, "wrong", found[0])
    elif is_open_count(stop):
        _count(turn, scanned)
    else:
        _tell(turn, scanned.code, "unknown")


def awaits(turn: Turn, scanned: Scanned) -> bool:
    """Whether this code is one of a parcel that is still to be read here; where they are only counted, any new one is."""
    stop, draft = turn.stop, turn.draft
    found = turn.work.codes.get(scanned.identity, ())
    if not found and is_open_count(stop):
        return all(extra.identity != scanned.identity for extra in draft.extras)
    left = unscanned(turn.work, stop, draft)
    return any(parcel.stop_id == stop.stop_id and parcel.code in left for parcel in found)


def read_by_eye(turn: Turn, given: Typed) -> None:
    """The driver typed the code that no scanner reads."""
    code = given.code.strip() or refuse("scan.empty")
    take = load.scan if turn.work.face.screen == "load" else scan
    take(turn, Scanned(code, "typed", turn.name_of(code)))


def short_line(turn: Turn, given: LineFact) -> None:
    """Of a line fewer pieces change hands; the full number takes a shortage back."""
    line = line_of(turn, given.line_id)
    draft = turn.draft
    if given.qty_fact > line.qty:
        refuse("line.too_many", n=line.qty)
    rest = {line_id: short for line_id, short in draft.shortages.items() if line_id != line.line_id}
    rejects = {code: reason for code, reason in draft.rejects.items() if code not in line.codes}
    if given.qty_fact < line.qty:
        reason = given.reason or refuse("reason.needed")
        if reason not in reasons(turn):
            refuse("reason.unknown")
        rest[line.line_id] = Shortage(qty_fact=given.qty_fact, reason=reason)
        rejects |= dict.fromkeys(_rejected(turn, line, given.qty_fact), reason)
    turn.on_draft(shortages=rest, rejects=rejects)
    if draft.step == "scan" and turn.work.face.screen == "scan" and is_done(turn.work, turn.stop, turn.draft, "scan"):
        advance(turn)


def grade(turn: Turn, given: Graded) -> None:
    """Say how a parcel that was fetched looks."""
    draft = turn.draft
    if given.code in draft.marks:
        turn.on_draft(marks=draft.marks | {given.code: replace(draft.marks[given.code], grade=given.grade)})
    elif any(extra.code == given.code for extra in draft.extras):
        extras = (replace(extra, grade=given.grade) if extra.code == given.code else extra for extra in draft.extras)
        turn.on_draft(extras=tuple(extras))
    else:
        refuse("scan.first")


def absent(turn: Turn, given: Absent) -> None:
    """A parcel that should be fetched is not there."""
    if turn.stop.service == "delivery" or given.code not in unscanned(turn.work, turn.stop, turn.draft):
        refuse("load.unknown_code")
    turn.on_draft(rejects=turn.draft.rejects | {given.code: NOT_THERE})
    if turn.draft.step == "scan" and is_done(turn.work, turn.stop, turn.draft, "scan"):
        advance(turn)


def line_of(turn: Turn, line_id: str | None) -> Line:
    """A line of the stop; refused where there is none of that id."""
    return next((line for line in turn.stop.lines if line.line_id == line_id), None) or refuse("line.unknown")


def reasons(turn: Turn) -> set[str]:
    """What the driver may give as a reason."""
    return {reason.code for reason in turn.run.plan.reasons} | {NOT_THERE}


def _rejected(turn: Turn, line: Line, qty_fact: int) -> list[str]:
    """Which parcels of a line stay when only so many go: never one that was read."""
    read = [code for code in line.codes if code in turn.draft.marks]
    if qty_fact < len(read):
        refuse("line.scanned", n=len(read))
    left = [code for code in line.codes if code not in turn.draft.marks and code not in turn.work.load.missing]
    uncoded = line.qty - len(line.codes)
    go = max(0, qty_fact - len(read) - uncoded)
    return left[go:]


def _count(turn: Turn, scanned: Scanned) -> None:
    """Nothing was named beforehand: what is read is counted, each code once."""
    extras = turn.draft.extras
    if any(extra.identity == scanned.identity for extra in extras):
        _tell(turn, scanned.code, "dup")
        return
    if len(scanned.code) > LONGEST_CODE:
        refuse("scan.too_long")
    if len(extras) >= MOST_EXTRAS:
        refuse("scan.too_many", n=MOST_EXTRAS)
    turn.on_draft(extras=(*extras, Extra(code=scanned.code, identity=scanned.identity, sym=scanned.symbology)))
    _tell(turn, scanned.code, "ok")


def _tell(turn: Turn, code: str, verdict: Verdict, parcel: Parcel | None = None) -> None:
    number = number_of(turn.work, parcel.stop_id) if parcel else None
    turn.on_draft(last=Last(code=code[:LONGEST_CODE], verdict=verdict, stop_no=number))
    turn.sound = SOUNDS[verdict]
    if verdict != "ok":
        turn.toast("dup" if verdict == "dup" else "wrong", f"scan.{verdict}", stop=number)


COMMANDS = {
    "pod.typed": Act(Typed, read_by_eye, on("scan", "load")),
    "pod.line": Act(LineFact, short_line, STEPS),
    "return.grade": Act(Graded, grade, STEPS),
    "return.absent": Act(Absent, absent, on("scan")),
}
