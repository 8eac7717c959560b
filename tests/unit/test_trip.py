"""A trip is what a driver would call one: a red light does not end it, a delivery pauses it, and it ends when the wheels stopped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gnss.fix import Epoch
from drivers.sim.van import CANYON, OPEN, Noise
from firmware.driving.odometer import Odometer
from firmware.driving.trip import Ended, Started, Trip, TripEvent, TripState
from tests.drives import first_round, parked_hour, seen

START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
WIRES = pytest.mark.parametrize("wired", [True, False], ids=["wired", "not wired"])


class Drive:
    """One look a second; the odometer is the real one."""

    def __init__(self, *, wired: bool) -> None:
        self.trip = Trip()
        self.wired = wired
        self.at_s = 0.0
        self.odometer = Odometer()
        self.events: list[TripEvent] = []

    def go(self, for_s: int, speed_mps: float | None, *, key: bool = True) -> Drive:
        for _ in range(for_s):
            self.at_s += 1
            mode = 1 if speed_mps is None else 3
            self.odometer.update(Epoch(at=START + timedelta(seconds=self.at_s), mode=mode, lat_deg=50, lon_deg=4, speed_mps=speed_mps))
            self.events += self.trip.update(self.at_s, speed_mps, key if self.wired else None, self.odometer.distance_m)
        return self

    def state(self) -> TripState:
        return self.trip.state


# Every state, every input: one look after so many seconds without any. + a trip starts, - a trip ends.
# waiting: driving, and standing for ten seconds.
TABLE = """
    state    wire  speed 1_s        200_s      700_s      2000_s
    parked   none  none  parked     parked     parked     parked
    parked   none  0     parked     parked     parked     parked
    parked   none  1     parked     parked     parked     parked
    parked   none  12    parked     parked     parked     parked
    parked   off   none  parked     parked     parked     parked
    parked   off   0     parked     parked     parked     parked
    parked   off   1     parked     parked     parked     parked
    parked   off   12    parked     parked     parked     parked
    parked   on    none  driving+   driving+   driving+   driving+
    parked   on    0     driving+   driving+   driving+   driving+
    parked   on    1     driving+   driving+   driving+   driving+
    parked   on    12    driving+   driving+   driving+   driving+
    driving  none  none  driving    driving    driving    parked-
    driving  none  0     driving    driving    driving    parked-
    driving  none  1     driving    driving    driving    parked-
    driving  none  12    driving    driving    driving    parked-
    driving  off   none  driving    paused     paused     paused
    driving  off   0     driving    driving    driving    driving
    driving  off   1     driving    driving    driving    driving
    driving  off   12    driving    driving    driving    driving
    driving  on    none  driving    driving    driving    driving
    driving  on    0     driving    driving    driving    driving
    driving  on    1     driving    driving    driving    driving
    driving  on    12    driving    driving    driving    driving
    waiting  none  none  driving    paused     parked-    parked-
    waiting  none  0     driving    paused     parked-    parked-
    waiting  none  1     driving    paused     parked-    parked-
    waiting  none  12    driving    paused     parked-    parked-
    waiting  off   none  paused     paused     paused     paused
    waiting  off   0     paused     paused     paused     paused
    waiting  off   1     paused     paused     paused     paused
    waiting  off   12    paused     paused     paused     paused
    waiting  on    none  driving    driving    driving    driving
    waiting  on    0     driving    driving    driving    driving
    waiting  on    1     driving    driving    driving    driving
    waiting  on    12    driving    driving    driving    driving
    paused   none  none  paused     paused     parked-    parked-
    paused   none  0     paused     paused     parked-    parked-
    paused   none  1     paused     paused     parked-    parked-
    paused   none  12    paused     paused     parked-    parked-
    paused   off   none  paused     paused     parked-    parked-
    paused   off   0     paused     paused     parked-    parked-
    paused   off   1     paused     paused     parked-    parked-
    paused   off   12    paused     paused     parked-    parked-
    paused   on    none  driving    driving    driving-+  driving-+
    paused   on    0     driving    driving    driving-+  driving-+
    paused   on    1     driving    driving    driving-+  driving-+
    paused   on    12    driving    driving    driving-+  driving-+
