"""Pictures: of the hand-over, of what went wrong, of a defect. Pure."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from firmware.day import check
from firmware.day.delivery import advance
from firmware.day.progress import Photo
from firmware.day.stops import need_of
from firmware.day.turn import Act, Nothing, Turn, Word, on, refuse
from firmware.day.work import PhotoMade
from mqtt.run import REASONS, Need, Reason

WHY_NONE = ("camera", "dark", "privacy")
SCREENS = on("photo", "exception")


class WhyNone(msgspec.Struct, frozen=True):
    """Why there is no picture."""

    reason: Word


def shutter(turn: Turn, _: Nothing | None = None) -> None:
    """Ask whether a picture is wanted now; it comes as PhotoMade."""
    if turn.work.face.screen == "exception":
        wanted = turn.draft.trouble is not None and turn.draft.trouble.reason is not None
    else:
        wanted = turn.work.face.screen == "photo" or turn.work.day.check.photo_for is not None
    if not wanted:
        refuse("photo.not_now")


def take(turn: Turn, made: PhotoMade) -> None:
    """A picture was taken: a good one leads on, one with a warning is looked at first."""
    photo = Photo(attachment=made.attachment, warning=made.warning, kept=made.warning is None)
    match turn.work.face.screen:
        case "check":
            check.take_photo(turn, made.attachment)
        case "photo" | "exception":
            shutter(turn)
            before = current(turn)
            turn.drop(before.attachment if before else None)
            _put(turn, photo)
            _go_on(turn)
        case _:
            refuse("photo.not_now")


def keep(turn: Turn, _: Nothing) -> None:
    """Take the picture as it is; the record says what was wrong with it."""
    photo = current(turn) or refuse("photo.none")
    _put(turn, replace(photo, kept=True))
    _go_on(turn)


def again(turn: Turn, _: Nothing) -> None:
    """Throw the picture away for another."""
    photo = current(turn) or refuse("photo.none")
    turn.drop(photo.attachment)
    _put(turn, None)


def do_without(turn: Turn, given: WhyNone) -> None:
    """No picture: where one is required, only because the camera or the store cannot."""
    if given.reason not in WHY_NONE:
        refuse("reason.unknown")
    photo = current(turn)
    if photo:
        turn.drop(photo.attachment)
    trouble = turn.draft.trouble
    if turn.work.face.screen == "exception" and trouble:
        reason = reason_of(turn, trouble.reason) or refuse("reason.needed")
        _excuse(turn, reason.photo)
        turn.on_draft(trouble=replace(trouble, photo=None, no_photo=given.reason))
        return
    need = need_of(turn.work, turn.stop, "photo")
    _excuse(turn, need)
    turn.on_draft(photo=None, no_photo=given.reason)
    advance(turn)


def current(turn: Turn) -> Photo | None:
    """The picture of the step, kept or not."""
    draft = turn.draft
    return draft.trouble.photo if turn.work.face.screen == "exception" and draft.trouble else draft.photo


def reason_of(turn: Turn, code: str | None) -> Reason | None:
    """The run's reason of that code."""
    return reason_of_plan(turn.run.plan.reasons, code)


def reason_of_plan(reasons: tuple[Reason, ...], code: str | None) -> Reason | None:
    """One of these reasons by its code; the unpaid one is always known."""
    always = (reason for reason in REASONS if reason.code == "not_paid")
    return next((reason for reason in (*reasons, *always) if reason.code == code), None)


def _excuse(turn: Turn, need: Need) -> None:
    if need == "required" and turn.moment.camera == "ok" and not turn.moment.disk_full:
        refuse("photo.needed")


def _put(turn: Turn, photo: Photo | None) -> None:
    draft = turn.draft
    if turn.work.face.screen == "exception" and draft.trouble:
        turn.on_draft(trouble=replace(draft.trouble, photo=photo, no_photo=None))
    else:
        turn.on_draft(photo=photo, no_photo=None)


def _go_on(turn: Turn) -> None:
    photo = current(turn)
    if photo and photo.kept and turn.work.face.screen == "photo":
        advance(turn)


COMMANDS = {
    "pod.photo": Act(Nothing, shutter, on("photo", "exception", "check")),
    "pod.photo_keep": Act(Nothing, keep, SCREENS),
    "pod.photo_again": Act(Nothing, again, SCREENS),
    "pod.photo_skip": Act(WhyNone, do_without, SCREENS),
}
