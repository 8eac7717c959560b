"""A virtual delivery van: drives a round for ever and says at each epoch what its GNSS receiver and its ignition line would."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from drivers.sim.route import Route, ghent, position

START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
PULL_AWAY_MPS2 = 1.8  # a loaded van, a driver who is not in a hurry
BRAKING_MPS2 = 1.6
HARDEST_MPS2 = 2.4  # neither pedal ever does more than this
TICK_S = 0.1  # the driving is worked out ten times a second, whatever the receiver's rate
CREEP_MPS = 0.2  # the last centimetres before a stop line
STOPPED_WITHIN_M = 0.1
RED_IN_TEN = 6  # of ten lights, this many are red
KEY_TURNED_S = 3.0  # from the key to pulling away


class Noise(msgspec.Struct, frozen=True):
    """How wrong the receiver is: position errors that wander (Gauss-Markov, each axis), Doppler speed errors that do not.

    `moving_sigma_m` is white and comes on top while the wheels turn: reflections change with every metre, a parked receiver's do not.
    Parked, the default makes the naive sum of distances some 400 m an hour; recorded receivers show 108 (median) to 888.
    """

    sigma_m: float = 1.5
    correlation_s: float = 600.0
    speed_sigma_mps: float = 0.05
    moving_sigma_m: float = 0.0


NO_NOISE = Noise(sigma_m=0.0, speed_sigma_mps=0.0)
# Summed up from fix to fix, a round comes out about 6, 20 and 75 % too long, and an hour of parking 110, 400 and 890 m.
OPEN = Noise(sigma_m=1.2, correlation_s=5_000.0, speed_sigma_mps=0.05, moving_sigma_m=2.2)
STREET = Noise(sigma_m=3.0, correlation_s=2_300.0, speed_sigma_mps=0.15, moving_sigma_m=4.1)
CANYON = Noise(sigma_m=8.0, correlation_s=3_300.0, speed_sigma_mps=0.3, moving_sigma_m=8.7)


class VanEpoch(msgspec.Struct, frozen=True):
    """One epoch; position, speed, course and height as measured, the rest as it is."""

    at: datetime  # UTC
    lat_deg: float  # WGS 84
    lon_deg: float
    speed_mps: float
    course_deg: float  # clockwise from true north; the last one driven while the van stands
    alt_msl_m: float
    ignition: bool
    in_tunnel: bool  # the receiver sees no sky
    driven_m: float  # by the wheels since the start, without any noise


class Halt(msgspec.Struct, frozen=True):
    """A place where this round stops, and for how long."""

    at_m: float
    wait_s: float
    ignition: bool  # stays on at a light, is switched off at a door


class VirtualVan:
    """Drives `route` for ever; the same seed drives the same seconds.

    `start` is the UTC time of the first epoch, `rate_hz` how many epochs a simulated second has.
    """

    def __init__(
        self, seed: int = 1, *, start: datetime = START, rate_hz: float = 1.0, noise: Noise | None = None, route: Route | None = None
    ) -> None:
        self.rate_hz = rate_hz
        self._route = route or ghent()
        self._limits_mps = _limits_mps(self._route)
        self._start = start
        self._epochs = 0
        self._ticks = max(1, round(1 / rate_hz / TICK_S))
        self._tick_s = 1 / rate_hz / self._ticks
        self._choices = random.Random(seed)
        self._receiver = _Receiver(noise or Noise(), 1 / rate_hz, self._route.places[0].course_deg, random.Random(seed + 1))
        self._speed_mps = 0.0
        self._along_m = 0.0
        self._rounds = 0
        self._waiting_s = 0.0
        self._ignition = True
        self._held = False
        self._halts: list[Halt] = []
        self._begin_round()

    def __iter__(self) -> Iterator[VanEpoch]:
        while True:
            yield self.step()

    def step(self) -> VanEpoch:
        """The present epoch; the van has then driven on to the next."""
        epoch = self._measure()
        for _ in range(self._ticks):
            self._drive()
        self._epochs += 1
        return epoch

    def park(self, for_s: float) -> None:
        """Switch off here and now, for so long; only while the van stands, as it does in its first epoch."""
        if self._speed_mps > 0:
            raise ValueError(f"the van drives at {self._speed_mps:.1f} m/s; park it where it stands")
        self._waiting_s, self._ignition = for_s, False

    def hold(self) -> None:
        """Pull over and stay, wherever the van is: the driver has something else to do."""
        self._held = True

    @property
    def held_still(self) -> bool:
        """Whether it was told to stay and does."""
        return self._held and self._speed_mps == 0

    def release(self) -> None:
        """Drive on; what is left of a stay at a door is forgotten."""
        if self._held and not self._ignition:
            self._waiting_s = min(self._waiting_s, KEY_TURNED_S)
        self._held = False

    def set_clock(self, at: datetime) -> None:
        """It is so late now, as after a night without power; never earlier than it was."""
        now = self._start + timedelta(seconds=self._epochs / self.rate_hz)
        self._start += max(timedelta(0), at - now)

    def call_at(self, doors_m: Sequence[float]) -> None:
        """Call at these doors from now on, in metres along the route, and meet no lights; only while the van is held and stands."""
        if not self.held_still:
            raise ValueError("the van drives; hold it before it is given another round")
        self._route = msgspec.structs.replace(self._route, doors_m=tuple(sorted(doors_m)), lights_m=())
        self._begin_round()
        self._halts = [halt for halt in self._halts if halt.at_m > self._along_m]

    def _measure(self) -> VanEpoch:
        route = self._route
        index, part = self._where()
        place, ahead = route.places[index], route.places[index + 1]
        east_error_m, north_error_m, up_error_m = self._receiver.position_error_m(self._speed_mps)
        lat_deg, lon_deg = position(
            place.east_m + part * (ahead.east_m - place.east_m) + east_error_m,
            place.north_m + part * (ahead.north_m - place.north_m) + north_error_m,
        )
        speed_mps, course_deg = self._receiver.velocity(self._speed_mps, place.course_deg)
        return VanEpoch(
            at=self._start + timedelta(seconds=self._epochs / self.rate_hz),
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            speed_mps=speed_mps,
            course_deg=course_deg,
            alt_msl_m=_height_m(self._along_m / route.length_m) + up_error_m,
            ignition=self._ignition,
            in_tunnel=route.tunnel_m[0] <= self._along_m < route.tunnel_m[1],
            driven_m=self._rounds * route.length_m + self._along_m,
        )

    def _begin_round(self) -> None:
        """Decide what this round meets: which lights are red, how long each door takes."""
        choices = self._choices
        lights = [Halt(at_m, choices.uniform(8, 45), ignition=True) for at_m in self._route.lights_m if choices.random() * 10 < RED_IN_TEN]
        doors = [Halt(at_m, choices.uniform(60, 180), ignition=False) for at_m in (*self._route.doors_m, self._route.length_m)]
        self._halts = sorted(lights + doors, key=lambda halt: halt.at_m)

    def _drive(self) -> None:
        if self._held and self._speed_mps == 0:
            return
        if self._waiting_s > 0:
            self._wait()
            return
        halt = self._halts[0]
        left_m = halt.at_m - self._along_m
        if left_m < STOPPED_WITHIN_M and self._speed_mps <= HARDEST_MPS2 * self._tick_s:
            self._stand(halt)
            return
        wanted_mps = 0.0 if left_m < STOPPED_WITHIN_M else max(CREEP_MPS, self._allowed_mps(left_m))
        if self._held:
            wanted_mps = max(0.0, self._speed_mps - BRAKING_MPS2 * self._tick_s)
        softest = self._speed_mps - HARDEST_MPS2 * self._tick_s
        self._speed_mps = max(softest, min(wanted_mps, self._speed_mps + PULL_AWAY_MPS2 * self._tick_s))
        self._along_m = min(self._along_m + self._speed_mps * self._tick_s, halt.at_m)

    def _allowed_mps(self, left_m: float) -> float:
        """What the limits here, the bends ahead and the next halt allow; braking is linear in the square of the speed."""
        index, part = self._where()
        here, ahead = self._limits_mps[index] ** 2, self._limits_mps[index + 1] ** 2
        return math.sqrt(min(here + part * (ahead - here), 2 * BRAKING_MPS2 * left_m))

    def _where(self) -> tuple[int, float]:
        """The place last passed, and the part of the way to the next one."""
        marks_m = self._route.marks_m
        index = min(bisect_right(marks_m, self._along_m), len(marks_m) - 1) - 1
        return index, (self._along_m - marks_m[index]) / (marks_m[index + 1] - marks_m[index])

    def _stand(self, halt: Halt) -> None:
        self._halts.pop(0)
        self._speed_mps = 0.0
        self._ignition = halt.ignition
        self._waiting_s = halt.wait_s if halt.ignition else halt.wait_s + KEY_TURNED_S
        if not self._halts:
            self._rounds += 1
            self._along_m = 0.0
            self._begin_round()

    def _wait(self) -> None:
        self._waiting_s -= self._tick_s
        if self._waiting_s <= KEY_TURNED_S:
            self._ignition = True


class _Receiver:
    """The errors of one receiver, drawn epoch by epoch."""

    def __init__(self, noise: Noise, period_s: float, course_deg: float, dice: random.Random) -> None:
        self._noise = noise
        self._dice = dice
        self._keep = math.exp(-period_s / noise.correlation_s)
        self._fresh_m = noise.sigma_m * math.sqrt(1 - self._keep**2)
        self._errors_m = [dice.gauss(0, noise.sigma_m) for _ in range(3)]
        self._course_deg = course_deg

    def position_error_m(self, speed_mps: float) -> tuple[float, float, float]:
        """East, north and up; height is twice as wrong, for all satellites are above."""
        self._errors_m = [error_m * self._keep + self._dice.gauss(0, self._fresh_m) for error_m in self._errors_m]
        east_m, north_m, up_m = self._errors_m
        if self._noise.moving_sigma_m and speed_mps > 0:
            east_m, north_m, up_m = (error_m + self._dice.gauss(0, self._noise.moving_sigma_m) for error_m in self._errors_m)
        return east_m, north_m, 2 * up_m

    def velocity(self, speed_mps: float, course_deg: float) -> tuple[float, float]:
        """Speed and course as the Doppler shifts show them."""
        along = speed_mps + self._dice.gauss(0, self._noise.speed_sigma_mps)
        across = self._dice.gauss(0, self._noise.speed_sigma_mps)
        if speed_mps > CREEP_MPS:
            self._course_deg = (course_deg + math.degrees(math.atan2(across, along))) % 360
        return math.hypot(along, across), self._course_deg


def _limits_mps(route: Route) -> list[float]:
    """The highest speed at each place from which every slower place ahead can still be reached gently."""
    limits_mps = [place.limit_mps for place in route.places]
    for index in range(len(limits_mps) - 2, -1, -1):
        ahead_m = route.marks_m[index + 1] - route.marks_m[index]
        limits_mps[index] = min(limits_mps[index], math.sqrt(limits_mps[index + 1] ** 2 + 2 * BRAKING_MPS2 * ahead_m))
    return limits_mps


def _height_m(part: float) -> float:
    """Flemish hills: one rise and one hollow a round."""
    return 9.0 + 4.0 * math.sin(2 * math.pi * part)
