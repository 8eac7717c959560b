"""Confirm, undo, correct: how a proof comes to be, for good. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec.structs import replace

from firmware.day import record
from firmware.day.delivery import StopName, hand_out, is_kept, lacks, open_draft, signature_state
from firmware.day.parcels import NOT_THERE
from firmware.day.payment import settled
from firmware.day.photos import reason_of
from firmware.day.progress import Done, Draft, Extra, Mark, Pending, Shortage, StopWork
from firmware.day.proof import Attachment, Cash, Item, Proof, Recipient
from firmware.day.stops import codes_of, place_m
from firmware.day.turn import Act, Nothing, Turn, on, refuse
from firmware.day.work import Moment, Work
from mqtt.run import Reason, Stop

UNDO_MS = 5_000
NOTHING_THERE = "failed_package_not_available"


def confirm(turn: Turn, _: Nothing) -> None:
    """The hand-over is done."""
    stop, draft = turn.stop, turn.draft
    missing = lacks(turn.work, stop, draft)
    if missing:
        refuse(f"{missing[0]}.needed", n=len(missing))
    items = record.items_of(turn.work, stop, draft)
    if items and not any(item.qty_fact for item in items):
        reason = next((item.reason for item in items if item.reason), None)
        _close(turn, items, _outcome(turn, reason), reason)
    else:
        _close(turn, items, record.outcome_of(stop, draft.relation), None)


def fail(turn: Turn, reason: Reason) -> None:
    """Nothing was handed over."""
    items = record.items_of(turn.work, turn.stop, turn.draft, failed=reason.code)
    _close(turn, items, record.known_outcome(reason.outcome), reason.code)
    turn.toast("info", f"exception.then_{reason.then}")


def hands_nothing_over(work: Work, stop: Stop, draft: Draft) -> bool:
    """Whether every parcel of the stop is rejected."""
    return not any(item.qty_fact for item in record.items_of(work, stop, draft))


def undo(turn: Turn, _: Nothing) -> None:
    """Take the newest confirmation back, as long as it was not handed out."""
    pending = turn.work.pending or refuse("undo.late")
    proof, before = pending.proof, pending.before
    turn.put(pending=None, stops=turn.work.stops | {proof.stop_id: before})
    turn.day(current=proof.stop_id)
    turn.show("exception" if before.draft and before.draft.trouble else "name")
    turn.toast("info", "pod.undone")


def undo_left_ms(work: Work, moment: Moment) -> int:
    """How long a confirmed proof can still be taken back; nothing any more after a restart of the system."""
    if work.pending is None or work.pending.proof.boot != moment.boot:
        return 0
    passed_ms = moment.mono_ms - work.pending.proof.mono_ms
    return UNDO_MS - passed_ms if 0 <= passed_ms < UNDO_MS else 0


def correct(turn: Turn, given: StopName) -> None:
    """Begin a record that corrects an earlier one; the earlier one stays as it was signed."""
    stop = turn.stop_of(given.stop_id)
    progress = turn.work.stops.get(stop.stop_id, StopWork())
    done = progress.done or refuse("correct.nothing")
    hand_out(turn)
    if progress.draft is None:
        open_draft(turn, stop, _seed(turn, stop, done))
    turn.day(current=stop.stop_id)
    turn.show(progress.draft.step if progress.draft else "name")


def _seed(turn: Turn, stop: Stop, done: Done) -> Draft:
    """The record as it was, to be changed; of a failure only that it happened."""
    draft = Draft(step="name", corrects=done.proof_id, passed=("scan",))
    if done.state == "failed":
        return draft
    expected = {code for _, code in codes_of(stop)}
    coded = [item for item in done.items if item.code]
    return replace(
        draft,
        marks={item.code or "": Mark(sym=item.sym or "", grade=item.grade) for item in coded if _was_read(item, expected)},
        rejects={item.code or "": item.reason or NOT_THERE for item in coded if item.state == "rejected"},
        shortages=_shortages(done.items),
        extras=tuple(_extra(turn, item) for item in coded if item.code not in expected),
        signature_state=done.signature_state,
        relation=done.relation,
        name=done.name,
    )


def _was_read(item: Item, expected: set[str]) -> bool:
    return item.state == "scanned" and item.code in expected


def _extra(turn: Turn, item: Item) -> Extra:
    code = item.code or ""
    return Extra(code=code, identity=turn.name_of(code), sym=item.sym or "", grade=item.grade)


def _shortages(items: tuple[Item, ...]) -> dict[str, Shortage]:
    short = {item.line_id: item.reason for item in items if item.line_id and item.qty_fact < item.qty and item.code is None}
    return {
        line_id: Shortage(qty_fact=sum(item.qty_fact for item in items if item.line_id == line_id), reason=reason or NOT_THERE)
        for line_id, reason in short.items()
    }


def _close(turn: Turn, items: tuple[Item, ...], outcome: str, reason: str | None) -> None:
    hand_out(turn)
    stop, before = turn.stop, turn.progress
    proof = _proof(turn, items, outcome, reason)
    held = {attachment.enc_sha256 for attachment in proof.attachments}
    turn.at_stop(stop.stop_id, done=_done(proof, items), draft=None, attempts=before.attempts + (proof.corrects is None))
    turn.put(pending=Pending(proof=proof, before=before, address=stop.address, unused=_unused(before.draft, held)))
    turn.day(current=None)
    turn.show("route")
    turn.sound = "done"
    turn.toast("ok", "pod.saved")


def _unused(draft: Draft | None, held: set[str]) -> tuple[str, ...]:
    return tuple(made.enc_sha256 for made in record.attachments_of(draft) if made.enc_sha256 not in held)


def _proof(turn: Turn, items: tuple[Item, ...], outcome: str, reason: str | None) -> Proof:
    stop, draft, moment = turn.stop, turn.draft, turn.moment
    failed = outcome.startswith("failed_")
    earlier = turn.progress.done if draft.corrects else None
    trouble = draft.trouble
    return Proof(
        id=moment.fresh_id,
        stop_id=stop.stop_id,
        job=stop.job,
        service=stop.service,
        run_n=turn.run.n,
        outcome=outcome,
        reason=reason,
        recipient=None if failed else Recipient(name=draft.name, relation=draft.relation, signature_state=signature_state(draft)),
        driver=turn.work.day.driver or "",
        items=record.condensed(items),
        at_ms=moment.at_ms,
        mono_ms=moment.mono_ms,
        boot=moment.boot,
        src=moment.src,
        err_ms=moment.err_ms,
        position=moment.position,
        place_m=place_m(stop, moment),
        attachments=tuple(_attachments(draft, failed=failed)),
        flags=record.flags_of(turn.work, stop, draft, moment, failed=failed),
        cash=None if failed else _cash(stop, draft, earlier),
        corrects=draft.corrects,
        rating=draft.rating,
        note=trouble.note if trouble and trouble.note else draft.note,
    )


def _attachments(draft: Draft, *, failed: bool) -> Iterator[Attachment]:
    """What the record refers to: pictures in any case, a signature only where something was handed over."""
    photos = [draft.photo, draft.trouble.photo if draft.trouble else None]
    yield from (photo.attachment for photo in photos if photo and is_kept(photo))
    yield from draft.line_photos
    if draft.signature and not failed:
        yield draft.signature


def _cash(stop: Stop, draft: Draft, earlier: Done | None) -> Cash | None:
    return earlier.cash if earlier else settled(stop.cod, draft.payment)


def _done(proof: Proof, items: tuple[Item, ...]) -> Done:
    return Done(
        proof_id=proof.id,
        state=_state(proof),
        outcome=proof.outcome,
        at_ms=proof.at_ms,
        reason=proof.reason,
        cash=proof.cash,
        signature_state=proof.recipient.signature_state if proof.recipient else "not_required",
        relation=proof.recipient.relation if proof.recipient else None,
        name=proof.recipient.name if proof.recipient else None,
        items=items,
    )


def _state(proof: Proof) -> Literal["delivered", "partial", "failed", "picked_up"]:
    if proof.recipient is None:
        return "failed"
    if any(item.qty_fact < item.qty for item in proof.items):
        return "partial"
    return "delivered" if proof.service == "delivery" else "picked_up"


def _outcome(turn: Turn, reason: str | None) -> str:
    """Of a stop whose parcels were all rejected one by one."""
    found = reason_of(turn, reason)
    return record.known_outcome(found.outcome) if found else NOTHING_THERE


COMMANDS = {
    "pod.confirm": Act(Nothing, confirm, on("name")),
    "pod.undo": Act(Nothing, undo),
    "pod.correct": Act(StopName, correct, on("stop", "route", "end")),
}
