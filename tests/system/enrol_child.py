"""Enrols in forks that end themselves at a chosen step: every change of a file and every request to the authority is a step.

Reads from standard input lines of JSON: card, state folder, step (0: to the end). Answers each with the fork's exit code and its steps:
-9 when it was cut off, 0 when the box is enrolled. One process that has imported everything, for a start costs half a second.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from provisioning.card import read_card
from provisioning.enrol import FAULTS, Enrolment

STEPS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree", "socket.connect"}


class Cut:
    """Counts steps, and ends the process with the one that was asked for."""

    def __init__(self, at: int, below: str) -> None:
        self.seen = 0
        self._at = at
        self._below = below

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in STEPS or self._writes(event, arguments):
            self.seen += 1
            if self.seen == self._at:
                os.kill(os.getpid(), signal.SIGKILL)

    def _writes(self, event: str, arguments: tuple[Any, ...]) -> bool:
        flags = arguments[2] if event == "open" else 0
        return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR)) and str(arguments[0]).startswith(self._below)


def enrol(card: str, state: str, step: int) -> int:
    """In the fork."""
    cut = Cut(step, state)
    sys.addaudithook(cut)
    try:
        Enrolment(read_card(card), state=Path(state), tell=lambda _: None).run()
    except FAULTS as error:
        print(error, file=sys.stderr)
        return 1
    (Path(state) / "steps").write_text(str(cut.seen), encoding="utf-8")
    return 0


for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if child == 0:
        os._exit(enrol(asked["card"], asked["state"], asked["step"]))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, flush=True)
