"""Files that a power cut leaves whole: the old one or the new one, never half of either."""

from __future__ import annotations

import os
from pathlib import Path


def write_durably(path: Path, content: bytes, *, mode: int = 0o600, like: Path | None = None) -> None:
    """Replace a file; it is on the card when this returns. OSError may leave PATH.new.

    `mode`: who may read it, else its owner alone. `like`: when root writes, it belongs to whom this file or folder belongs.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)  # what a power cut left may be another user's
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        if like is not None:
            give(fresh, like)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_names(path.parent)


def give(path: Path, like: Path) -> None:
    """What root made belongs to whom `like` belongs; of no effect for anybody else."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def sync_names(folder: Path) -> None:
    """Put the names in a folder on the card: a file that was made, renamed or removed in it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
