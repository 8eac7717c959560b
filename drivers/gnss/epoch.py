"""Sentences in, epochs out: which sentences belong to one moment, when it is complete, and what it amounts to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from drivers.gnss.bridging import Motion, UndatedEpochs
from drivers.gnss.calendar import Calendar, step_s
from drivers.gnss.fix import Epoch
from drivers.gnss.habits import BurstHabits
from drivers.gnss.plausible import PlausibilityGate
from drivers.gnss.sentences import Gga, Gll, Gns, Gsa, Gsv, Rmc, Timed, Txt, Value, Vtg, Zda

if TYPE_CHECKING:
    from datetime import date, datetime

SAME_TIME_S = 0.006  # Magellan writes 120824.758 and 120824.76 for one moment; 100 Hz receivers step by 0.010
MODE_LASTS_S = 10.0  # receivers that save bandwidth send GSA every five seconds
ALTITUDE_LASTS_S = 2.5  # one lost GGA does not make a fix two-dimensional
STEP_S = 3.0  # a longer step in time needs a second sentence to be believed
PERIODS_PER_STEP = 2.5
LONGEST_PERIOD_S = 60.0
FEWEST_SATELLITES = 3
MOST_UNTIMED = 8  # GSA of every constellation, and VTG
NO_FIX, TWO_D, THREE_D = 1, 2, 3
POSITIONED = (Rmc, Gga, Gns, Gll)
OF_THE_SKY = (Gsv, Txt)
UNTIMED = (Vtg, Gsa)


class _Arrival(NamedTuple):
    """A sentence, and when it was complete."""

    value: Value
    offset_bytes: int
    mono_s: float


class _Burst:
    """What the sentences of one moment have said so far."""

    def __init__(self, tod_s: float | None, serial: int, mono_s: float) -> None:
        self.tod_s = tod_s
        self.tells_position = False  # or that there is none
        self.has_void = False
        self.serial = serial
        self.mono_s = mono_s  # when its first sentence came
        self.by_kind: dict[type[Value], Value] = {}  # in order of arrival
        self.addresses: set[str] = set()
        self.gsa_mode = 0
        self.frozen = False
        self.published = False
        self.over = False  # the line fell silent after it

    def add(self, value: Value) -> None:
        """Keep it; of several of a kind (GP, GL, GN) the first that has a fix."""
        kept = self.by_kind.get(type(value))
        if kept is None or is_void(kept):
            self.by_kind[type(value)] = value
            if isinstance(value, POSITIONED):
                self.tells_position = True
                self.has_void = any(is_void(held) for held in self.by_kind.values())
        self.addresses.add(value.address)
        if isinstance(value, Gsa):
            self.gsa_mode = max(self.gsa_mode, value.mode)

    def admits(self, value: Timed) -> bool:
        """Whether a timed sentence belongs to this moment.

        Receivers without a fix send sentences without a time; those never join a fix, nor does a fix join them.
        """
        repeated = value.address in self.addresses
        if value.tod_s is not None and self.tod_s is not None:
            return abs(value.tod_s - self.tod_s) <= SAME_TIME_S and not (repeated and isinstance(value, Gga))
        if repeated:
            return False
        return not self.tells_position or isinstance(value, Zda) or (self.has_void and is_void(value))


class Assembler:
    """Turns the sentences of one receiver into epochs; publishes each once, as soon as its burst is usually complete."""

    def __init__(self, not_before: date) -> None:
        self._calendar = Calendar(not_before)
        self._gate = PlausibilityGate()
        self._habits = {is_void: BurstHabits() for is_void in (False, True)}  # without a fix receivers send other sentences
        self._burst = _Burst(None, 0, 0.0)
        self._period_s = 0.0
        self._doubted: list[_Arrival] = []  # a sentence whose time jumped, and what came after it
        self._leading: list[_Arrival] = []  # untimed sentences that came before the first timed one of their burst
        self._mode = (-2, 0.0, 0)  # burst, time of day and mode of the last GSA
        self._altitude_tod_s: float | None = None
        self._motion = Motion()
        self._undated = UndatedEpochs()

    def add(self, value: Value, offset_bytes: int, mono_s: float) -> list[Epoch]:
        """Take one sentence; return the epochs that it completes (none, mostly)."""
        if isinstance(value, OF_THE_SKY):
            return []
        arrival = _Arrival(value, offset_bytes, mono_s)
        if isinstance(value, UNTIMED):
            if self._doubted:
                self._doubted = [*self._doubted[:MOST_UNTIMED], arrival]
                return []
            return self._take_untimed(arrival)
        if not self._steady(value, mono_s):
            return self._doubt(arrival)
        untimed, self._doubted = self._doubted[1:], []
        epochs = [epoch for held in untimed for epoch in self._take_untimed(held)]
        return epochs + self._take_timed(arrival, value)

    @property
    def holds_epoch(self) -> bool:
        """Whether a silence of the line would complete an epoch."""
        return not self._burst.published and self._burst.tells_position

    def idle(self, offset_bytes: int, mono_s: float) -> list[Epoch]:
        """Return the epoch of a burst after which the line fell silent, unless it is out already."""
        self._burst.over = True
        return self._publish(offset_bytes, mono_s)

    def finish(self, offset_bytes: int, mono_s: float) -> list[Epoch]:
        """Return what is left at the end of a capture."""
        return self._publish(offset_bytes, mono_s) + self._undated.release()

    # Time: a jump needs two sentences

    def _steady(self, value: Timed, mono_s: float) -> bool:
        if value.tod_s is None or self._burst.tod_s is None:
            return True
        step = step_s(self._burst.tod_s, value.tod_s)
        if -SAME_TIME_S <= step <= max(STEP_S, self._period_s * PERIODS_PER_STEP):
            return True
        return step > 0 and abs(step - (mono_s - self._burst.mono_s)) <= STEP_S / 2  # an outage: our own clock went on by as much

    def _doubt(self, arrival: _Arrival) -> list[Epoch]:
        held, self._doubted = self._doubted, [arrival]
        if not held or step_s(_tod_s(held[0]), _tod_s(arrival)) < -SAME_TIME_S:
            return []
        self._doubted = []
        epochs = self._close(held[0]) + self._undated.release()
        self._calendar.jump(_tod_s(held[0]))
        self._period_s = min(abs(step_s(self._burst.tod_s or 0.0, _tod_s(held[0]))), LONGEST_PERIOD_S)
        self._gate.forget()
        self._burst = _Burst(_tod_s(held[0]), self._burst.serial + 1, held[0].mono_s)
        for belated in [*held, arrival]:
            epochs += self.add(*belated)
        return epochs

    # Bursts: where one ends and the next begins

    def _take_timed(self, arrival: _Arrival, value: Timed) -> list[Epoch]:
        before = self._burst
        if before.admits(value):
            before.tod_s = value.tod_s if before.tod_s is None else before.tod_s
            return self._take(arrival)
        epochs = self._close(arrival)
        self._burst = _Burst(value.tod_s, before.serial + 1, arrival.mono_s)
        if value.tod_s is not None and before.tod_s is not None:
            self._period_s = abs(step_s(before.tod_s, value.tod_s))
            self._burst.frozen = value.tod_s == before.tod_s
        leading, self._leading = self._leading, []
        for led in leading:
            self._burst.add(led.value)
        return epochs + self._take(arrival)

    def _take_untimed(self, arrival: _Arrival) -> list[Epoch]:
        again = isinstance(arrival.value, Vtg) and arrival.value.address in self._burst.addresses
        if again or self._burst.over:
            self._leading = [*self._leading[-MOST_UNTIMED:], arrival]
            return []
        return self._take(arrival)

    def _take(self, arrival: _Arrival) -> list[Epoch]:
        burst, kind = self._burst, type(arrival.value)
        burst.add(arrival.value)
        if kind is Gsa:
            self._mode = (burst.serial, burst.tod_s or 0.0, burst.gsa_mode)
        if self.holds_epoch and self._habits[burst.has_void].complete_after(kind, burst.by_kind) and self._can_date(burst):
            return self._publish(arrival.offset_bytes, arrival.mono_s)
        return []

    def _close(self, arrival: _Arrival) -> list[Epoch]:
        epochs = self._publish(arrival.offset_bytes, arrival.mono_s)
        if self._burst.tells_position:
            self._habits[self._burst.has_void].learn(self._burst.by_kind)
        return epochs

    # Epochs: what a burst amounts to

    def _publish(self, offset_bytes: int, mono_s: float) -> list[Epoch]:
        burst = self._burst
        if burst.published or not burst.tells_position:
            return []
        burst.published = True
        return self._undated.dated(self._epoch(burst, offset_bytes, mono_s), burst.tod_s)

    def _can_date(self, burst: _Burst) -> bool:
        return burst.tod_s is None or self._calendar.is_running or any(isinstance(value, Rmc | Zda) for value in burst.by_kind.values())

    def _epoch(self, burst: _Burst, offset_bytes: int, mono_s: float) -> Epoch:
        at = self._date(burst)
        details = [value for kind in (Gga, Gns) if isinstance(value := burst.by_kind.get(kind), Gga | Gns)]
        sats_used = max((value.sats_used for value in details if value.sats_used is not None), default=None)
        mode = self._fix_mode(burst)
        stated = [value.position for value in self._fixes(burst) if value.position]
        position = self._gate.choose(burst.tod_s, stated) if mode >= TWO_D and burst.tod_s is not None else None
        if position is None:
            return Epoch(at=at, mode=NO_FIX, sats_used=sats_used, mono_s=mono_s, offset_bytes=offset_bytes)
        speed, course, age_s = self._motion.at(burst.tod_s or 0.0, _said_motion(burst))
        return Epoch(
            at=at,
            mode=mode,
            lat_deg=position.lat_deg,
            lon_deg=position.lon_deg,
            alt_msl_m=next((value.alt_msl_m for value in details if value.alt_msl_m is not None), None),
            speed_mps=speed,
            course_deg=course,
            speed_age_s=age_s,
            hdop=next((value.hdop for value in details if value.hdop is not None), None),
            sats_used=sats_used,
            mono_s=mono_s,
            offset_bytes=offset_bytes,
        )

    def _date(self, burst: _Burst) -> datetime | None:
        if burst.tod_s is None:
            return None
        days = []
        for value in burst.by_kind.values():
            if isinstance(value, Rmc | Zda) and value.day is not None:
                day = self._calendar.repaired(value.day, has_century=isinstance(value, Zda))
                days += [day] if day else []
        return self._calendar.date(burst.tod_s, days, certain=not burst.has_void)

    def _fixes(self, burst: _Burst) -> list[Rmc | Gga | Gll | Gns]:
        """Return the sentences whose position counts, the most detailed first."""
        found = [value for kind in (Gga, Gns, Rmc, Gll) if isinstance(value := burst.by_kind.get(kind), Rmc | Gga | Gll | Gns)]
        few = self._mode_from_gsa(burst) < TWO_D
        return [value for value in found if not (few and isinstance(value, Gga) and (value.sats_used or 0) < FEWEST_SATELLITES)]

    def _fix_mode(self, burst: _Burst) -> int:
        fixes = self._fixes(burst)
        if burst.frozen or burst.gsa_mode == NO_FIX or burst.has_void:
            return NO_FIX
        if not any(value.position for value in fixes):
            return NO_FIX
        if (mode := self._mode_from_gsa(burst)) >= TWO_D:
            return mode
        tod_s = burst.tod_s or 0.0
        if any(isinstance(value, Gga | Gns) and value.alt_msl_m is not None for value in fixes):
            self._altitude_tod_s = tod_s
        has_altitude = self._altitude_tod_s is not None and abs(step_s(self._altitude_tod_s, tod_s)) <= ALTITUDE_LASTS_S
        return THREE_D if has_altitude else TWO_D

    def _mode_from_gsa(self, burst: _Burst) -> int:
        serial, tod_s, mode = self._mode
        if burst.gsa_mode:
            return burst.gsa_mode
        recent = burst.tod_s is not None and abs(step_s(tod_s, burst.tod_s)) <= MODE_LASTS_S
        return mode if recent or burst.serial - serial == 1 else 0


def is_void(value: Value) -> bool:
    """Whether a sentence says that there is no fix."""
    if isinstance(value, Gga):
        return value.quality == 0
    return isinstance(value, Rmc | Gll | Gns) and not value.valid


def _said_motion(burst: _Burst) -> Rmc | Vtg | None:
    for kind in (Rmc, Vtg):
        value = burst.by_kind.get(kind)
        if isinstance(value, Rmc | Vtg) and value.speed_mps is not None:
            return value
    return None


def _tod_s(arrival: _Arrival) -> float:
    return getattr(arrival.value, "tod_s", None) or 0.0
