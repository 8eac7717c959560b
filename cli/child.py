"""Programs that a command starts for itself: none outlives it, however it ends."""

from __future__ import annotations

import shutil
from collections.abc import Sequence


def mortal(command: Sequence[str]) -> list[str]:
    """The words that start this program so that the kernel kills it as soon as the thread that started it has ended.

    The process is the program's own. Without setpriv, which every Debian has, it starts all the same, and can outlive a kill -9 of ours.
    """
    bound = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    return [*bound, *command]
