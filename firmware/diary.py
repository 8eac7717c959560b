"""What the unit says of itself: events with their time, their place and their number."""

from __future__ import annotations

import logging
import threading
from typing import Any, get_args

from firmware.clock import Clock, Moment
from firmware.journal import Draft, Journal, JournalFullError
from firmware.status import StatusBoard
from mqtt import messages, topics

log = logging.getLogger(__name__)

HELD_LIMIT = 1_000
PLACE_AGE_S = 60.0  # an older fix says nothing about where this happened


class Diary:
    """Makes events and writes them at once. May be used by any thread."""

    def __init__(self, *, unit: str, boot: str, clock: Clock, status: StatusBoard) -> None:
        self._unit = unit
        self._boot = boot
        self._clock = clock
        self._status = status
        self._journal: Journal | None = None
        self._lock = threading.Lock()
        self._held: list[Draft] = []  # events that a full card did not take

    def open(self, journal: Journal) -> None:
        """Name the journal that events go to; before that only tombstones can be made."""
        self._journal = journal

    def draft(self, event: str, data: dict[str, Any] | None = None, moment: Moment | None = None) -> Draft:
        """An event that waits for its number, to be written together with other records."""
        assert self._journal is not None
        moment, name = moment or self._clock.now(), self._journal.log
        return Draft(topics.EVENT.kind, lambda number: self._payload(name, (number, 1), event, data or {}, moment))

    def note(self, event: str, data: dict[str, Any] | None = None) -> None:
        """Write an event now; durable when this returns, except on a full card: then it waits in memory for the next one."""
        assert self._journal is not None
        with self._lock:
            drafts = [*self._held, self.draft(event, data)]
            try:
                self._journal.append(self._boot, drafts)
            except JournalFullError as error:
                self._held = drafts[-HELD_LIMIT:]
                log.critical("%s; %s waits in memory", error, event)
            else:
                self._held = []

    def tombstone(self, journal: str, number: int, span: int, reason: str) -> bytes:
        """The payload of an event that accounts for numbers whose records are gone."""
        return self._payload(journal, (number, span), "storage.dropped", {"count": span, "reason": reason}, self._clock.now())

    def _payload(self, journal: str, numbers: tuple[int, int], event: str, data: dict[str, Any], moment: Moment) -> bytes:
        place = self._status.snapshot().position
        near = place is not None and moment.mono_ms / 1000 - place.mono_s <= PLACE_AGE_S
        return messages.encode(
            messages.Event(
                unit=self._unit,
                boot=self._boot,
                log=journal,
                seq=numbers[0],
                span=numbers[1],
                t=messages.utc_text(moment.at_ms),
                src=_source(moment.src),
                mono_ms=moment.mono_ms,
                event=event,
                data=data,
                latitude=round(place.lat_deg, 7) if place and near else None,
                longitude=round(place.lon_deg, 7) if place and near else None,
            )
        )


def _source(src: str) -> Any:
    assert src in get_args(get_args(messages.TimeSource)[0])
    return src
