"""The round that the demo's van drives for a guest: doors that are close, the true time, and a stop at each door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from cli.demo.day import APART_M, doors_ahead, plan
from drivers.sim.route import ghent
from drivers.sim.van import VirtualVan

ROUTE = ghent()
START = datetime(2026, 12, 11, 6, 30, tzinfo=UTC)


@pytest.fixture
def van() -> VirtualVan:
    """A van that drives, and was told to pull over."""
    van = VirtualVan(start=START)
    for _ in range(40):
        van.step()
    van.hold()
    return van


def stand(van: VirtualVan) -> float:
    while not van.held_still:
        van.step()
    return van.step().driven_m


@pytest.mark.parametrize("here_m", [0.0, 700.0, 1_800.0, 2_200.0, 7_900.0])
def test_a_guests_doors_are_close_ahead_of_the_van_and_never_in_the_tunnel(here_m: float) -> None:
    doors_m = doors_ahead(ROUTE, here_m)
    assert len(doors_m) == len(ROUTE.doors_m)
    begins_m, ends_m = ROUTE.tunnel_m
    assert not any(begins_m <= door_m <= ends_m for door_m in doors_m)
    ways_m = [(after - before) % ROUTE.length_m for before, after in pairwise([here_m, *doors_m])]
    assert min(ways_m) == pytest.approx(APART_M)
    assert max(ways_m) <= ends_m - begins_m + 3 * APART_M


def test_the_stops_of_a_guests_run_are_in_the_order_of_his_doors() -> None:
    doors_m = doors_ahead(ROUTE, 7_500.0)
    stops = plan(ROUTE, START, doors_m).stops
    assert [stop.stop_id for stop in stops] == ["s1", "s2", "s3", "s4", "s5"]
    assert len({(stop.place.latitude, stop.place.longitude) for stop in stops if stop.place}) == len(doors_m)


def test_a_van_calls_at_the_doors_that_it_is_given(van: VirtualVan) -> None:
    here_m = stand(van)
    doors_m = doors_ahead(ROUTE, here_m)
    van.call_at(doors_m)
    van.release()
    stood_m = {round(epoch.driven_m) for epoch in (van.step() for _ in range(1_200)) if not epoch.ignition}
    assert {round(door_m) for door_m in doors_m} <= stood_m


def test_a_driving_van_is_given_no_other_round(van: VirtualVan) -> None:
    with pytest.raises(ValueError, match="hold it before"):
        van.call_at([500.0])


def test_the_vans_clock_is_only_ever_set_forwards(van: VirtualVan) -> None:
    before = van.step().at
    van.set_clock(before - timedelta(hours=1))
    assert van.step().at == before + timedelta(seconds=1)
    van.set_clock(before + timedelta(hours=1))
    assert van.step().at == before + timedelta(hours=1)
