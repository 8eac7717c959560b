"""What could not be handed over: reason, picture, and what becomes of it. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from firmware.day import closing
from firmware.day.delivery import STEPS, advance, hand_out, is_done, is_kept, open_draft
from firmware.day.parcels import line_of
from firmware.day.photos import reason_of
from firmware.day.progress import Draft, Shortage, Trouble
from firmware.day.stops import OPEN, next_stop, state_of, steps_of
from firmware.day.turn import Act, Nothing, Sentence, Turn, Word, on, refuse
from mqtt.run import Reason

MOST_LINE_PHOTOS = 28  # a record answers for 32 files, and the hand-over has its own


class Start(msgspec.Struct, frozen=True):
    """What it is about: the whole stop, or one line of it."""

    scope: Literal["stop", "parcel"] = "stop"
    line_id: Word | None = None


class Why(msgspec.Struct, frozen=True):
    """The reason, out of the run's."""

    code: Word
    note: Sentence | None = None


def start(turn: Turn, given: Start) -> None:
    """Say that something cannot be handed over."""
    if turn.work.face.screen in {"route", "drive"}:
        stop = next_stop(turn.work) or refuse("stop.none_left")
        turn.day(current=stop.stop_id)
    if given.scope == "parcel":
        line_of(turn, given.line_id)
        if len(turn.progress.draft.line_photos if turn.progress.draft else ()) >= MOST_LINE_PHOTOS:
            refuse("exception.too_many", n=MOST_LINE_PHOTOS)
    begin(turn, scope=given.scope, line_id=given.line_id)


def begin(turn: Turn, *, scope: Literal["stop", "parcel"] = "stop", line_id: str | None = None, reason: str | None = None) -> None:
    """Open the exception's screen; what the proof holds so far stays."""
    hand_out(turn)
    stop, draft = turn.stop, turn.progress.draft
    if draft is None:
        if state_of(turn.work, stop.stop_id) not in {*OPEN, "failed"}:
            refuse("stop.done")
        draft = Draft(step=steps_of(turn.work, stop)[0])
        open_draft(turn, stop, draft)
    if draft.trouble and draft.trouble.photo:
        turn.drop(draft.trouble.photo.attachment)
    turn.on_draft(trouble=Trouble(scope=scope, line_id=line_id if scope == "parcel" else None, reason=reason))
    turn.show("exception")


def give_reason(turn: Turn, given: Why) -> None:
    """Say why; a picture that was taken already stays."""
    trouble = turn.draft.trouble or refuse("exception.none")
    _ = reason_of(turn, given.code) or refuse("reason.unknown")
    turn.on_draft(trouble=replace(trouble, reason=given.code, note=(given.note or "").strip() or None))


def confirm(turn: Turn, _: Nothing) -> None:
    """It is so: the stop fails with a proof of its own, or the line is out of the proof that goes on."""
    trouble = turn.draft.trouble or refuse("exception.none")
    reason = reason_of(turn, trouble.reason) or refuse("reason.needed")
    if not is_ready(trouble, reason):
        refuse("photo.needed")
    if trouble.scope == "parcel":
        rest = _without_line(turn, trouble, reason)
        if not closing.hands_nothing_over(turn.work, turn.stop, rest):
            _go_on(turn, rest)
            return
    closing.fail(turn, reason)


def cancel(turn: Turn) -> None:
    """Nothing is wrong after all: back to the stop."""
    draft = turn.draft
    if draft.trouble and draft.trouble.photo:
        turn.drop(draft.trouble.photo.attachment)
    turn.on_draft(trouble=None)
    turn.show("stop")


def is_ready(trouble: Trouble, reason: Reason | None) -> bool:
    """Whether it can be confirmed."""
    if reason is None:
        return False
    return is_kept(trouble.photo) or (trouble.photo is None and (reason.photo != "required" or trouble.no_photo is not None))


def _without_line(turn: Turn, trouble: Trouble, reason: Reason) -> Draft:
    """The proof in which nothing of the line is handed over, whatever of it was read."""
    line, draft = line_of(turn, trouble.line_id), turn.draft
    missing = turn.work.load.missing
    return replace(
        draft,
        marks={code: mark for code, mark in draft.marks.items() if code not in line.codes},
        rejects=draft.rejects | dict.fromkeys((code for code in line.codes if code not in missing), reason.code),
        shortages=draft.shortages | {line.line_id: Shortage(qty_fact=0, reason=reason.code)},
        line_photos=(*draft.line_photos, *([trouble.photo.attachment] if trouble.photo else [])),
        trouble=None,
    )


def _go_on(turn: Turn, draft: Draft) -> None:
    turn.at_stop(turn.stop.stop_id, draft=draft)
    turn.show(draft.step)
    if draft.step == "scan" and is_done(turn.work, turn.stop, draft, "scan"):
        advance(turn)


COMMANDS = {
    "exception.start": Act(Start, start, on("stop", "route", "drive") | STEPS),
    "exception.reason": Act(Why, give_reason, on("exception")),
    "exception.confirm": Act(Nothing, confirm, on("exception")),
}
