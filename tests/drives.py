"""What the virtual van's receiver says of its drives, as epochs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import islice, pairwise

from drivers.gnss.fix import Epoch
from drivers.sim.route import Route, Waypoint, ghent, lay
from drivers.sim.van import Noise, VanEpoch, VirtualVan
from firmware.driving.distance import distance_m

MOTORWAY_MPS = 120 / 3.6
CORNERS = ((0, 0), (9_000, 1_500), (14_000, 9_000), (6_000, 14_000), (-4_000, 8_000))


@cache
def motorway() -> Route:
    """55 km at 120 km/h with five slow corners."""
    return lay(tuple(Waypoint(east_m, north_m, MOTORWAY_MPS) for east_m, north_m in CORNERS))


@cache
def drive(noise: Noise, count: int, seed: int = 1, *, on_motorway: bool = False) -> tuple[VanEpoch, ...]:
    """The van's first epochs, one a second."""
    return tuple(islice(VirtualVan(seed, noise=noise, route=motorway() if on_motorway else ghent()), count))


@cache
def first_round(noise: Noise, seed: int) -> tuple[VanEpoch, ...]:
    """Once around Ghent, until the key is turned back at the depot: 20 to 25 minutes."""
    drove = drive(noise, 1_900, seed)
    length_m = ghent().length_m
    end = next(index for index, epoch in enumerate(drove) if epoch.driven_m >= length_m and not epoch.ignition)
    return drove[: end + 1]


def parked_hour(noise: Noise, seed: int = 1) -> list[VanEpoch]:
    """An hour at the depot, engine off."""
    van = VirtualVan(seed, noise=noise)
    van.park(4_000)
    return list(islice(van, 3_601))


def seen(epoch: VanEpoch) -> Epoch:
    """What the receiver says of it: in the tunnel, nothing."""
    if epoch.in_tunnel:
        return Epoch(at=epoch.at, mode=1)
    return Epoch(
        at=epoch.at,
        mode=3,
        lat_deg=epoch.lat_deg,
        lon_deg=epoch.lon_deg,
        alt_msl_m=epoch.alt_msl_m,
        speed_mps=epoch.speed_mps,
        course_deg=epoch.course_deg,
        hdop=0.9,
        sats_used=11,
    )


def naive_m(epochs: Iterable[VanEpoch]) -> float:
    """The sum of the distances from fix to fix, which an odometer must not be."""
    fixes = [epoch for epoch in epochs if not epoch.in_tunnel]
    return sum(distance_m(one.lat_deg, one.lon_deg, other.lat_deg, other.lon_deg) for one, other in pairwise(fixes))
