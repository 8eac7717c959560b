"""The keys of the person who watches the demo: read one by one while it plays."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from types import TracebackType
from typing import Any, Self


class Keys:
    """Standard input without its line buffer, where it is a terminal; as it was again after the `with`. Ctrl-C still ends the program."""

    def __init__(self) -> None:
        self.there = sys.stdin.isatty()  # whether anybody can press one
        self._before: list[Any] | None = None

    def __enter__(self) -> Self:
        if self.there:
            self._before = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        if self._before is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def pressed(self) -> str:
        """What was pressed since the last call, in small letters; returns at once."""
        if self._before is None or not select.select([sys.stdin], [], [], 0)[0]:
            return ""
        return os.read(sys.stdin.fileno(), 64).decode(errors="ignore").lower()
