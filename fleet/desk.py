"""What a fleet manager wants to see: each unit with its newest position, each event with its place."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from fleet import gaps, track
from fleet.rows import EventRow, UnitRow
from fleet.store import Store
from mqtt.codec import TrackPoint
from mqtt.messages import Event, Health, Last, Live, Message, MessageError, Position, decode, utc_text


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """Where a unit was."""

    t: str
    latitude: float
    longitude: float
    speed_mps: float | None


class UnitSight(msgspec.Struct, frozen=True, kw_only=True):
    """One unit now."""

    unit: str
    state: str | None  # online, asleep, offline; None: it has not said
    last_seen: str
    position: Sighting | None
    waiting: int | None  # numbers that it has given and the store does not hold; None: it has not said
    link: str | None  # the way to the broker as its last health told it


class EventSight(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered message."""

    log: str
    seq: int
    span: int
    kind: str
    event: str | None  # None: of a kind that this version does not know, or broken
    t: str | None
    received: str
    data: dict[str, Any] | None
    latitude: float | None
    longitude: float | None
    fault: str | None


def units(store: Store) -> list[UnitSight]:
    """Every unit, by name."""
    return [_unit(store, row) for row in store.units()]


def _unit(store: Store, row: UnitRow) -> UnitSight:
    health = _read(row.health, Health)
    return UnitSight(
        unit=row.unit,
        state=row.state,
        last_seen=utc_text(row.seen_ms),
        position=_newest_sighting(store, row),
        waiting=_waiting(store, row.unit),
        link=health.link if isinstance(health, Health) else None,
    )


def _waiting(store: Store, unit: str) -> int | None:
    told = [gaps.gap(row) for row in store.series(unit) if row.current and row.ledger]
    return sum(gaps.count(gap.waiting) + gaps.count(gap.missing) for gap in told) if told else None


def _newest_sighting(store: Store, row: UnitRow) -> Sighting | None:
    """The newest of the live lane, the retained position and the track."""
    found = [_of_message(_read(row.live, Live)), _of_message(_read(row.last, Last)), _of_fix(store.newest_fix(row.unit))]
    return max((sighting for sighting in found if sighting), key=lambda sighting: sighting.t, default=None)


def _of_message(message: Message | None) -> Sighting | None:
    if not isinstance(message, Position) or message.t is None or message.latitude is None or message.longitude is None:
        return None
    return Sighting(t=message.t, latitude=message.latitude, longitude=message.longitude, speed_mps=message.speed_mps)


def _of_fix(fix: TrackPoint | None) -> Sighting | None:
    if fix is None:
        return None
    told = track.values(fix)
    return Sighting(t=told["t"], latitude=told["latitude"], longitude=told["longitude"], speed_mps=told["speed_mps"])


def events(store: Store, unit: str, limit: int) -> list[EventSight]:
    """The last numbered messages of a unit, oldest first."""
    return [_event(row) for row in store.events(unit, limit)]


def _event(row: EventRow) -> EventSight:
    event = None if row.event is None else _read(row.payload, Event)
    place = (event.latitude, event.longitude) if isinstance(event, Event) else (None, None)
    return EventSight(
        log=row.log,
        seq=row.number,
        span=row.span,
        kind=row.kind,
        event=row.event,
        t=None if row.t_ms is None else utc_text(row.t_ms),
        received=utc_text(row.received_ms),
        data=None if row.data is None else json.loads(row.data),
        latitude=place[0],
        longitude=place[1],
        fault=row.fault,
    )


def _read(payload: bytes | None, kind: type[Message]) -> Message | None:
    """A payload that was checked when it came; None when a receiver of another version checked it."""
    try:
        return None if payload is None else decode(payload, kind)
    except MessageError:
        return None
