"""Which of an epoch's positions to believe: a checksum alone lets about 1 damaged sentence in 65 pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from drivers.gnss.calendar import step_s

if TYPE_CHECKING:
    from drivers.gnss.fields import Position

EARTH_M_PER_DEG = 111_195.0
FASTEST_MPS = 150.0  # no road vehicle; a ferry or a truck on a train stays far below
SLACK_M = 300.0  # first fixes after a tunnel jump about this much
AGREEING_FIXES = 3  # a real jump is believed at its third fix
SAME_PLACE_M = 30.0  # sentences of one epoch differ by smoothing and rounding, not by more
EXACT_EPOCHS = 3  # a receiver whose sentences agreed to the last digit this often does so always
TORN_EPOCHS = 2  # unless they then differ this often: damage does not


def distance_m(one: Position, other: Position) -> float:
    """Distance on a sphere, good to a per cent: enough to tell damage from driving."""
    north = (other.lat_deg - one.lat_deg) * EARTH_M_PER_DEG
    east_deg = (other.lon_deg - one.lon_deg + 180) % 360 - 180
    east = east_deg * EARTH_M_PER_DEG * math.cos(math.radians((one.lat_deg + other.lat_deg) / 2))
    return math.hypot(north, east)


def states_the_same(one: Position, other: Position) -> bool:
    """Whether two sentences wrote one and the same position, each rounded or cut to its own digits."""
    unit = 0.0 if one.resolution_deg == other.resolution_deg else max(one.resolution_deg, other.resolution_deg)
    unit += 1e-9  # floating point
    return abs(one.lat_deg - other.lat_deg) <= unit and abs(one.lon_deg - other.lon_deg) <= unit


class PlausibilityGate:
    """Chooses among the positions that the sentences of one epoch state, or none of them."""

    def __init__(self) -> None:
        self._last: tuple[float, Position] | None = None
        self._is_sure = False  # not by one sentence alone
        self._jumped: tuple[float, Position] | None = None
        self._jumps = 0
        self._exact_epochs = 0
        self._torn_epochs = 0

    def choose(self, tod_s: float, stated: list[Position]) -> Position | None:
        """Return the position to publish; None where none can be believed yet."""
        best = self._agreed(tod_s, self._untorn(stated))
        if best is None:
            return None
        witnesses = sum(distance_m(best, other) <= SAME_PLACE_M for other in stated)
        reached = self._last is not None and _reachable(self._last, tod_s, best)
        if reached or self._last is None or (witnesses > 1 and not self._is_sure) or self._insists(tod_s, best):
            self._is_sure = self._last is not None or witnesses > 1
            self._last, self._jumped, self._jumps = (tod_s, best), None, 0
            return best
        return None

    def forget(self) -> None:
        """Drop the history: the receiver's time jumped, so nothing can be said about its speed."""
        self._last, self._jumped, self._jumps = None, None, 0

    def _untorn(self, stated: list[Position]) -> list[Position]:
        """Return the positions that may be believed where the sentences of a receiver that always agrees do not."""
        if len(stated) < 2:  # noqa: PLR2004
            return stated
        groups = [[other for other in stated if states_the_same(one, other)] for one in stated]
        if len(groups[0]) == len(stated):
            self._exact_epochs, self._torn_epochs = self._exact_epochs + 1, 0
            return stated
        self._torn_epochs += 1
        if self._exact_epochs < EXACT_EPOCHS or self._torn_epochs >= TORN_EPOCHS:
            self._exact_epochs = 0
            return stated
        most = max(groups, key=len)
        if len(most) > 1:
            return most
        far_apart = any(distance_m(stated[0], other) > SAME_PLACE_M for other in stated)
        return stated if far_apart else []  # far apart, the reachable one can still be told

    def _agreed(self, tod_s: float, stated: list[Position]) -> Position | None:
        """Return the finest of the positions that most sentences agree on; in a tie, of those within reach."""
        if not stated:
            return None
        groups = [[other for other in stated if distance_m(one, other) <= SAME_PLACE_M] for one in stated]
        most = max(len(group) for group in groups)
        largest = [group for group in groups if len(group) == most]
        within = [group for group in largest if self._last is None or _reachable(self._last, tod_s, group[0])]
        if most == 1 and len(stated) > 1 and len(within) != 1:
            return None
        return min((within or largest)[0], key=lambda position: position.resolution_deg)

    def _insists(self, tod_s: float, position: Position) -> bool:
        agrees = self._jumped is not None and _reachable(self._jumped, tod_s, position)
        self._jumps = self._jumps + 1 if agrees else 1
        self._jumped = (tod_s, position)
        return self._jumps >= AGREEING_FIXES


def _reachable(last: tuple[float, Position], tod_s: float, position: Position) -> bool:
    return distance_m(last[1], position) <= SLACK_M + FASTEST_MPS * abs(step_s(last[0], tod_s))
