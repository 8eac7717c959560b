"""This side's TLS key and certificate in one file, and the renewed pair beside it that no broker has seen yet.

One file, so that a rotation is one rename: at whatever moment the power fails, there is a pair that works. The renewed pair is tried first,
and takes the old one's place when the broker began a session with it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from mqtt.durable import sync_names

log = logging.getLogger(__name__)

ANOTHER_TRY_S = 86_400.0  # the fleet may need a day to see what its broker lacks; each try costs a handshake


class Renewed(msgspec.Struct, frozen=True):
    """A renewed pair as it lay there when it was read: another one may lie there a moment later."""

    path: Path
    inode: int
    changed_ns: int


def beside(pair: Path) -> Path:
    """Where a renewed pair waits for its first session."""
    return pair.with_name(pair.name + ".next")


class Pair:
    """The file that a session is begun with."""

    def __init__(self, path: Path, *, mono_s: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._mono_s = mono_s
        self._refused: Renewed | None = None
        self._refused_s = 0.0

    def renewed(self) -> Renewed | None:
        """The renewed pair, when there is one to be tried now; a stat, no more."""
        path = beside(self._path)
        try:
            found = path.stat()
        except OSError:
            return None
        seen = Renewed(path, found.st_ino, found.st_mtime_ns)
        is_waiting = seen == self._refused and self._mono_s() < self._refused_s + ANOTHER_TRY_S
        return None if is_waiting else seen

    def promote(self, tried: Renewed) -> None:
        """A broker began a session with it: it is the pair from now on. One that came in between waits for its own session."""
        if self.renewed() != tried:
            return
        try:
            tried.path.replace(self._path)
            sync_names(self._path.parent)
        except OSError as error:
            told = (error.strerror or str(error)).lower()
            log.warning("the renewed certificate works but cannot become %s: %s; check the owner of its folder", self._path, told)
            self._put_off(tried)
        else:
            log.info("the renewed certificate is in use: %s", self._path)

    def refuse(self, tried: Renewed, reason: str) -> None:
        """It did not work, and the old pair does: leave it for another day."""
        log.warning("the renewed certificate %s does not work, the one before it does: %s; it is tried again in a day", tried.path, reason)
        self._put_off(tried)

    def _put_off(self, tried: Renewed) -> None:
        self._refused, self._refused_s = tried, self._mono_s()
