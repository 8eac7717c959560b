"""Sixteen megabytes that belong to the last proof of the day: freed when the card is full, taken again when there is room."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

log = logging.getLogger(__name__)

RESERVE_BYTES = 16 * 2**20


class Reserve:
    """A file that only holds its place."""

    def __init__(self, path: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes

    @property
    def held(self) -> bool:
        """Whether the place is held."""
        return self._path.exists() and self._path.stat().st_size >= self._size_bytes

    def take(self) -> None:
        """Hold the place, when the disk has at least as much again besides."""
        if self.held or shutil.disk_usage(self._path.parent).free < 2 * self._size_bytes:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._size_bytes)
        except OSError as error:
            log.warning("the reserve of the journal could not be taken: %s", error.strerror)
        finally:
            os.close(descriptor)

    def release(self) -> bool:
        """Give the place free; False when there was none."""
        if not self._path.exists():
            return False
        self._path.unlink()
        log.warning("the card is full; the reserve of the journal was freed for what must not be lost")
        return True
