"""The storm: what happens to whom and when, until it has blown over and is healed."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.progress import Progress, TaskID

from cli.faults.run.forecast import Forecast
from cli.faults.run.site import Site
from cli.faults.run.verdict import Found, judge
from cli.faults.tally import Tally

TICK_S = 0.1
LOOK_S = 0.5
QUIET_S = 3.0  # the unit writes its status once a second
ROUND_S = 90.0  # for the driver to end at the door where he stands
SILENT_S = (22.0, 26.0)  # the unit takes a broker that owes it an answer for 20 s for gone


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that goes wrong, and how it is mended."""

    name: str  # as --only calls it
    text: str
    to: str  # one fault at a time happens to it
    often: int = 1  # times in a deck
    lasts_s: tuple[float, float] = (0.0, 2.0)
    begin: Callable[[Site], None]
    mend: Callable[[Site], None] = lambda _: None
    may: Callable[[Site], bool] = lambda _: True


FAULTS = (
    Fault(name="unit", text="unit killed", to="unit", often=5, begin=Site.kill_unit, mend=lambda site: site.unit.start()),
    Fault(
        name="broker", text="broker killed", to="broker", often=3, lasts_s=(0.0, 3.0),
        begin=lambda site: site.broker.kill(), mend=lambda site: site.broker.start(),
    ),
    Fault(
        name="wipe", text="broker killed, its store wiped", to="broker", lasts_s=(0.0, 3.0),
        begin=Site.wipe_broker, mend=lambda site: site.broker.start(),
    ),
    Fault(
        name="receiver", text="receiver killed", to="receiver", often=4, lasts_s=(0.0, 4.0),
        begin=Site.kill_receiver, mend=lambda site: site.receiver.start(),
    ),
    Fault(
        name="restore", text="receiver set back to a backup", to="receiver", lasts_s=(0.0, 1.0),
        begin=Site.set_receiver_back, mend=lambda site: site.receiver.start(), may=lambda site: site.backups.any,
    ),
    Fault(
        name="cut", text="road cut", to="road", often=3, lasts_s=(0.2, 5.0),
        begin=lambda site: site.road.cut(), mend=lambda site: site.road.restore(),
    ),
    Fault(
        name="break", text="connections broken", to="road", often=2, lasts_s=(0.0, 0.0),
        begin=lambda site: site.road.break_connections(),
    ),
    Fault(
        name="hole", text="black hole", to="road", often=2, lasts_s=(0.5, 5.0),
        begin=lambda site: site.road.black_hole(), mend=lambda site: site.road.restore(),
    ),
    Fault(
        name="silence", text="black hole until the unit notices", to="road", lasts_s=SILENT_S,
        begin=lambda site: site.road.black_hole(), mend=lambda site: site.road.restore(),
    ),
)  # fmt: skip


def blow(folder: Path, forecast: Forecast, progress: Progress) -> Tally:
    """All of it: begin, blow, heal, judge."""
    began_s = time.monotonic()
    found = Found()
    bar = progress.add_task("the unit starts", total=round(forecast.seconds))
    with Site(folder, forecast) as site:
        storm = Storm(site, forecast, lambda text, seconds: progress.update(bar, description=text, completed=round(seconds)))
        storm.blow()
        if not _is_healed(site, forecast.patience_s, progress, bar):
            found.lost.append(f"after {forecast.patience_s:.0f} s {site.waiting()} for their receipt")
        for actor in site.actors:
            actor.end()
            found.tracebacks += actor.complaints
    progress.update(bar, description="what the fleet holds is compared")
    held = judge(found, site.fleet, site.memory, site.driver)
    tally = found.tally(seed=forecast.seed, committed=site.memory.committed)
    tally.seconds = round(time.monotonic() - began_s, 1)
    tally.faults = storm.done.total()
    tally.more = {**held, "answers": site.driver.answered, "done": dict(storm.done)}
    return tally