"""
COLUMNS, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
LOOKS = [(*row[:3], float(name.removesuffix("_s")), cell) for row in ROWS for name, cell in zip(COLUMNS[3:], row[3:], strict=True)]


def in_state(state: str, *, wired: bool) -> Drive:
    drive = Drive(wired=wired)
    if state == "parked":
        return drive.go(1, 0, key=False)
    drive.go(3, 12)
    if state == "driving":
        return drive
    drive.go(11, 0)
    if state == "waiting":
        return drive
    return drive.go(1, 0, key=False) if wired else drive.go(170, 0)


@pytest.mark.parametrize(("state", "wire", "speed", "after_s", "cell"), LOOKS)
def test_every_state_answers_every_input(state: str, wire: str, speed: str, after_s: float, cell: str) -> None:
    drive = in_state(state, wired=wire != "none")
    assert drive.state() == ("driving" if state == "waiting" else state)
    speed_mps = None if speed == "none" else float(speed)
    ignition_on = None if wire == "none" else wire == "on"
    events = drive.trip.update(drive.at_s + after_s, speed_mps, ignition_on, drive.odometer.distance_m)
    assert drive.state() + "".join("+" if isinstance(event, Started) else "-" for event in events) == cell


def test_the_table_has_every_state_and_every_input() -> None:
    assert len({tuple(row[:3]) for row in ROWS}) == len(ROWS) == 4 * 3 * 4


@WIRES
def test_red_light_does_not_end_the_trip(wired: bool) -> None:
    drive = Drive(wired=wired).go(60, 12).go(175, 0)
    assert drive.state() is TripState.DRIVING
    assert len(drive.go(60, 12).events) == 1


@WIRES
def test_a_delivery_pauses_the_trip_and_the_trip_goes_on(wired: bool) -> None:
    drive = Drive(wired=wired).go(60, 12).go(300, 0, key=False)
    assert drive.state() is TripState.PAUSED
    drive.go(700, 12)
    assert drive.state() is TripState.DRIVING
    assert len(drive.events) == 1


@WIRES
def test_the_trip_ends_at_the_moment_the_wheels_stopped(wired: bool) -> None:
    drive = Drive(wired=wired).go(61, 12).go(9, 0).go(700, 0, key=False)
    assert drive.state() is TripState.PARKED
    assert drive.events == [Started(1, 0), Ended(at_s=62, started_s=1, odometer_m=720, driven_m=720)]


def test_an_engine_left_idling_does_not_end_the_trip() -> None:
    drive = Drive(wired=True).go(60, 12).go(3_600, 0)
    assert drive.state() is TripState.DRIVING
    drive.go(601, 0, key=False)
    assert [event.at_s for event in drive.events] == [1, 61]


def test_a_pause_begins_with_the_key_not_with_the_last_metre() -> None:
    drive = Drive(wired=True).go(60, 12).go(590, 0).go(590, 0, key=False)
    assert drive.state() is TripState.PAUSED


@WIRES
def test_each_trip_has_its_own_metres(wired: bool) -> None:
    drive = Drive(wired=wired)
    for driven_s in (101, 201):
        drive.go(driven_s, 10).go(800, 0, key=False)
    assert [event.driven_m for event in drive.events if isinstance(event, Ended)] == pytest.approx([1_000, 2_005], abs=10)


def test_a_key_turned_without_driving_is_a_trip_of_no_length() -> None:
    drive = Drive(wired=True).go(100, 0).go(601, 0, key=False)
    assert drive.events == [Started(1, 0), Ended(1, 1, 0, 0)]


def test_a_key_turned_off_in_a_garage_ends_the_trip_there() -> None:
    drive = Drive(wired=True).go(60, 12).go(90, None).go(601, None, key=False)
    assert drive.events[1].at_s == 151


def test_a_loose_ignition_wire_does_not_stop_a_rolling_vehicle() -> None:
    drive = Drive(wired=True).go(60, 12).go(60, 12, key=False)
    assert drive.state() is TripState.DRIVING
    drive.go(4, 0, key=False)
    assert drive.state() is TripState.PAUSED


def test_a_vehicle_on_a_tow_truck_makes_no_trip() -> None:
    assert Drive(wired=True).go(600, 20, key=False).events == []


def test_without_a_wire_a_tunnel_does_not_end_the_trip_but_an_underground_car_park_does() -> None:
    drive = Drive(wired=False).go(60, 12).go(1_700, None).go(10, 12)
    assert len(drive.events) == 1
    drive.go(1_900, None)
    assert drive.events[1].at_s == 1_770
    assert len(drive.go(60, 0.2).go(3, 12).events) == 3


def test_what_was_missed_between_two_looks_ends_the_trip_before_the_next_begins() -> None:
    drive = Drive(wired=False).go(61, 12)
    drive.at_s = 10_000
    drive.go(2, 12)
    assert drive.events[1:] == [Ended(61, 1, 720, 720), Started(10_001, 720)]


def test_a_trip_by_motion_starts_at_the_first_metre() -> None:
    drive = Drive(wired=False).go(100, 0).go(1, 1.8).go(10, 3)
    assert drive.events == [Started(101, 0)]


def test_one_fast_fix_starts_no_trip() -> None:
    assert Drive(wired=False).go(100, 0).go(1, 9).go(100, 0).events == []


def test_metres_missed_while_the_unit_was_without_power_belong_to_the_trip_it_wakes_up_in() -> None:
    trip = Trip(odometer_m=1_000)
    assert trip.update(1, 12, ignition_on=True, odometer_m=1_300) == [Started(1, 1_000)]


@pytest.mark.parametrize("noise", [OPEN, CANYON], ids=["open", "canyon"])
@WIRES
def test_a_round_with_five_deliveries_is_one_trip_as_long_as_the_odometer_says(noise: Noise, wired: bool) -> None:
    trip, odometer, events = Trip(), Odometer(), list[TripEvent]()
    drove = first_round(noise, 1)
    for at_s, epoch in enumerate(drove):
        odometer.update(seen(epoch))
        speed_mps = None if epoch.in_tunnel else epoch.speed_mps
        events += trip.update(at_s, speed_mps, epoch.ignition if wired else None, odometer.distance_m)
    for at_s in range(len(drove), len(drove) + 700):
        events += trip.update(at_s, 0.1, False if wired else None, odometer.distance_m)
    started, ended = events
    assert isinstance(ended, Ended)
    assert ended.driven_m == pytest.approx(odometer.distance_m - started.odometer_m)
    assert ended.driven_m == pytest.approx(drove[-1].driven_m, rel=0.01)
    stopped_s = next(at_s for at_s, epoch in enumerate(drove) if epoch.driven_m == drove[-1].driven_m)
    assert abs(ended.at_s - stopped_s) <= 1


def test_noise_alone_starts_no_trip_in_an_hour_between_tall_houses() -> None:
    trip = Trip()
    assert [event for at_s, epoch in enumerate(parked_hour(CANYON)) for event in trip.update(at_s, epoch.speed_mps, None)] == []


LOOK = st.tuples(
    st.sampled_from([0.2, 1.0, 4.0, 10.0, 200.0, 700.0, 2_000.0]),
    st.sampled_from([None, 0.0, 1.0, 12.0]),
    st.sampled_from([None, False, True]),
)


@given(looks=st.lists(LOOK, max_size=40))
def test_trips_follow_each_other_and_never_lie_in_the_future(looks: list[tuple[float, float | None, bool | None]]) -> None:
    trip, at_s, odometer_m, events = Trip(), 0.0, 0.0, list[TripEvent]()
    for elapsed_s, speed_mps, ignition_on in looks:
        at_s += elapsed_s
        odometer_m += elapsed_s * (speed_mps or 0)
        events += trip.update(at_s, speed_mps, ignition_on, odometer_m)
        assert all(event.at_s <= at_s for event in events)
    assert [isinstance(event, Started) for event in events] == [index % 2 == 0 for index in range(len(events))]
    for one, other in pairwise(events):
        assert one.at_s <= other.at_s
        assert one.odometer_m <= other.odometer_m
    for event in events:
        assert not isinstance(event, Ended) or 0 <= event.driven_m <= event.odometer_m
