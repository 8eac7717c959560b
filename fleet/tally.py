"""What the receiver's log says of the work done."""

from __future__ import annotations

import logging
import time

import msgspec

from fleet import receipts
from fleet.gaps import span_text
from fleet.rows import Holding, Kept

log = logging.getLogger(__name__)

TOLD_EVERY_S = 60.0


class Tally:
    """Counts batches, and tells them once a minute."""

    def __init__(self) -> None:
        self._messages = 0
        self._kept = Kept()
        self._units: set[str] = set()
        self._told_s = time.monotonic()
        self._missing: dict[tuple[str, str], str] = {}

    def add(self, messages: int, kept: Kept) -> None:
        """Count a batch."""
        self._messages += messages
        self._kept = msgspec.structs.replace(self._kept.plus(kept), holdings=())
        self._units.update(holding.unit for holding in kept.holdings)

    def tell_now_and_then(self) -> None:
        """One line a minute."""
        if time.monotonic() - self._told_s >= TOLD_EVERY_S:
            self.tell()

    def tell(self) -> None:
        """One line, if there is anything to say."""
        if self._messages:
            log.info(
                "%d messages of %d units: %d records new, %d held already, %d messages refused",
                self._messages, len(self._units), self._kept.stored, self._kept.repeated, self._kept.refused,
            )  # fmt: skip
        self._messages, self._kept, self._units, self._told_s = 0, Kept(), set(), time.monotonic()

    def tell_missing(self, holding: Holding) -> None:
        """Say once what a unit believes receipted and the store does not hold."""
        spans = {name: receipts.missing(series) for name, series in (("records", holding.seq), ("fixes", holding.tseq))}
        told = " and ".join(f"{name} {span_text(found)}" for name, found in spans.items() if found)
        if told != self._missing.get((holding.unit, holding.log), ""):
            self._missing[holding.unit, holding.log] = told
            if told:
                log.warning("unit %s was told that %s are stored, but they are not: asked for them again", holding.unit, told)
            else:
                log.info("unit %s has sent again what was missing", holding.unit)
