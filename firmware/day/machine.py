"""One input, one decision: the driver's day over every screen and every input. Pure.

Screens follow each other as in boot - signin - check - load - route - stop - (scan - photo - cod - pin - sign - rate - name) - route - end;
the page shows `drive` instead while the vehicle moves. What a command may do and where is in the COMMANDS of the modules below.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from firmware.day import (
    cash,
    check,
    closing,
    delivery,
    ending,
    exceptions,
    handover,
    load,
    manifest,
    messages,
    page,
    parcels,
    photos,
    practice,
    roads,
    scanning,
    signin,
)
from firmware.day.turn import Act, RefusedError, Turn, is_moving, refuse
from firmware.day.work import Command, Input, Moment, PhotoMade, Result, RunArrived, Scanned, ScannedTogether, SignatureMade, Tick, Work

COMMANDS: dict[str, Act] = {
    **cash.COMMANDS,
    **check.COMMANDS,
    **closing.COMMANDS,
    **delivery.COMMANDS,
    **ending.COMMANDS,
    **exceptions.COMMANDS,
    **handover.COMMANDS,
    **load.COMMANDS,
    **manifest.COMMANDS,
    **messages.COMMANDS,
    **page.COMMANDS,
    **parcels.COMMANDS,
    **photos.COMMANDS,
    **practice.COMMANDS,
    **roads.COMMANDS,
    **scanning.COMMANDS,
    **signin.COMMANDS,
}


def update(work: Work, given: Input, moment: Moment) -> Result:
    """What becomes of the work. Never raises: what cannot be done now, or makes no sense, is refused and changes nothing."""
    if work.practice is None or isinstance(given, RunArrived):
        return _step(work, given, moment)
    if isinstance(given, Command) and given.name == "session.end":
        return _step(work, Command("session.training", {"on": False}), moment)
    if isinstance(given, Command) and given.name == "session.training":
        return _step(work, given, moment)
    real = _step(work, given, moment) if isinstance(given, Tick) else Result(work=work)
    return _rehearse(real, work.practice, given, moment)


def wants(work: Work, moment: Moment) -> Literal["scan", "photo"] | None:
    """What the camera is needed for now."""
    face = work.practice or work
    if is_moving(face, moment):
        return None
    match face.face.screen:
        case "signin" | "load" | "scan":
            return "scan"
        case "photo" | "exception":
            return "photo"
        case "check":
            return "photo" if face.day.check.photo_for else None
        case _:
            return None


def _step(work: Work, given: Input, moment: Moment) -> Result:
    turn = Turn(work, moment)
    try:
        _take(turn, given)
    except RefusedError as error:
        unwanted = [given.attachment.enc_sha256] if isinstance(given, PhotoMade | SignatureMade) else []
        return Result(work=work, refusal=error.refusal, dropped=unwanted)
    return Result(work=turn.work, notes=turn.notes, proofs=turn.proofs, sound=turn.sound, dropped=turn.dropped)


def _take(turn: Turn, given: Input) -> None:
    roads.let_go(turn)
    match given:
        case Command():
            _command(turn, given)
        case Scanned():
            scanning.scan(turn, given)
        case ScannedTogether():
            scanning.sort_out(turn, given)
        case PhotoMade():
            photos.take(turn, given)
        case SignatureMade():
            handover.take_signature(turn, given)
        case RunArrived():
            manifest.arrive(turn, given.run)
        case Tick():
            roads.tick(turn)


def _command(turn: Turn, command: Command) -> None:
    act = COMMANDS.get(command.name) if isinstance(command.name, str) else None
    if act is None:
        refuse("command.unknown")
    if is_moving(turn.work, turn.moment) and not act.moving:
        refuse("moving")
    if act.signed_in and turn.work.day.driver is None:
        refuse("session.none")
    if act.on is not None and turn.work.face.screen not in act.on:
        refuse("command.not_now")
    try:
        given = msgspec.convert(command.data, act.takes)
    except (msgspec.ValidationError, RecursionError):
        refuse("command.ill_formed")
    act.does(turn, given)


def _rehearse(real: Result, rehearsal: Work, given: Input, moment: Moment) -> Result:
    """The practice takes the input; of what it says only sounds and refusals reach anybody, its proofs' pictures go."""
    result = _step(rehearsal, given, moment)
    unwanted = [made.enc_sha256 for proof in result.proofs for made in proof.attachments]
    return Result(
        work=real.work if result.refusal else replace(real.work, practice=result.work),
        notes=real.notes,
        proofs=real.proofs,
        sound=result.sound,
        refusal=result.refusal,
        dropped=[*real.dropped, *result.dropped, *unwanted],
    )