def _is_healed(site: Site, patience_s: float, progress: Progress, bar: TaskID) -> bool:
    """Let the driver end his stop, and wait until everything is receipted."""
    site.driver.finish(ROUND_S)
    site.park()
    until_s = time.monotonic() + patience_s
    quiet_s = 0.0
    while quiet_s < QUIET_S and time.monotonic() < until_s:
        _raise_the_dead(site)
        progress.update(bar, description=f"it has blown over; {site.waiting()}")
        time.sleep(LOOK_S)
        quiet_s = quiet_s + LOOK_S if site.is_settled() else 0.0
    site.look()
    return quiet_s >= QUIET_S


def _raise_the_dead(site: Site, mending: Container[str] = ()) -> None:
    """Who died without having been killed: it is noted, and started again as systemd does."""
    for actor in site.actors:
        if actor.name not in mending and not actor.runs:
            actor.kill()
            actor.start()


class Storm:
    """Draws faults from a deck that is shuffled by the seed: first one of each, then each as often as it comes in life."""

    def __init__(self, site: Site, forecast: Forecast, tell: Callable[[str, float], None]) -> None:
        self.done = Counter[str]()
        self._site = site
        self._forecast = forecast
        self._tell = tell
        self._chance = random.Random(forecast.seed)  # noqa: S311  no secret
        self._faults = [fault for fault in FAULTS if fault.name in forecast.kinds]
        self._deck = self._shuffled([1] * len(self._faults))
        self._diary = (site.folder / "storm.log").open("w", encoding="utf-8")
        self._mending: dict[str, tuple[float, Fault]] = {}  # what lies broken, until when

    def blow(self) -> None:
        """Until its time is over; everything is mended when this returns."""
        began_s = time.monotonic()
        end_s, next_s, look_s = began_s + self._forecast.seconds, began_s, began_s
        self._site.driver.start()
        while (now_s := time.monotonic()) < end_s:
            self._mend(now_s)
            _raise_the_dead(self._site, self._mending)
            if self._is_half_over(now_s - began_s):
                self._site.begin_keeping()
            if now_s >= next_s and self._strike(now_s, now_s - began_s):
                next_s = now_s + self._chance.uniform(0.2, 1.8) * self._forecast.gap_s
            if now_s >= look_s:
                self._site.look()
                look_s = now_s + LOOK_S
            time.sleep(TICK_S)
        self._mend(float("inf"))
        self._diary.close()

    def _is_half_over(self, blown_s: float) -> bool:
        """Whether backups begin now: only where they are restored, and while nobody lies dead who is to be started with new settings."""
        wanted = "restore" in self._forecast.kinds and not self._site.keeps
        return wanted and blown_s > self._forecast.seconds / 2 and not {"unit", "receiver"} & self._mending.keys()

    def _strike(self, now_s: float, blown_s: float) -> bool:
        """Do the first of the deck that can be done now; False while there is none."""
        for fault in self._deck:
            if fault.to not in self._mending and fault.may(self._site):
                self._deck.remove(fault)
                self._deck = self._deck or self._shuffled([fault.often for fault in self._faults])
                fault.begin(self._site)
                self._mending[fault.to] = (now_s + self._chance.uniform(*fault.lasts_s), fault)
                self.done[fault.name] += 1
                self._tell(f"{fault.text} ({self.done.total()})", blown_s)
                print(f"{datetime.now(UTC):%H:%M:%S.%f} {fault.text}", file=self._diary, flush=True)
                return True
        return False

    def _mend(self, now_s: float) -> None:
        for to, (until_s, fault) in list(self._mending.items()):
            if now_s >= until_s:
                fault.mend(self._site)
                del self._mending[to]

    def _shuffled(self, often: Sequence[int]) -> list[Fault]:
        deck = [fault for fault, times in zip(self._faults, often, strict=True) for _ in range(times)]
        self._chance.shuffle(deck)
        return deck
