"""The stops in their order: which is next, how far, in which state, and what they ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from firmware.day.progress import Draft, Step, StopState, StopWork
from firmware.day.work import Moment, Work
from firmware.driving.geofence import away_m
from mqtt.run import Line, Need, Proofs, Stop

OPEN = ("open", "arrived")
FAR_M = 100  # a proof made farther away is remarked in it


def stops_of(work: Work) -> list[Stop]:
    """All stops of the run in force, in order."""
    return work.run.plan.stops if work.run else []


def find_stop(work: Work, stop_id: str | None) -> Stop | None:
    """One of them by its id."""
    return next((stop for stop in stops_of(work) if stop.stop_id == stop_id), None)


def state_of(work: Work, stop_id: str) -> StopState:
    """How a stop stands."""
    progress = work.stops.get(stop_id, StopWork())
    if progress.done:
        return progress.done.state
    return "open" if progress.arrived_ms is None else "arrived"


def number_of(work: Work, stop_id: str | None) -> int:
    """Its place in the order, from 1; 0 where it is not in the run."""
    return next((number for number, stop in enumerate(stops_of(work), 1) if stop.stop_id == stop_id), 0)


def next_stop(work: Work) -> Stop | None:
    """The stop that the driver chose while it is open, else the first open one."""
    opened = [stop for stop in stops_of(work) if state_of(work, stop.stop_id) in OPEN]
    return next((stop for stop in opened if stop.stop_id == work.day.current), opened[0] if opened else None)


def place_m(stop: Stop, moment: Moment) -> int | None:
    """Metres from the stop's place; None where either place is unknown."""
    if stop.place is None or moment.position is None:
        return None
    return away_m(moment.position.lat_deg, moment.position.lon_deg, stop.place.latitude, stop.place.longitude)


def radius_m(stop: Stop) -> int:
    """How near counts as there."""
    return stop.place.radius_m if stop.place else FAR_M


def proofs_of(work: Work, stop: Stop) -> Proofs:
    """What a hand-over at the stop must show."""
    return stop.proofs or (work.run.plan.proofs.of(stop.service) if work.run else Proofs())


def codes_of(stop: Stop) -> Iterator[tuple[Line, str]]:
    """Every parcel of the stop that has a code."""
    yield from ((line, code) for line in stop.lines for code in line.codes)


def parcels_of(stop: Stop) -> int:
    """How many pieces the stop is about."""
    return sum(line.qty for line in stop.lines)


def is_open_count(stop: Stop) -> bool:
    """Whether what is fetched is counted, because the run names no code."""
    return stop.service != "delivery" and not any(codes_of(stop))


def need_of(work: Work, stop: Stop, step: Step) -> Need:
    """How much a step of the proof is wanted."""
    proofs = proofs_of(work, stop)
    needs: dict[Step, Need] = {
        "scan": proofs.scan if any(codes_of(stop)) or is_open_count(stop) else "disabled",
        "photo": proofs.photo,
        "cod": "required" if stop.cod and stop.service == "delivery" else "disabled",
        "pin": proofs.pin if stop.pin else "disabled",
        "sign": "disabled" if stop.contactless else proofs.signature,
        "rate": "enabled" if stop.rating and not stop.contactless else "disabled",
        "name": proofs.name,
    }
    return needs[step]


def steps_of(work: Work, stop: Stop, draft: Draft | None = None) -> tuple[Step, ...]:
    """The steps of the proof in order; the last one is always the name, where it is confirmed.

    A correction is made away from the door: it repeats what was handed over and to whom, and nothing that only the door can give.
    """
    order: tuple[Step, ...] = ("scan",) if draft and draft.corrects else ("scan", "photo", "cod", "pin", "sign", "rate")
    return (*(step for step in order if need_of(work, stop, step) != "disabled"), "name")


def unread(work: Work) -> int:
    """How many messages the driver has not read; a run that waits for a word counts as one."""
    notices = work.run.plan.messages if work.run else []
    return sum(notice.message_id not in work.day.read for notice in notices) + (work.offer is not None)
