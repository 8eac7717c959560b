"""The rounds of `faults disk`, with the product broken first.

python -m tests.system.disk_child WHAT FOLDER KEYS --seed N --sizes N
"""

from __future__ import annotations

import sqlite3
import sys
from typing import Any

from cli.faults.disk import rounds
from cli.faults.power.unit import Unit
from firmware.evidence import attachments
from firmware.journal import Appended, JournalFullError, Series
from firmware.journal.commits import Commits
from firmware.journal.reserve import Reserve

insert = Commits._insert


def lying(self: Commits, boot: str, drafts: Any, points: Any, odometer: str | None, **more: Any) -> Appended:
    """Says that it is saved when there was no room for it."""
    try:
        return insert(self, boot, drafts, points, odometer, **more)
    except (sqlite3.OperationalError, OSError):
        seq, tseq = (self._numbers.next[series] for series in Series)
        for number, draft in enumerate(drafts, start=seq):
            draft.make(number)
        return Appended(list(range(seq, seq + len(drafts))), list(range(tseq, tseq + len(points))))


def nothing(_: Reserve) -> None:
    """Holds no room."""


def refusing(*_: object) -> None:
    raise JournalFullError("the card is full")


def break_it(what: str) -> None:
    match what:
        case "pictures take the room of the proofs":
            attachments.LEFT_BYTES = 0
        case "there is no reserve":
            attachments.LEFT_BYTES = 0
            setattr(Reserve, "take", nothing)  # noqa: B010  mypy
        case "what did not fit is called saved":
            Commits._insert = lying  # type: ignore[method-assign]
        case "a full card is no start":
            setattr(Unit, "settle", refusing)  # noqa: B010  mypy


if __name__ == "__main__":
    break_it(sys.argv.pop(1))
    rounds.main()
