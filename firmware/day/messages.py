"""Words from dispatch, and the driver's answers. Pure."""

from __future__ import annotations

import msgspec

from firmware.day.turn import Act, Nothing, Sentence, Turn, Word, on, refuse
from firmware.day.work import Work
from mqtt.run import Notice

REPLIES = ("reply.ok", "reply.late_10", "reply.traffic", "reply.break")  # where the run brings none


class MessageName(msgspec.Struct, frozen=True):
    """One message."""

    message_id: Word


class Reply(msgspec.Struct, frozen=True):
    """An answer: a text of the run's or of the driver's, or the key of one of the page's."""

    message_id: Word
    text: Sentence | None = None
    key: Word | None = None


def show(turn: Turn, _: Nothing) -> None:
    """Look at the messages; Back returns to where the driver was."""
    face = turn.work.face
    turn.face(screen="messages", back=face.back if face.screen == "messages" else face.screen)


def read(turn: Turn, given: MessageName) -> None:
    """A message was read."""
    notice = _known(turn, given.message_id)
    if notice.message_id in turn.work.day.read:
        return
    turn.day(read=turn.work.day.read | {notice.message_id: turn.moment.at_ms})
    turn.note("message.read", message_id=notice.message_id)


def reply(turn: Turn, given: Reply) -> None:
    """Answer a message; that reads it too."""
    notice = _known(turn, given.message_id)
    text = (given.text or "").strip()
    if not text and given.key not in REPLIES:
        refuse("reply.empty")
    read(turn, MessageName(notice.message_id))
    answer = text or given.key or ""
    turn.day(replies=turn.work.day.replies | {notice.message_id: answer})
    turn.note("message.reply", message_id=notice.message_id, text=text or None, key=None if text else given.key)
    turn.toast("ok", "reply.sent")


def newest_first(work: Work) -> list[Notice]:
    """The run's messages."""
    return sorted(work.run.plan.messages if work.run else [], key=lambda notice: notice.t, reverse=True)


def _known(turn: Turn, message_id: str) -> Notice:
    found = (notice for notice in turn.run.plan.messages if notice.message_id == message_id)
    return next(found, None) or refuse("message.unknown")


COMMANDS = {
    "message.open": Act(Nothing, show),
    "message.read": Act(MessageName, read, on("messages")),
    "message.reply": Act(Reply, reply, on("messages")),
}
