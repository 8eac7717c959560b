"""Files of a card that somebody may have prepared: a link into this machine, or a pipe that never ends, is as if it were not there."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def is_plain(path: Path) -> bool:
    """Whether this very name is a file with bytes in it; no link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def read_plain(path: Path, limit_bytes: int) -> bytes:
    """The bytes of a file that is no link, `limit_bytes` and no more; OSError when it is something else."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is no file")
        return file.read(limit_bytes)
