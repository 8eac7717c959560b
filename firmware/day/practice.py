"""A day to practise on: stops that do not exist, and nothing of it ever leaves the unit. Pure."""

from __future__ import annotations

import msgspec

from firmware.day import manifest
from firmware.day.record import attachments_of
from firmware.day.turn import Act, Turn, on, refuse
from firmware.day.work import Day, Face, Moment, Work
from mqtt.messages import Run, utc_text
from mqtt.run import Cod, Contact, Driver, Line, Notice, Plan, Policy, Proofs, Secret, Stop

DRIVER = "practice"
UNIT = "practice"
NO_SECRET = Secret(salt="0" * 32, hash="0" * 64)  # nobody signs in to a practice: it begins signed in
BEFORE_WORK = on("signin", "check", "load", "route", "end")
ALL_PROOFS = Proofs(scan="enabled", photo="enabled", signature="required", name="required")


class Training(msgspec.Struct, frozen=True):
    """Begin or end the practice."""

    on: bool


def switch(turn: Turn, given: Training) -> None:
    """Begin a practice beside the real day, or end it; the real day waits unchanged."""
    rehearsal = turn.work.practice
    if given.on and rehearsal is None:
        if turn.work.face.screen not in BEFORE_WORK:
            refuse("command.not_now")
        turn.put(practice=begin(turn.work, turn.moment))
    elif rehearsal is not None and not given.on:
        for progress in rehearsal.stops.values():
            turn.dropped.extend(made.enc_sha256 for made in attachments_of(progress.draft))
        if rehearsal.pending:
            turn.dropped.extend(made.enc_sha256 for made in attachments_of(rehearsal.pending.before.draft))
        turn.put(practice=None)
        turn.face(lang=rehearsal.face.lang, theme=rehearsal.face.theme, hand=rehearsal.face.hand)
    else:
        refuse("training.already")


def begin(work: Work, moment: Moment) -> Work:
    """A practice day, signed in, with the page as the driver has it."""
    face = Face(screen="route", lang=work.face.lang, theme=work.face.theme, hand=work.face.hand)
    turn = Turn(Work(face=face, day=Day(driver=DRIVER)), moment)
    manifest.adopt(turn, practice_run(moment))
    turn.show("check")
    return turn.work


def practice_run(moment: Moment) -> Run:
    """Four stops, one of each kind; codes that any label printer makes, and that can be typed."""
    now = utc_text(moment.at_ms)
    plan = Plan(
        day=now[:10],
        name="Practice",
        drivers=[Driver(driver_id=DRIVER, name="Practice", pin=NO_SECRET)],
        stops=[_signed(), _left_at_the_door(), _paid(), _returned()],
        proofs=Policy(delivery=ALL_PROOFS, pickup=ALL_PROOFS, returned=ALL_PROOFS),
        messages=[Notice(message_id="practice-1", t=now, text="This is a practice. Nothing of it is sent.")],
    )
    return Run(unit=UNIT, n=1, t=now, plan=plan)


def _signed() -> Stop:
    lines = [Line(line_id="1", name="Parcel", qty=2, codes=["PRACTICE-01", "PRACTICE-02"])]
    return Stop(stop_id="practice-1", address="1 Practice Street", contact=Contact(name="A. Example"), lines=lines)


def _left_at_the_door() -> Stop:
    lines = [Line(line_id="1", name="Parcel", codes=["PRACTICE-03"])]
    return Stop(stop_id="practice-2", address="2 Practice Street", lines=lines, contactless="safe_place")


def _paid() -> Stop:
    lines = [Line(line_id="1", name="Parcel", codes=["PRACTICE-04"])]
    return Stop(stop_id="practice-3", address="3 Practice Street", lines=lines, cod=Cod(amount=2490, currency="EUR"))


def _returned() -> Stop:
    lines = [Line(line_id="1", name="Return", qty=2, codes=["PRACTICE-05", "PRACTICE-06"])]
    return Stop(stop_id="practice-4", service="return", address="4 Practice Street", lines=lines)


COMMANDS = {"session.training": Act(Training, switch, signed_in=False)}
