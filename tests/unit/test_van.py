"""The virtual van drives as a van: within its pedals, its limits, its lights; and the same seed drives the same seconds."""

from __future__ import annotations

import math
from itertools import groupby, islice, pairwise

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from drivers.sim.route import CITY_MPS, RING_MPS, STREET_MPS, Route, Waypoint, ghent, lay
from drivers.sim.van import NO_NOISE, Noise, VanEpoch, VirtualVan

ROUND_S = 2400  # longer than any round takes


def epochs(count: int, seed: int = 1, *, rate_hz: float = 1.0, noise: Noise = NO_NOISE, route: Route | None = None) -> list[VanEpoch]:
    return list(islice(VirtualVan(seed, rate_hz=rate_hz, noise=noise, route=route), count))


def distance_m(one: VanEpoch, other: VanEpoch) -> float:
    north_m = (other.lat_deg - one.lat_deg) * 111_319.5
    east_m = (other.lon_deg - one.lon_deg) * 111_319.5 * math.cos(math.radians(one.lat_deg))
    return math.hypot(north_m, east_m)


def turns_deg(corners: list[tuple[int, int]]) -> list[float]:
    legs = [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise([*corners, corners[0]])]
    courses_deg = [math.degrees(math.atan2(east, north)) for east, north in legs]
    return [(after - before + 180) % 360 - 180 for before, after in pairwise(courses_deg)]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), rate_hz=st.sampled_from([0.5, 1.0, 5.0, 10.0, 18.0]))
def test_the_van_never_speeds_up_or_brakes_harder_than_a_van_can(seed: int, rate_hz: float) -> None:
    for before, after in pairwise(epochs(2500, seed, rate_hz=rate_hz)):
        assert abs(after.speed_mps - before.speed_mps) * rate_hz <= 2.5


# Most corners drawn at random make a hairpin that no street has.
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    corners=st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), min_size=3, max_size=8, unique=True),
    limit_mps=st.sampled_from([CITY_MPS, STREET_MPS, RING_MPS]),
)
def test_no_route_makes_the_van_exceed_its_limits_or_lose_its_way(corners: list[tuple[int, int]], limit_mps: float) -> None:
    assume(all(abs(turn_deg) < 150 for turn_deg in turns_deg(corners)))
    waypoints = tuple(Waypoint(east * 200, north * 200, limit_mps) for east, north in corners)
    route = lay(waypoints)
    van = VirtualVan(noise=NO_NOISE, route=route)
    for before, after in pairwise(islice(van, 300)):
        assert after.speed_mps <= limit_mps + 1e-9
        assert abs(after.speed_mps - before.speed_mps) <= 2.5
        assert distance_m(before, after) <= after.driven_m - before.driven_m + 0.2  # the last centimetres to the depot's gate


def test_the_same_seed_drives_the_same_seconds() -> None:
    assert epochs(900, seed=7, noise=Noise()) == epochs(900, seed=7, noise=Noise())


def test_another_seed_meets_other_lights() -> None:
    assert epochs(900, seed=7) != epochs(900, seed=8)


def test_noise_changes_what_is_measured_but_not_what_is_driven() -> None:
    true, measured = epochs(900), epochs(900, noise=Noise())
    assert [epoch.driven_m for epoch in true] == [epoch.driven_m for epoch in measured]
    assert all(distance_m(one, other) < 12 for one, other in zip(true, measured, strict=True))
    assert true != measured


def test_positions_follow_the_wheels() -> None:
    for before, after in pairwise(epochs(ROUND_S)):
        assert distance_m(before, after) == pytest.approx(after.driven_m - before.driven_m, rel=0.1, abs=0.3)  # bends are cut


def test_corners_are_taken_slowly() -> None:
    turning = [
        before.speed_mps
        for before, after in pairwise(epochs(ROUND_S))
        if abs((after.course_deg - before.course_deg + 180) % 360 - 180) > 10 and after.driven_m - before.driven_m > 1
    ]
    assert len(turning) > 20
    assert max(turning) < 8


