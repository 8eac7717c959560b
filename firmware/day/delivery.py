"""One stop's proof: beginning it, its steps in order, leaving one, going back. Pure."""

from __future__ import annotations

import msgspec

from firmware.day.progress import Draft, Photo, Step
from firmware.day.proof import Signed
from firmware.day.stops import OPEN, codes_of, find_stop, need_of, state_of, steps_of
from firmware.day.turn import Act, Nothing, Sentence, Turn, Word, on, refuse
from firmware.day.work import Screen, Work
from mqtt.run import Stop

STEPS: frozenset[Screen] = on("scan", "photo", "cod", "pin", "sign", "rate", "name")
NEEDS_NAME = ("neighbour", "other")  # a relation alone does not say who it was


class StopName(msgspec.Struct, frozen=True):
    """One stop."""

    stop_id: Word


class NoteText(msgspec.Struct, frozen=True):
    """Words of the driver's for the record."""

    text: Sentence


def open_draft(turn: Turn, stop: Stop, draft: Draft) -> None:
    """Begin a proof, or an exception, at a stop."""
    turn.day(current=stop.stop_id)
    turn.at_stop(stop.stop_id, draft=draft)


def hand_out(turn: Turn) -> None:
    """Let a confirmed proof go: from here on it is signed and sent."""
    if turn.work.pending:
        turn.proofs.append(turn.work.pending.proof)
        turn.dropped.extend(turn.work.pending.unused)
        turn.put(pending=None)


def start(turn: Turn, _: Nothing) -> None:
    """Begin the hand-over, go on with one that was begun, or try again after a failure."""
    stop = turn.stop
    if state_of(turn.work, stop.stop_id) not in {*OPEN, "failed"}:
        refuse("stop.done")
    hand_out(turn)
    draft = turn.progress.draft
    if draft is None:
        steps = steps_of(turn.work, stop)
        draft = Draft(step=steps[0], relation=_preset(turn.work, stop))
        open_draft(turn, stop, draft)
    _enter(turn, first_open(turn.work, stop, draft))


def leave(turn: Turn, _: Nothing) -> None:
    """Go on from a step that is done or optional."""
    draft, stop = turn.draft, turn.stop
    step = draft.step
    if step == "name":
        refuse("step.last")
    if not is_done(turn.work, stop, draft, step):
        skip(turn, step)
    advance(turn)


def skip(turn: Turn, step: Step) -> None:
    """Leave an optional step undone."""
    need = need_of(turn.work, turn.stop, step)
    if need == "required":
        refuse(f"{step}.needed", n=len(unscanned(turn.work, turn.stop, turn.draft)))
    turn.on_draft(passed=(*turn.draft.passed, step))


def back(turn: Turn, _: Nothing) -> None:
    """One step back; from the first one to the stop, where the proof waits."""
    steps = steps_of(turn.work, turn.stop, turn.draft)
    place = steps.index(turn.draft.step) if turn.draft.step in steps else 0
    if place == 0:
        turn.show("stop")
    else:
        _enter(turn, steps[place - 1])


def write_note(turn: Turn, given: NoteText) -> None:
    """Words of the driver's for the record; empty ones take them back."""
    turn.on_draft(note=given.text.strip() or None)


def advance(turn: Turn) -> None:
    """Go to the next step that is still to be done."""
    stop, draft = turn.stop, turn.draft
    steps = steps_of(turn.work, stop, draft)
    place = steps.index(draft.step) + 1 if draft.step in steps else 0
    _enter(turn, next((step for step in steps[place:] if not is_done(turn.work, stop, draft, step)), "name"))


def first_open(work: Work, stop: Stop, draft: Draft) -> Step:
    """The first step that is still to be done."""
    return next((step for step in steps_of(work, stop, draft) if not is_done(work, stop, draft, step)), "name")


def is_done(work: Work, stop: Stop, draft: Draft, step: Step) -> bool:
    """Whether a step asks nothing more of the driver."""
    if step in draft.passed:
        return True
    done: dict[Step, bool] = {
        "scan": any(codes_of(stop)) and not unscanned(work, stop, draft),
        "photo": is_kept(draft.photo) or draft.no_photo is not None,
        "cod": draft.payment.taken,
        "pin": draft.pin_passed,
        "sign": draft.signature_state is not None,
        "rate": draft.rated,
        "name": is_named(work, stop, draft),
    }
    return done[step]


def lacks(work: Work, stop: Stop, draft: Draft) -> list[Step]:
    """The steps without which it cannot be confirmed."""
    return [step for step in steps_of(work, stop, draft) if not is_done(work, stop, draft, step)]


def is_kept(photo: Photo | None) -> bool:
    """Whether there is a picture that the driver is content with."""
    return photo is not None and photo.kept


def is_named(work: Work, stop: Stop, draft: Draft) -> bool:
    """Whether it is clear who received it, as far as the fleet asks."""
    if draft.relation is None:
        return False
    return need_of(work, stop, "name") != "required" or draft.relation not in NEEDS_NAME or bool(draft.name)


def unscanned(work: Work, stop: Stop, draft: Draft) -> list[str]:
    """Codes of the stop that are neither read nor rejected; those reported missing at loading never come."""
    missing = work.load.missing
    return [code for _, code in codes_of(stop) if code not in draft.marks and code not in draft.rejects and code not in missing]


def signature_state(draft: Draft) -> Signed:
    """What the record says of the signature."""
    return draft.signature_state or "not_required"


def can_go_on(work: Work) -> bool:
    """Whether the stop that the driver is at has a proof in the making."""
    stop = find_stop(work, work.day.current)
    return stop is not None and stop.stop_id in work.stops and work.stops[stop.stop_id].draft is not None


def _preset(work: Work, stop: Stop) -> str | None:
    """Who receives it if the driver says nothing; None where the fleet requires that the driver says it."""
    if stop.contactless:
        return stop.contactless
    return None if need_of(work, stop, "name") == "required" else "recipient"


def _enter(turn: Turn, step: Step) -> None:
    turn.on_draft(step=step)
    turn.show(step)


COMMANDS = {
    "pod.start": Act(Nothing, start, on("stop")),
    "pod.next": Act(Nothing, leave, STEPS),
    "pod.back": Act(Nothing, back, STEPS),
    "pod.note": Act(NoteText, write_note, STEPS),
}
