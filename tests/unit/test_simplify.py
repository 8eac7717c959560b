"""The bound on the track is a promise: these tests try to break it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drivers.sim.van import CANYON, OPEN, STREET, Noise
from firmware.driving.simplify import Simplifier
from firmware.driving.track import to_point
from mqtt.codec import TrackPoint
from tests.drives import drive, parked_hour, seen

START_MS = 1_772_433_000_000
HALF_TURN_E7 = 1_800_000_000
SLACK_M = 1e-6  # floating point
E7_PER_M = 1e7 / 111_195  # of latitude


def fix(number: int, t_s: float, north_m: float = 0.0, east_m: float = 0.0, *, lat_deg: float = 50.0, lon_deg: float = 4.0) -> TrackPoint:
    east_e7 = east_m * E7_PER_M / max(0.001, math.cos(math.radians(lat_deg)))
    lat_e7 = min(900_000_000, max(-900_000_000, round(lat_deg * 1e7 + north_m * E7_PER_M)))
    lon_e7 = (round(lon_deg * 1e7 + east_e7) + HALF_TURN_E7) % (2 * HALF_TURN_E7) - HALF_TURN_E7
    return TrackPoint(number, START_MS + round(t_s * 1000), lat_e7, lon_e7, speed_cms=500)


def keep(simplifier: Simplifier, points: Iterable[TrackPoint], *, parked: bool = False) -> list[TrackPoint]:
    return [kept for point in points for kept in simplifier.update(point, parked=parked)]


def simplified(points: Iterable[TrackPoint], bound_m: float = 5.0) -> list[TrackPoint]:
    simplifier = Simplifier(bound_m)
    return [*keep(simplifier, points), *simplifier.flush()]


def error_m(point: TrackPoint, before: TrackPoint, after: TrackPoint) -> float:
    """How far the fix is, on the WGS 84 ellipsoid, from where its neighbours put it at its time."""
    part = (point.t_ms - before.t_ms) / (after.t_ms - before.t_ms)
    north_e7 = before.lat_e7 + part * (after.lat_e7 - before.lat_e7) - point.lat_e7
    east_e7 = before.lon_e7 + part * turn_e7(before, after) - point.lon_e7
    east_e7 = (east_e7 + HALF_TURN_E7) % (2 * HALF_TURN_E7) - HALF_TURN_E7
    lat = math.radians(point.lat_e7 / 1e7)
    flattened = 1 - 6.694379990141e-3 * math.sin(lat) ** 2
    across_m = 6_378_137 / math.sqrt(flattened)
    along_m = across_m * (1 - 6.694379990141e-3) / flattened
    return math.hypot(math.radians(north_e7 / 1e7) * along_m, math.radians(east_e7 / 1e7) * across_m * math.cos(lat))


def turn_e7(one: TrackPoint, other: TrackPoint) -> int:
    return (other.lon_e7 - one.lon_e7 + HALF_TURN_E7) % (2 * HALF_TURN_E7) - HALF_TURN_E7


def assert_promise(points: Sequence[TrackPoint], kept: Sequence[TrackPoint], bound_m: float) -> None:
    """`tseq` is the place of a fix in the input."""
    places = [point.tseq for point in kept]
    assert places == sorted(set(places))
    assert all(points[point.tseq] == point for point in kept)
    assert (places[0], places[-1]) == (0, len(points) - 1)
    for before, after in pairwise(kept):
        dropped = points[before.tseq + 1 : after.tseq]
        if dropped:
            run = [before, *dropped, after]
            assert all(0 < later.t_ms - earlier.t_ms <= 5_000 for earlier, later in pairwise(run))
            assert after.t_ms - before.t_ms <= 60_000
        assert all(error_m(point, before, after) <= bound_m + SLACK_M for point in dropped)


# The promise

STEP_S = st.sampled_from([0.1, 0.5, 1.0, 1.0, 1.0, 1.0, 5.0]) | st.sampled_from([0.0, -1.0, -1e6, 0.001, 5.001, 70.0, 1e7])
STEP_M = st.floats(-3, 3) | st.floats(-40, 40) | st.sampled_from([0.0, 5.0, 10.0, -10.0, 1e5])
PLACE = st.sampled_from([(50.0, 4.0), (0.0, 180.0), (-36.8, -179.99999), (89.9999, 0.0), (-90.0, 10.0)])


@settings(max_examples=300)
@given(
    steps=st.lists(st.tuples(STEP_S, STEP_M, STEP_M), min_size=1, max_size=120),
    place=PLACE,
    repeat=st.integers(1, 4),
    bound_m=st.sampled_from([0.01, 1.0, 5.0, 50.0, 1_000.0]),
)
@example(steps=[(1.0, 0.0, 0.0)] * 130, place=(50.0, 4.0), repeat=1, bound_m=5.0)
@example(steps=[(1.0, 10.0, -10.0)] * 130, place=(0.0, 180.0), repeat=1, bound_m=5.0)
@example(steps=[(1.0, 10.0, 40.0)] * 60, place=(89.9999, 0.0), repeat=1, bound_m=5.0)
def test_no_way_breaks_the_bound(steps: list[tuple[float, float, float]], place: tuple[float, float], repeat: int, bound_m: float) -> None:
    points, t_s, north_m, east_m = list[TrackPoint](), 0.0, 0.0, 0.0
    for step_s, step_north_m, step_east_m in steps:
        for _ in range(repeat):  # straight for a while, so that windows grow
            t_s, north_m, east_m = t_s + step_s, north_m + step_north_m, east_m + step_east_m
            points.append(fix(len(points), t_s, north_m, east_m, lat_deg=place[0], lon_deg=place[1]))
    assert_promise(points, simplified(points, bound_m), bound_m)


@settings(max_examples=100)
@given(flips=st.lists(st.tuples(st.booleans(), st.integers(1, 90), st.floats(-30, 30)), max_size=12))
def test_parking_and_driving_off_break_it_neither(flips: list[tuple[bool, int, float]]) -> None:
    simplifier, kept, t_s, north_m = Simplifier(), list[TrackPoint](), 0, 0.0
    driving: list[list[TrackPoint]] = []
    was_parked = True
    for parked, for_s, speed_mps in flips:
        for _ in range(for_s):
            t_s, north_m = t_s + 1, north_m + (speed_mps / 20 if parked else speed_mps)
            point = fix(t_s, t_s, north_m)
            if not parked and was_parked:
                driving.append([])
            if not parked or not was_parked:
                driving[-1].append(point)  # the fix that begins the stay ends the drive
            was_parked = parked
            kept += simplifier.update(point, parked=parked)
            assert not parked or abs(kept[-1].lat_e7 - point.lat_e7) <= 50.1 * E7_PER_M
    kept += simplifier.flush()
    numbered = {point.tseq: point for point in kept}
    for points in driving:
        own = [msgspec.structs.replace(point, tseq=index) for index, point in enumerate(points)]
        assert_promise(own, [point for point, was in zip(own, points, strict=True) if was.tseq in numbered], 5.0)


@pytest.mark.parametrize("on_motorway", [False, True], ids=["city", "motorway"])
@pytest.mark.parametrize(
    ("noise", "most_percent"), [(Noise(), 9), (OPEN, 40), (STREET, 75), (CANYON, 95)], ids=["smooth", "open", "street", "canyon"]
)
def test_a_drive_is_told_in_fewer_fixes(noise: Noise, most_percent: float, on_motorway: bool) -> None:
    drove = [to_point(seen(epoch)) for epoch in drive(noise, 1_500, on_motorway=on_motorway) if not epoch.in_tunnel]
    points = [msgspec.structs.replace(point, tseq=index) for index, point in enumerate(drove)]
    kept = simplified(points)
    assert_promise(points, kept, 5.0)
    assert len(kept) / len(points) * 100 <= most_percent


def test_bound_zero_keeps_every_fix() -> None:
    points = [fix(number, number // 2) for number in range(100)]
    assert simplified(points, 0) == points
    assert keep(Simplifier(0), points, parked=True) == points


def test_a_straight_road_at_one_speed_needs_one_fix_a_minute() -> None:
    kept = simplified(fix(number, number, 30 * number) for number in range(301))
    assert [point.tseq for point in kept] == [0, 60, 120, 180, 240, 300]


def test_braking_on_a_straight_road_shows_though_the_line_does_not_bend() -> None:
    ways_m = [20.0 * number if number < 30 else 600.0 for number in range(60)]
    kept = simplified(fix(number, number, way_m) for number, way_m in enumerate(ways_m))
    assert any(28 <= point.tseq <= 30 for point in kept)


def test_both_ends_of_a_gap_are_kept() -> None:
    times_s = [*range(20), *range(50, 70)]
    kept = simplified(fix(number, t_s, 10 * t_s) for number, t_s in enumerate(times_s))
    assert [point.tseq for point in kept] == [0, 19, 20, 39]


def test_a_clock_that_steps_back_is_no_line() -> None:
    times_s = [*range(20), *range(10, 30)]
    kept = simplified(fix(number, t_s, 10 * t_s) for number, t_s in enumerate(times_s))
    assert [point.tseq for point in kept] == [0, 19, 20, 39]


def test_crossing_the_antimeridian_costs_no_fix() -> None:
    kept = simplified(fix(number, number, east_m=20 * number, lat_deg=-17, lon_deg=179.995) for number in range(61))
    assert [point.tseq for point in kept] == [0, 60]


def test_the_window_is_bounded_whatever_the_rate() -> None:
    simplifier = Simplifier()
    for number in range(3_000):
        simplifier.update(fix(number, number / 100))
        assert len(simplifier._window) <= 600


def test_flush_gives_the_newest_fix_once() -> None:
    simplifier = Simplifier()
    assert simplifier.flush() == []
    points = [fix(number, number, 10 * number) for number in range(10)]
    assert keep(simplifier, points) == points[:1]
    assert simplifier.flush() == points[-1:]
    assert simplifier.flush() == []
    assert simplifier.update(fix(10, 10, 100)) == []


# Parked


def test_a_parked_hour_is_twelve_heart_beats_at_one_place() -> None:
    simplifier = Simplifier()
    arrived, *hour = [to_point(seen(epoch)) for epoch in parked_hour(STREET)]
    assert simplifier.update(arrived) == [arrived]
    place, *beats = keep(simplifier, hour, parked=True)
    assert [beat.t_ms - place.t_ms for beat in beats] == [300_000 * number for number in range(1, 12)]
    assert {(beat.lat_e7, beat.lon_e7, beat.alt_m) for beat in beats} == {(place.lat_e7, place.lon_e7, place.alt_m)}
    assert {(beat.speed_cms, beat.course_cdeg) for beat in beats} == {(0, None)}


def test_the_place_where_it_parks_is_kept_at_once_and_so_is_the_first_fix_of_the_drive() -> None:
    simplifier = Simplifier()
    arrival = [fix(number, number, 10 * number) for number in range(10)]
    keep(simplifier, arrival)
    parks, stays, leaves = fix(10, 10, 95), fix(11, 11, 99), fix(12, 12, 100)
    assert simplifier.update(parks, parked=True)[-1] == parks
    assert simplifier.update(stays, parked=True) == []
    assert simplifier.update(leaves) == [leaves]


def test_a_parked_vehicle_that_is_carried_away_is_seen_every_50_metres() -> None:
    simplifier = Simplifier()
    kept = keep(simplifier, [fix(number, number, 15.0 * number) for number in range(101)], parked=True)
    assert [point.tseq for point in kept] == list(range(0, 101, 4))


def test_a_clock_that_steps_back_does_not_silence_a_parked_vehicle() -> None:
    simplifier = Simplifier()
    simplifier.update(fix(0, 1_000_000), parked=True)
    assert [point.t_ms for point in simplifier.update(fix(1, 0), parked=True)] == [START_MS]
