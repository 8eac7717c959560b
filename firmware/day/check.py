"""The vehicle check before and after the route (49 CFR 396.11). Pure."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from firmware.day.progress import Check, Defect
from firmware.day.proof import Attachment
from firmware.day.stops import codes_of
from firmware.day.turn import Act, Sentence, Turn, Word, on, refuse
from firmware.day.work import Screen, Work


class ItemAnswer(msgspec.Struct, frozen=True):
    """One item was looked at."""

    item_id: Word
    ok: bool
    note: Sentence = ""


class ItemName(msgspec.Struct, frozen=True):
    """One item."""

    item_id: Word


class Submit(msgspec.Struct, frozen=True):
    """The report is signed; with `all_ok` everything that was not answered is in order."""

    all_ok: bool = False


def answer(turn: Turn, given: ItemAnswer) -> None:
    """Say how one item is."""
    _known(turn, given.item_id)
    check = turn.work.day.check
    before = check.answers.get(given.item_id)
    photo = before.photo if before and not given.ok else None
    if given.ok:
        _forget(turn, before)
    answers = check.answers | {given.item_id: Defect(ok=given.ok, note=given.note, photo=photo, told=bool(before and before.told))}
    turn.day(check=replace(check, answers=answers, photo_for=None))


def ask_photo(turn: Turn, given: ItemName) -> None:
    """The next picture shows this defect."""
    _known(turn, given.item_id)
    found = turn.work.day.check.answers.get(given.item_id)
    if found is None or found.ok:
        refuse("check.no_defect")
    turn.day(check=replace(turn.work.day.check, photo_for=given.item_id))


def take_photo(turn: Turn, attachment: Attachment) -> None:
    """A defect's picture was taken."""
    check = turn.work.day.check
    found = check.answers.get(check.photo_for or "") or refuse("photo.not_now")
    _forget(turn, found)
    answers = check.answers | {check.photo_for or "": replace(found, photo=replace(attachment, kind="defect"), told=False)}
    turn.day(check=replace(check, answers=answers, photo_for=None))


def submit(turn: Turn, given: Submit) -> None:
    """Hand in the report; before the route, a safety defect that dispatch has not cleared keeps the vehicle where it is."""
    check, plan = turn.work.day.check, turn.run.plan
    unknown = [item.item_id for item in plan.checklist if item.item_id not in check.answers]
    if unknown and not given.all_ok:
        refuse("check.unanswered", n=len(unknown))
    answers = check.answers | {item_id: Defect(ok=True) for item_id in unknown}
    defects = tuple(item.item_id for item in plan.checklist if not answers[item.item_id].ok)
    safety = {item.item_id for item in plan.checklist if item.safety}
    blocked = tuple(item_id for item_id in defects if item_id in safety and item_id not in plan.cleared)
    turn.note(
        "check.done",
        phase=check.phase,
        driver=turn.work.day.driver,
        vehicle=plan.vehicle,
        defects=[_told(item_id, answers[item_id]) for item_id in defects],
        blocked=list(blocked),
    )
    answers = {item_id: replace(looked_at, told=True) for item_id, looked_at in answers.items()}
    turn.day(check=replace(check, answers=answers, blocked=blocked, old_defects=defects, photo_for=None))
    if check.phase == "after":
        turn.day(check=replace(turn.work.day.check, after_done=True, blocked=()))
        turn.show("end")
    elif blocked:
        turn.toast("wrong", "check.blocked", n=len(blocked))
    else:
        _pass(turn)


def begin(turn: Turn, check: Check) -> None:
    """Start a check anew; pictures that were never handed in go."""
    for given in turn.work.day.check.answers.values():
        _forget(turn, given)
    turn.day(check=check)


def unblock(turn: Turn) -> None:
    """Dispatch may have cleared what kept the vehicle."""
    check = turn.work.day.check
    blocked = tuple(item_id for item_id in check.blocked if item_id not in turn.run.plan.cleared)
    if blocked == check.blocked:
        return
    turn.day(check=replace(check, blocked=blocked))
    if not blocked and turn.work.face.screen == "check":
        turn.toast("ok", "check.cleared")
        _pass(turn)


def after_sign_in(work: Work) -> Screen:
    """The first screen that is still to be done before the route."""
    if work.run and work.run.plan.checklist and not work.day.check.passed:
        return "check"
    expects = any(any(codes_of(stop)) for stop in work.run.plan.stops if stop.service == "delivery") if work.run else False
    return "load" if expects and not work.load.done else "route"


def _forget(turn: Turn, given: Defect | None) -> None:
    if given and not given.told:
        turn.drop(given.photo)


def _pass(turn: Turn) -> None:
    turn.day(check=replace(turn.work.day.check, passed=True))
    turn.show(after_sign_in(turn.work))


def _known(turn: Turn, item_id: str) -> None:
    if all(item.item_id != item_id for item in turn.run.plan.checklist):
        refuse("check.unknown_item")


def _told(item_id: str, defect: Defect) -> dict[str, Any]:
    photo = defect.photo
    return {"item_id": item_id, "note": defect.note} | ({"photo": msgspec.to_builtins(photo)} if photo else {})


COMMANDS = {
    "check.item": Act(ItemAnswer, answer, on("check")),
    "check.photo": Act(ItemName, ask_photo, on("check")),
    "check.submit": Act(Submit, submit, on("check")),
}
