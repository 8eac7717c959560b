"""The odometer counts what the wheels drive: not what positions wander, not what a ferry carries, and a power cut costs metres."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gnss.fix import Epoch
from drivers.sim.van import CANYON, NO_NOISE, OPEN, STREET, Noise
from firmware.driving.odometer import Odometer, OdometerState
from tests.drives import drive, first_round, naive_m, parked_hour, seen

START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
M_PER_DEG = 111_195.08  # of latitude, on the sphere that distances are measured on
NOISES = pytest.mark.parametrize("noise", [OPEN, STREET, CANYON], ids=["open", "street", "canyon"])


def fix(at_s: float, speed_mps: float | None, north_m: float = 0.0) -> Epoch:
    return Epoch(at=START + timedelta(seconds=at_s), mode=3, lat_deg=50 + north_m / M_PER_DEG, lon_deg=4.0, speed_mps=speed_mps)


def reading_m(epochs: Iterable[Epoch], odometer: Odometer | None = None) -> float:
    odometer = odometer or Odometer()
    for epoch in epochs:
        odometer.update(epoch)
    return odometer.distance_m


def speeds(*speeds_mps: float) -> list[Epoch]:
    return [fix(at_s, speed_mps) for at_s, speed_mps in enumerate(speeds_mps)]


# What it must show


@NOISES
@pytest.mark.parametrize("seed", [1, 2])
def test_a_parked_hour_adds_at_most_a_metre(noise: Noise, seed: int) -> None:
    hour = parked_hour(noise, seed)
    assert naive_m(hour) > 90
    assert reading_m(map(seen, hour)) <= 1


@pytest.mark.parametrize(("noise", "naive"), [(OPEN, 0.06), (STREET, 0.20), (CANYON, 0.75)], ids=["open", "street", "canyon"])
def test_a_driven_round_is_measured_within_a_per_cent(noise: Noise, naive: float) -> None:
    for seed in (1, 2, 3):
        drove = first_round(noise, seed)
        true_m = drove[-1].driven_m
        assert naive_m(drove) == pytest.approx(true_m * (1 + naive), rel=0.05)
        assert reading_m(map(seen, drove)) == pytest.approx(true_m, rel=0.01)


def costs_m(drove: Sequence[Epoch], off_s: int, cuts: int = 60) -> list[float]:
    """How far the reading differs, after a cut while driving, from that of a unit without one: the state is 0 to 10 s old."""
    dice = random.Random(5)
    costs: list[float] = []
    while len(costs) < cuts:
        cut, age_s = dice.randrange(200, len(drove) - 200), dice.randrange(10)
        if (drove[cut].speed_mps or 0) < 2 or not all(epoch.has_fix for epoch in drove[cut - 20 : cut + off_s + 20]):
            continue
        whole = Odometer()
        reading_m(drove[cut - 150 : cut - age_s], whole)
        state = whole.state
        reading_m(drove[cut - age_s : cut + off_s + 10], whole)
        costs.append(abs(reading_m(drove[cut + off_s : cut + off_s + 10], Odometer(state)) - whole.distance_m))
    return sorted(costs)


@pytest.mark.parametrize("on_motorway", [False, True], ids=["city", "motorway"])
@pytest.mark.parametrize(
    ("noise", "typical_m", "most_m"), [(NO_NOISE, 1, 3), (OPEN, 4, 10), (STREET, 7, 18)], ids=["none", "open", "street"]
)
def test_a_power_cut_costs_at_most_what_two_fixes_err(noise: Noise, typical_m: float, most_m: float, on_motorway: bool) -> None:
    drove = [seen(epoch) for epoch in drive(noise, 2_400, on_motorway=on_motorway)]
    costs = costs_m(drove, off_s=1)
    assert costs[len(costs) // 2] <= typical_m
    assert costs[int(len(costs) * 0.95)] <= most_m


def test_half_a_minute_without_power_on_a_motorway_costs_a_few_metres_too() -> None:
    drove = [seen(epoch) for epoch in drive(OPEN, 2_400, on_motorway=True)]
    costs = costs_m(drove, off_s=30)
    assert costs[len(costs) // 2] <= 10


# Hysteresis


def test_one_fast_fix_is_noise() -> None:
    assert reading_m(speeds(0, 0, 9, 0, 0, 9, 0.2, 0, 0)) == 0


def test_pulling_away_counts_from_standstill() -> None:
    assert reading_m(speeds(0, 0, 1.8, 3.6, 5.4)) == pytest.approx(0.9 + 2.7 + 4.5)


def test_creeping_counts_once_the_vehicle_drives() -> None:
    assert reading_m(speeds(0, 1, 1, 1, 1)) == 0
    assert reading_m(speeds(0, 1, 1, 1, 1, 2, 2)) == pytest.approx(0.5 + 3 + 1.5 + 2)


def test_standing_for_three_seconds_ends_the_counting() -> None:
    stopped = speeds(5, 5, 5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4)
    assert reading_m(stopped) == pytest.approx(10)
    assert reading_m([*stopped, fix(9, 1), fix(10, 1), fix(11, 0.4)]) == pytest.approx(10)


def test_a_gear_change_at_walking_pace_is_counted_through() -> None:
    assert reading_m(speeds(5, 5, 0.4, 0.4, 5)) == pytest.approx(5 + 2.7 + 0.4 + 2.7)


@pytest.mark.parametrize("period_s", [0.1, 0.2, 1.0, 5.0])
def test_the_fixes_own_time_decides_whatever_the_rate(period_s: float) -> None:
    assert reading_m(fix(index * period_s, 10) for index in range(round(100 / period_s) + 1)) == pytest.approx(1000)


def test_an_epoch_told_twice_counts_once() -> None:
    assert reading_m(epoch for epoch in speeds(10, 10, 10, 10) for _ in range(2)) == pytest.approx(30)


# Gaps


def test_a_tunnel_counts_as_its_straight_line() -> None:
    before = [fix(at_s, 20, 20 * at_s) for at_s in range(5)]
    inside = [Epoch(at=START + timedelta(seconds=at_s), mode=1) for at_s in range(5, 40)]
    after = [fix(at_s, 20, 20 * at_s) for at_s in range(40, 45)]
    assert reading_m(before + inside + after) == pytest.approx(20 * 44, rel=1e-3)


def test_a_lost_second_is_filled_from_the_speeds_not_from_the_positions() -> None:
    assert reading_m([fix(0, 10), fix(1, 10), fix(3, 10, north_m=500)]) == pytest.approx(30)


def test_a_parked_vehicle_whose_fixes_come_and_go_adds_nothing() -> None:
    dice = random.Random(3)
    came = [fix(at_s, 0.1, dice.uniform(-20, 20)) for at_s in range(0, 36_000, 20)]
    assert reading_m(came, Odometer(OdometerState(at=START - timedelta(seconds=60), lat_deg=50, lon_deg=4, moving=True))) < 25


@pytest.mark.parametrize(
    ("moving", "off_s", "away_m", "counted"),
    [
        pytest.param(True, 40, 800, True, id="power cut on a motorway"),
        pytest.param(True, 1_500, 20_000, True, id="jam in a long tunnel"),
        pytest.param(True, 40, 2_500, False, id="faster than a van"),
        pytest.param(True, 7_200, 60_000, False, id="nobody knows what happened in two hours"),
        pytest.param(False, 60, 1_500, True, id="set off while the unit started"),
        pytest.param(False, 36_000, 600, True, id="set off in the morning before the first fix"),
        pytest.param(False, 1_200, 6_000, False, id="fjord ferry"),
        pytest.param(False, 10_800, 30_000, False, id="towed away"),
        pytest.param(False, 60, 40, False, id="positions wander"),
        pytest.param(True, -600_000_000, 30, True, id="the receiver's date was repaired"),
        pytest.param(True, -600_000_000, 3_000, False, id="the receiver's date was repaired far away"),
    ],
)
def test_a_gap_counts_only_where_the_wheels_may_have_driven_it(moving: bool, off_s: float, away_m: float, counted: bool) -> None:
    odometer = Odometer(OdometerState(100, START, 50, 4, moving))
    speed_mps = 10 if moving else 0
    assert odometer.update(fix(off_s, speed_mps, away_m)) == pytest.approx(100 + away_m * counted)
    assert odometer.update(fix(off_s + 1, speed_mps, away_m)) == pytest.approx(100 + away_m * counted + speed_mps)


def test_a_receiver_without_speeds_still_measures_roughly() -> None:
    drove = first_round(OPEN, 1)
    mute = [msgspec.structs.replace(seen(epoch), speed_mps=None) for epoch in drove]
    assert reading_m(mute) == pytest.approx(drove[-1].driven_m, rel=0.05)
    assert reading_m(msgspec.structs.replace(seen(epoch), speed_mps=None) for epoch in parked_hour(STREET)) == 0


def test_a_receiver_without_speeds_goes_on_measuring_after_a_ferry() -> None:
    ways_m = [*range(0, 2_000, 10), *range(30_000, 32_000, 10)]
    assert reading_m(fix(at_s, None, way_m) for at_s, way_m in enumerate(ways_m)) == pytest.approx(4_000, rel=0.05)


def test_without_a_fix_nothing_is_known() -> None:
    assert reading_m([Epoch(at=None, mode=3, speed_mps=30), Epoch(at=START, mode=1, speed_mps=30)]) == 0


# Restart


def test_a_vehicle_that_crawls_on_after_a_power_cut_has_not_stopped() -> None:
    odometer = Odometer(OdometerState(100, START, 50, 4, moving=True))
    assert odometer.update(fix(30, 1.0, north_m=40)) == pytest.approx(140)
    assert odometer.update(fix(31, 1.0, north_m=41)) == pytest.approx(141)


def test_the_state_survives_the_journal() -> None:
    odometer = Odometer()
    reading_m(speeds(10, 10, 10), odometer)
    again = msgspec.json.decode(msgspec.json.encode(odometer.state), type=OdometerState)
    assert again == odometer.state
    assert Odometer(again).distance_m == odometer.distance_m == pytest.approx(20)


EPOCHS = st.builds(
    fix,
    st.floats(-10_000, 10_000),
    st.none() | st.floats(0, 100),
    st.floats(-100_000, 100_000),
)


@given(epochs=st.lists(EPOCHS, max_size=40), cut=st.integers(0, 40))
def test_the_reading_never_falls_whatever_comes_and_whenever_it_restarts(epochs: list[Epoch], cut: int) -> None:
    odometer, before_m = Odometer(), 0.0
    for index, epoch in enumerate(epochs):
        if index == cut:
            odometer = Odometer(odometer.state)
        assert odometer.update(epoch) >= before_m
        before_m = odometer.distance_m
