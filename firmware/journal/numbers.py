"""The side file that keeps numbers from being used twice when the database itself is lost."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

import msgspec

from firmware.journal.row import Series
from mqtt.durable import write_durably

log = logging.getLogger(__name__)

BLOCK = {Series.SEQ: 1_000, Series.TSEQ: 10_000}  # numbers reserved by one write: the file is written about every three hours


class Reserved(msgspec.Struct, frozen=True):
    """What the side file says: every number below may have been used."""

    log: str  # the journal's name
    seq: int = 0
    tseq: int = 0


class Numbers:
    """Which numbers come next, and how far the side file has reserved them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reserved = self._read()
        self.next = dict.fromkeys(Series, 1)

    @property
    def log(self) -> str:
        """The journal's name, eight hexadecimal digits."""
        return self._reserved.log

    def adopt(self, name: str) -> None:
        """Go on under the name that the database knows, when the side file was lost."""
        if name != self._reserved.log:
            self._reserved = Reserved(log=name)

    def start(self, series: Series, held_top: int, *, damaged: bool) -> None:
        """Set the next number: behind what the database holds, and after damage behind all that was reserved."""
        reserved = getattr(self._reserved, series.value)
        self.next[series] = max(held_top, reserved if damaged else 0) + 1

    def reserve(self, series: Series, count: int) -> None:
        """Make the side file cover the next `count` numbers before they are used; OSError when it cannot be written."""
        wanted = self.next[series] + count
        if wanted <= getattr(self._reserved, series.value):
            return
        reserved = msgspec.structs.replace(self._reserved, **{series.value: wanted + BLOCK[series]})
        write_durably(self._path, msgspec.json.encode(reserved))
        self._reserved = reserved

    def _read(self) -> Reserved:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Reserved)
        except FileNotFoundError:
            pass
        except (msgspec.DecodeError, UnicodeDecodeError):
            log.warning("%s is damaged; the numbers go on from the database", self._path)
        return Reserved(log=secrets.token_hex(4))
