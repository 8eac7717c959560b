"""Folders: for what is thrown away, and for what somebody wants to look at afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.errors import UsageError

MEMORY = Path("/dev/shm")  # noqa: S108  what is written thousands of times need not wear a disk, nor wait for one


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """In memory where this system has such a place, gone at the end."""
    in_memory = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix=f"roadproof-{name}-", dir=in_memory) as folder:
        yield Path(folder)


@contextmanager
def kept_or_thrown(keep: Path | None, name: str) -> Iterator[Path]:
    """The folder that somebody named, which must be new or empty; without one, one that is gone at the end."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix=f"roadproof-{name}-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    kept = made(keep)
    if any(kept.iterdir()):
        raise UsageError(f"{keep} is not empty; name a new folder with --keep")
    yield kept


def made(keep: Path) -> Path:
    """The folder that somebody named, made when it is not there, as an absolute path; UsageError when it cannot be."""
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {keep}: {(error.strerror or '').lower()}; name another with --keep") from None
    if not os.access(keep, os.W_OK):
        raise UsageError(f"{keep} may not be written to; name another folder with --keep")
    return keep.resolve()
