"""What the page hears of a command, and the memory that keeps one from being done twice."""

from __future__ import annotations

from typing import Any

import msgspec

KEPT = 500  # over every reconnection of the page
SAVED = 8  # over a restart: the page repeats no more than what it had no answer to
LOCKED, CONFLICT, ILL_FORMED = 423, 409, 422
STATUS_OF = {"moving": LOCKED, "command.unknown": ILL_FORMED, "command.ill_formed": ILL_FORMED}


class Answer(msgspec.Struct, frozen=True):
    """What became of a command; refused, `key` names the page's text for it, `args` fill it, `status` is the HTTP one."""

    ok: bool
    key: str | None = None
    args: dict[str, Any] = {}
    status: int = 200


def refused(key: str, args: dict[str, Any] | None = None) -> Answer:
    """A refusal with the status that belongs to its key."""
    return Answer(ok=False, key=key, args=args or {}, status=STATUS_OF.get(key, CONFLICT))


class Answers:
    """The newest answers by the command's id."""

    def __init__(self, saved: bytes | None) -> None:
        try:
            self._known = msgspec.json.decode(saved or b"{}", type=dict[str, Answer])
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._known = {}

    def get(self, command_id: str) -> Answer | None:
        """What was answered, None for a new command."""
        return self._known.get(command_id)

    def put(self, command_id: str, answer: Answer) -> None:
        """Remember an answer, and forget the oldest."""
        self._known[command_id] = answer
        for old in list(self._known)[:-KEPT]:
            del self._known[old]

    def with_done(self, command_id: str) -> bytes:
        """The newest as they will be once this command is done, to be written in its commit: what changes something is not refused."""
        newest = list({**self._known, command_id: Answer(ok=True)}.items())[-SAVED:]
        return msgspec.json.encode(dict(newest))
