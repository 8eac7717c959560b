"""What can be wrong with the time: the day, the system's clock, the satellites, and when the network puts it right."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

# Seconds before something turns over, so that it does so while the unit drives.
DAYS: Mapping[str, datetime] = {
    "an ordinary day": datetime(2026, 12, 11, 6, 30, tzinfo=UTC),
    "midnight of a leap day": datetime(2028, 2, 28, 23, 59, 30, tzinfo=UTC),
    "the end of NTP's first era": datetime(2036, 2, 7, 6, 27, 46, tzinfo=UTC),
    "the end of 32 bits": datetime(2038, 1, 19, 3, 13, 37, tzinfo=UTC),
    "a rollover of GPS weeks": datetime(2038, 11, 20, 23, 59, 12, tzinfo=UTC),
    "New Year": datetime(2026, 12, 31, 23, 59, 30, tzinfo=UTC),
}
HOUR_S = 3_600.0
SYSTEM: Mapping[str, float | None] = {  # what the system's clock shows at the start: seconds since 1970; None: by `OFF_S`
    "1970": 0.0,
    "the last second of 2035's era": datetime(2036, 2, 7, 6, 28, 15, tzinfo=UTC).timestamp(),
    "2038": datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC).timestamp(),
    "2106": 2.0**32 - 30,
    "right": None,
    "an hour early": None,
    "an hour late": None,
}
OFF_S = {"right": 0.0, "an hour early": -HOUR_S, "an hour late": HOUR_S}
SATELLITES = ("right", "none", "late", "1024 weeks ago", "one wild date", "gone in between")
NETWORK = ("never", "late")
STEPS_S = (0.0, HOUR_S, -HOUR_S)


class Wrong(msgspec.Struct, frozen=True):
    """One case. At each start all of it holds anew: there is no battery clock."""

    day: str
    system: str
    satellites: str
    network: str
    step_s: float  # by which somebody sets the system's clock in mid-drive, before the network puts it right

    @property
    def began(self) -> datetime:
        """The true time of the first start."""
        return DAYS[self.day]

    def system_s(self, true_s: float) -> float:
        """What the system's clock shows at a start."""
        shown = SYSTEM[self.system]
        return true_s + OFF_S[self.system] if shown is None else shown

    def __str__(self) -> str:
        told = f"{self.day}, system's clock: {self.system}, satellites: {self.satellites}, network: {self.network}"
        return f"{told}, set by {self.step_s:.0f} s" if self.step_s else told


def chosen(count: int, seed: int) -> list[Wrong]:
    """So many cases, none twice before all were there."""
    every = [
        Wrong(day, system, satellites, network, step_s)
        for day in DAYS
        for system in SYSTEM
        for satellites in SATELLITES
        for network in NETWORK
        for step_s in STEPS_S
    ]
    random.Random(seed).shuffle(every)  # noqa: S311  a reproducible choice, no secret
    return [every[number % len(every)] for number in range(count)]