def test_the_ignition_goes_off_for_one_to_three_minutes_at_every_door() -> None:
    drive = epochs(ROUND_S)
    stops = [list(group) for ignition, group in groupby(drive, key=lambda epoch: epoch.ignition) if not ignition]
    assert {round(stop[0].driven_m) for stop in stops[:5]} == {round(door_m) for door_m in ghent().doors_m}
    assert all(59 <= len(stop) <= 181 for stop in stops[:5])
    assert all(epoch.speed_mps == 0 for stop in stops for epoch in stop)


def test_the_van_waits_at_red_lights_with_the_ignition_on() -> None:
    waiting = [epoch for epoch in epochs(ROUND_S) if epoch.speed_mps == 0 and epoch.ignition]
    lights = {light_m for light_m in ghent().lights_m for epoch in waiting if abs(epoch.driven_m - light_m) < 1}
    assert lights


def test_the_sky_is_gone_exactly_in_the_tunnel() -> None:
    start_m, end_m = ghent().tunnel_m
    drive = epochs(600)
    assert any(epoch.in_tunnel for epoch in drive)
    assert all(epoch.in_tunnel is (start_m <= epoch.driven_m < end_m) for epoch in drive)


def test_the_round_is_driven_again_and_again() -> None:
    drive = epochs(3 * ROUND_S)
    assert drive[-1].driven_m > 3 * ghent().length_m
    assert all(after.driven_m >= before.driven_m for before, after in pairwise(drive))


def test_a_parked_receiver_wanders_as_real_ones_do() -> None:
    van = VirtualVan(noise=Noise())
    parked = [epoch for epoch in islice(van, 4 * ROUND_S) if not epoch.ignition]
    steps_m = [distance_m(before, after) for before, after in pairwise(parked) if (after.at - before.at).total_seconds() == 1]
    naive_m_per_hour = sum(steps_m) / len(steps_m) * 3600
    assert 108 < naive_m_per_hour < 888
    assert max(epoch.speed_mps for epoch in parked) < 0.3


def test_a_parked_van_stays_switched_off_for_as_long_as_it_is_told_and_then_drives_on() -> None:
    van = VirtualVan(noise=NO_NOISE)
    van.park(600)
    drive = list(islice(van, 630))
    assert not any(epoch.ignition or epoch.driven_m for epoch in drive[:597])
    assert all(epoch.ignition for epoch in drive[600:])
    assert drive[-1].driven_m > 100
    with pytest.raises(ValueError, match="park it where it stands"):
        van.park(600)


def test_epochs_are_as_far_apart_as_the_rate_says() -> None:
    drive = epochs(50, rate_hz=5.0)
    assert {(after.at - before.at).total_seconds() for before, after in pairwise(drive)} == {0.2}


def test_a_held_van_pulls_over_gently_and_stays_until_it_is_released() -> None:
    van = VirtualVan(noise=NO_NOISE)
    before = list(islice(van, 40))
    assert before[-1].speed_mps > 5
    van.hold()
    held = list(islice(van, 600))
    steps = [after.speed_mps - before.speed_mps for before, after in pairwise([before[-1], *held])]
    assert min(steps) > -2.5
    assert {epoch.driven_m for epoch in held[30:]} == {held[30].driven_m}
    van.release()
    assert list(islice(van, 60))[-1].driven_m > held[-1].driven_m + 100


def test_a_van_released_at_a_door_leaves_it_at_once() -> None:
    van = VirtualVan(noise=NO_NOISE)
    at_door = next(epoch for epoch in van if not epoch.ignition)
    van.hold()
    assert all(epoch.driven_m == at_door.driven_m and not epoch.ignition for epoch in islice(van, 1_000))
    van.release()
    assert list(islice(van, 30))[-1].driven_m > at_door.driven_m
