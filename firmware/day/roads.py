"""Between the stops: arriving, leaving, choosing the next one, and time going by. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from firmware.day.check import after_sign_in
from firmware.day.closing import undo_left_ms
from firmware.day.delivery import STEPS, StopName, can_go_on, hand_out
from firmware.day.progress import Visit
from firmware.day.stops import OPEN, find_stop, next_stop, place_m, radius_m, state_of, stops_of
from firmware.day.turn import Act, Nothing, Turn, Word, on, refuse
from firmware.day.work import Moment, Screen, Work
from firmware.driving import geofence
from firmware.driving.geofence import inside, trustworthy
from mqtt.run import Stop

RESTING: frozenset[Screen] = on("route", "drive", "stop", "messages", "end")


class Here(msgspec.Struct, frozen=True):
    """The stop where the vehicle stands; without one it is the next."""

    stop_id: Word | None = None


def open_route(turn: Turn, _: Nothing) -> None:
    """The list of stops."""
    turn.show("route")


def open_stop(turn: Turn, given: StopName) -> None:
    """Look at a stop; the way leads there from now on."""
    stop = turn.stop_of(given.stop_id)
    turn.day(current=stop.stop_id)
    turn.show("stop")


def arrive_by_hand(turn: Turn, given: Here) -> None:
    """The driver says that this is the place."""
    stop = turn.stop_of(given.stop_id) if given.stop_id else next_stop(turn.work) or refuse("stop.none_left")
    if state_of(turn.work, stop.stop_id) not in OPEN:
        refuse("stop.done")
    arrive(turn, stop, "driver")


def drive(turn: Turn, _: Nothing) -> None:
    """Show the way to the next stop."""
    turn.show("drive")


def arrive(turn: Turn, stop: Stop, by: Literal["geofence", "driver"]) -> None:
    """The vehicle is at the stop: its screen opens with no tap."""
    progress = turn.work.stops.get(stop.stop_id)
    if turn.work.day.visit and turn.work.day.visit.stop_id != stop.stop_id:
        _depart(turn)
    if progress is None or progress.arrived_ms is None:
        turn.at_stop(stop.stop_id, arrived_ms=turn.moment.at_ms)
        turn.note("stop.arrive", stop_id=stop.stop_id, by=by, place_m=place_m(stop, turn.moment))
    turn.day(current=stop.stop_id, visit=Visit(stop_id=stop.stop_id, at_ms=turn.moment.at_ms, where=turn.moment.position))
    turn.show("stop")


def tick(turn: Turn) -> None:
    """Time went by: what was confirmed is let go, the vehicle arrived, left, or stands."""
    screen = settled_screen(turn.work, turn.moment)
    if screen != turn.work.face.screen:
        turn.show(screen)
    if turn.work.face.override and turn.moment.moving is False:
        turn.face(override=False)
    if turn.work.day.visit and _has_left(turn.work, turn.work.day.visit, turn.moment):
        _depart(turn)
    stop = _awaited(turn.work)
    if stop and turn.work.face.screen in {"route", "drive"} and _has_come(turn.work, stop, turn.moment):
        arrive(turn, stop, "geofence")


def let_go(turn: Turn) -> None:
    """Hand out a confirmed proof whose time for undo is over."""
    if turn.work.pending and not undo_left_ms(turn.work, turn.moment):
        hand_out(turn)


def settled_screen(work: Work, moment: Moment) -> Screen:
    """The screen of the work; another one where what it needs is not there, as after a damaged row."""
    screen = work.face.screen
    if screen == "boot":
        screen = "signin" if moment.ready else "boot"
    if screen != "boot" and (work.run is None or work.day.driver is None):
        return "signin"
    if screen == "signin":
        return after_sign_in(work)
    if screen == "stop":
        return "stop" if find_stop(work, work.day.current) else "route"
    return screen if _has_its_proof(work, screen) else "route"


def _awaited(work: Work) -> Stop | None:
    """The stop whose screen opens by itself: the next one, or the first that the vehicle has never been at."""
    stop = next_stop(work)
    if stop is None or state_of(work, stop.stop_id) == "open":
        return stop
    return next((other for other in stops_of(work) if state_of(work, other.stop_id) == "open"), None)


def _has_its_proof(work: Work, screen: Screen) -> bool:
    if screen not in STEPS and screen != "exception":
        return True
    if not can_go_on(work):
        return False
    draft = work.stops[work.day.current or ""].draft
    return draft is not None and (draft.trouble is not None if screen == "exception" else draft.step == screen)


def _has_come(work: Work, stop: Stop, moment: Moment) -> bool:
    away_m = place_m(stop, moment)
    if away_m is None or moment.position is None or moment.moving is not False or state_of(work, stop.stop_id) != "open":
        return False
    return trustworthy(moment.position.age_ms, moment.position.accuracy_m) and inside(away_m, radius_m(stop), was_inside=False)


def _has_left(work: Work, visit: Visit, moment: Moment) -> bool:
    """Where the stop has no place, being away from where the visit began by as much counts."""
    stop = find_stop(work, visit.stop_id)
    if stop is None:
        return True
    if moment.position is None or not trustworthy(moment.position.age_ms, moment.position.accuracy_m):
        return False
    away_m = _from_visit_m(visit, moment) if visit.where else place_m(stop, moment)
    return away_m is not None and not inside(away_m, radius_m(stop), was_inside=True)


def _from_visit_m(visit: Visit, moment: Moment) -> int | None:
    if visit.where is None or moment.position is None:
        return None
    return geofence.away_m(visit.where.lat_deg, visit.where.lon_deg, moment.position.lat_deg, moment.position.lon_deg)


def _depart(turn: Turn) -> None:
    visit = turn.work.day.visit
    assert visit is not None
    turn.note("stop.depart", stop_id=visit.stop_id, arrived_ms=visit.at_ms)
    turn.day(visit=None)
    if turn.work.face.screen == "stop" and turn.work.day.current == visit.stop_id:
        turn.show("route")


COMMANDS = {
    "route.open": Act(Nothing, open_route, RESTING),
    "route.stop": Act(StopName, open_stop, RESTING),
    "route.arrive": Act(Here, arrive_by_hand, on("route", "drive", "stop")),
    "route.drive": Act(Nothing, drive, RESTING),
}
