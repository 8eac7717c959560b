"""An invented delivery round in Ghent: streets, bends, lights, doors and one tunnel, as a line with a speed limit at each metre."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

import msgspec

ORIGIN_LAT_DEG = 51.0530  # the depot; the streets around it are invented
ORIGIN_LON_DEG = 3.7400
EARTH_RADIUS_M = 6_378_137.0

STREET_CUT_M = 10.0  # a street corner is rounded from this far before it: a right angle has 10 m radius
RING_CUT_M = 40.0
STRAIGHT_ON = math.radians(1)  # less than this is no bend
SIDEWAYS_MPS2 = 2.0  # parcels stay on their shelves
CITY_MPS = 30 / 3.6
STREET_MPS = 50 / 3.6
RING_MPS = 70 / 3.6


class Waypoint(msgspec.Struct, frozen=True):
    """A corner of the round and the street that leads away from it."""

    east_m: float
    north_m: float
    limit_mps: float = STREET_MPS


class Place(msgspec.Struct, frozen=True):
    """A point of the round, drawn at most a metre from the next."""

    east_m: float
    north_m: float
    course_deg: float  # clockwise from true north
    limit_mps: float


class Route(msgspec.Struct, frozen=True):
    """A closed round; everything along it is given in metres from the depot."""

    places: tuple[Place, ...]
    marks_m: tuple[float, ...]  # how far along the round each place is
    lights_m: tuple[float, ...] = ()
    doors_m: tuple[float, ...] = ()  # where parcels are delivered
    tunnel_m: tuple[float, float] = (0.0, 0.0)

    @property
    def length_m(self) -> float:
        """Once around."""
        return self.marks_m[-1]

    def place_at(self, along_m: float) -> Place:
        """The drawn place nearest before a point of the round."""
        return self.places[bisect_right(self.marks_m, along_m) - 1]


GHENT = (
    Waypoint(0, 0, CITY_MPS),
    Waypoint(260, 40, CITY_MPS),
    Waypoint(300, 420, STREET_MPS),
    Waypoint(840, 520, STREET_MPS),
    Waypoint(1010, 300, RING_MPS),
    Waypoint(2350, 180, RING_MPS),
    Waypoint(2900, -420, RING_MPS),
    Waypoint(2820, -1180, STREET_MPS),
    Waypoint(2240, -1300, CITY_MPS),
    Waypoint(2160, -980, CITY_MPS),
    Waypoint(1620, -1060, STREET_MPS),
    Waypoint(1240, -640, STREET_MPS),
    Waypoint(700, -760, CITY_MPS),
    Waypoint(560, -430, CITY_MPS),
    Waypoint(120, -360, CITY_MPS),
)


def ghent() -> Route:
    """The round that the virtual van drives when it is told nothing else: 8.1 km, five doors, six lights, 600 m of tunnel."""
    return lay(
        GHENT,
        lights_m=(625.0, 1170.0, 1445.0, 4360.0, 5820.0, 6935.0),
        doors_m=(450.0, 1010.0, 5120.0, 6250.0, 7550.0),
        tunnel_m=(1900.0, 2500.0),
    )


def lay(
    corners: tuple[Waypoint, ...], lights_m: tuple[float, ...] = (), doors_m: tuple[float, ...] = (), tunnel_m: tuple[float, float] = (0, 0)
) -> Route:
    """Draw a closed round through its corners, each rounded to a bend that a van can drive.

    Streets are longer than 100 m, and no corner is so sharp that a van would have to reverse.
    """
    places = tuple(_draw(corners))
    marks_m = [0.0]
    for before, after in pairwise(places):
        marks_m.append(marks_m[-1] + math.hypot(after.east_m - before.east_m, after.north_m - before.north_m))
    return Route(places=places, marks_m=tuple(marks_m), lights_m=lights_m, doors_m=doors_m, tunnel_m=tunnel_m)


def _draw(corners: tuple[Waypoint, ...]) -> Iterator[Place]:
    """The places of a round; the depot's gate stays a sharp corner, for the van stands there."""
    here = corners[0]
    for index, corner in enumerate(corners):
        target = corners[(index + 1) % len(corners)]
        if target is corners[0]:
            yield from _straight(here, target, corner.limit_mps)
            break
        bend = _bend(corner, target, corners[(index + 2) % len(corners)])
        yield from _straight(here, bend[0], corner.limit_mps)
        yield from bend[:-1]
        here = Waypoint(bend[-1].east_m, bend[-1].north_m)
    yield Place(target.east_m, target.north_m, math.degrees(_course(here, target)) % 360, corner.limit_mps)


def _course(start: Waypoint | Place, end: Waypoint | Place) -> float:
    """Radians, clockwise from true north."""
    return math.atan2(end.east_m - start.east_m, end.north_m - start.north_m)


def _straight(start: Waypoint, end: Waypoint | Place, limit_mps: float) -> Iterator[Place]:
    course = _course(start, end)
    length_m = math.hypot(end.east_m - start.east_m, end.north_m - start.north_m)
    for metre in range(math.ceil(length_m)):
        east_m, north_m = start.east_m + metre * math.sin(course), start.north_m + metre * math.cos(course)
        yield Place(east_m, north_m, math.degrees(course) % 360, limit_mps)


def _bend(before: Waypoint, corner: Waypoint, after: Waypoint) -> list[Place]:
    """The arc that rounds a corner, at the speed at which the load stays where it is."""
    course = _course(before, corner)
    turn = (_course(corner, after) - course + math.pi) % (2 * math.pi) - math.pi  # right positive
    if abs(turn) < STRAIGHT_ON:
        return [Place(corner.east_m, corner.north_m, math.degrees(course) % 360, min(before.limit_mps, corner.limit_mps))]
    cut_m = RING_CUT_M if min(before.limit_mps, corner.limit_mps) >= RING_MPS else STREET_CUT_M
    radius_m = cut_m / math.tan(abs(turn) / 2)
    limit_mps = min(before.limit_mps, corner.limit_mps, math.sqrt(SIDEWAYS_MPS2 * radius_m))
    side_m = math.copysign(radius_m, turn)
    centre_east_m = corner.east_m - cut_m * math.sin(course) + side_m * math.cos(course)
    centre_north_m = corner.north_m - cut_m * math.cos(course) - side_m * math.sin(course)
    pieces = math.ceil(abs(turn) * radius_m)
    courses = [course + turn * piece / pieces for piece in range(pieces + 1)]
    return [
        Place(centre_east_m - side_m * math.cos(now), centre_north_m + side_m * math.sin(now), math.degrees(now) % 360, limit_mps)
        for now in courses
    ]


def position(east_m: float, north_m: float) -> tuple[float, float]:
    """Latitude and longitude in degrees; a flat Earth is good to a millimetre at this size of town."""
    lat_deg = ORIGIN_LAT_DEG + math.degrees(north_m / EARTH_RADIUS_M)
    lon_deg = ORIGIN_LON_DEG + math.degrees(east_m / (EARTH_RADIUS_M * math.cos(math.radians(ORIGIN_LAT_DEG))))
    return lat_deg, lon_deg
