"""The bad roads: each way in which a road may be bad, alone and with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import combinations
from pathlib import Path

import msgspec

from cli.errors import UsageError
from cli.road import far_side
from cli.road.far_side import FarSide
from cli.road.road import Road
from cli.road.town import Town, TownError
from cli.road.tunnel import Tunnel
from mqtt.login import BrokerSettings

DELAY_S = 0.025  # each way, on every road: a mobile network in the open


class Badness(msgspec.Struct, frozen=True, kw_only=True):
    """What is bad of a road; nothing by default."""

    rate_bps: float | None = None
    loss: float = 0.0
    cut_every_s: float = 0.0

    @property
    def name(self) -> str:
        """As people say it."""
        words = {"slow": self.rate_bps, "lossy": self.loss, "cut": self.cut_every_s}
        return " and ".join(word for word, much in words.items() if much)

    def combinations(self) -> list[Badness]:
        """What is bad of it alone, in pairs, and altogether."""
        bad = {name: much for name, much in msgspec.structs.asdict(self).items() if much}
        return [Badness(**{name: bad[name] for name in names}) for count in range(1, len(bad) + 1) for names in combinations(bad, count)]


class Way(msgspec.Struct, frozen=True):
    """One open road: how bad it is, where the unit connects to, and the hands that cut and mend it."""

    badness: Badness
    unit: str
    broker: BrokerSettings
    break_connections: Callable[[], None]
    mend: Callable[[], None]


@contextmanager
def opened(folder: Path, badnesses: list[Badness], seed: int) -> Iterator[tuple[Town, list[Way]]]:
    """A town, and a road to it for each; UsageError when this machine lets nobody lose packets, or has no broker."""
    units = [f"van-{number}" for number in range(1, len(badnesses) + 1)]
    with ExitStack() as stack:
        try:
            if any(one.loss for one in badnesses):
                yield _tunnels(stack, folder, dict(zip(units, badnesses, strict=True)), seed)
            else:
                yield _roads(stack, folder, dict(zip(units, badnesses, strict=True)))
        except TownError as error:
            raise UsageError(str(error)) from None


def _tunnels(stack: ExitStack, folder: Path, units: dict[str, Badness], seed: int) -> tuple[Town, list[Way]]:
    reason = far_side.lacking()
    if reason is not None:
        raise UsageError(f"{reason}; or let no packet be lost: roadproof faults link --loss 0")
    side = stack.enter_context(FarSide())
    tunnels = [stack.enter_context(Tunnel(side, seed=seed + number)) for number in range(len(units))]
    town = stack.enter_context(Town(folder, units=list(units), side=side, addresses=[tunnel.far for tunnel in tunnels]))
    ways = []
    for tunnel, (unit, bad) in zip(tunnels, units.items(), strict=True):
        tunnel.pace(rate_bps=bad.rate_bps, delay_s=DELAY_S, loss=bad.loss)
        ways.append(Way(bad, unit, town.reached_by(tunnel.far), tunnel.break_connections, partial(tunnel.pace, delay_s=DELAY_S)))
    return town, ways


def _roads(stack: ExitStack, folder: Path, units: dict[str, Badness]) -> tuple[Town, list[Way]]:
    town = stack.enter_context(Town(folder, units=list(units)))
    ways = []
    for unit, bad in units.items():
        road = stack.enter_context(Road(town.port, rate_bps=bad.rate_bps, delay_s=DELAY_S))
        ways.append(Way(bad, unit, town.reached_by("127.0.0.1", road.port), road.break_connections, partial(road.pace, delay_s=DELAY_S)))
    return town, ways
