"""What a mobile network makes of it: a tunnel of real IP packets with TLS, slow, late and counted. Needs root."""

from __future__ import annotations

import queue
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.bench import jumping_link, working_day
from cli.bench.figure import Told, at_most, p95
from cli.bench.measure import fill, fixes
from cli.errors import UsageError
from cli.road import far_side
from cli.road.far_side import FarSide
from cli.road.town import Town
from cli.road.tunnel import Tunnel
from cli.road.unit import Unit
from drivers.sim.van import VirtualVan
from firmware.config import UplinkSettings
from firmware.journal import Series
from mqtt import messages, topics
from mqtt.link import BrokerLink
from mqtt.messages import Event
from mqtt.session import Delivery

UNIT = working_day.UNIT
DELAY_S = 0.05  # each way: 100 ms there and back
DRAIN_BPS = 256_000
DRAINED_FIXES = 21_000  # whole batches of 300
PHOTO_BPS = 64_000
PHOTO_BYTES = 300_000
EVENT_EVERY_S = 1.0
HOURS_A_DAY, DAYS_A_MONTH = 10, 22
DRIVEN_HOURS = 5.0  # measured, and taken twice: the second half of the day is like the first
PATIENCE_S = 120.0
LOOK_S = 0.02
MB = 1e6
MONTH_PARTS = {  # by the channel, with its share of TLS records, segments and acknowledgements
    "live": "positions for the map, once a minute on the way",
    "last": "the retained position for who looks later",
    "track": "the way driven, to within 5 m, in batches",
    "event": "ignition, trips, stops",
    "health": "how the unit is, every quarter of an hour",
    "state": "that it is there, and that it leaves",
    jumping_link.RECEIPTS: "what the receiver answers that it holds",
    jumping_link.PINGS: "MQTT's keep-alive, reckoned",
    jumping_link.CONNECTING[0]: "TCP, TLS and MQTT at the morning's start, and leaving",
}

FIGURES = (
    Told(
        "drain, mobile", "fixes/s", f"{DRAINED_FIXES:,} fixes from the journal to the last receipt, TLS, 100 ms there and back, 256 kbit/s"
    ),
    Told("wire, draining", "bytes a fix", "of IP packets both ways meanwhile, everything counted: TLS, acknowledgements, receipts"),
    Told("event beside a photo, p95", "s", "from the commit of an event to a subscriber, while 300 kB go out at 64 kbit/s; 100 ms"),
    Told(
        "month",
        "MB",
        "of IP packets, a van that drives and delivers 10 h a day, 22 days; default settings, TLS, everything counted",
        at_most(15),
    ),
    *(Told(f"month, {name}", "MB", f"of that, {told}") for name, told in MONTH_PARTS.items()),
    Told("month, payload", "MB", "of that, what Roadproof wrote: the rest is MQTT, TLS, TCP and IP around it"),
)


def ask(folder: Path, seed: int) -> Mapping[str, float]:
    """Every figure; UsageError where no tunnel can be made."""
    drained, wire = drain(_new(folder / "drain"), seed)
    return {
        "drain, mobile": drained,
        "wire, draining": wire,
        "event beside a photo, p95": p95(event_latencies_s(_new(folder / "photo"), seed)),
        **month(_new(folder / "month"), seed, hours=DRIVEN_HOURS),
    }


def drain(folder: Path, seed: int, count: int = DRAINED_FIXES) -> tuple[float, float]:
    """Fixes a second of a backlog, and bytes of IP packets a fix."""
    with _road(folder, rate_bps=DRAIN_BPS) as (town, tunnel, _):
        unit = Unit(UNIT, folder / "unit", town.keys, town.reached_by(tunnel.far), UplinkSettings(batch_s=1))
        fill(unit.journal, fixes(count, seed))
        before, began_s = tunnel.count.bytes, time.monotonic()
        with unit:
            _wait_until(unit, lambda: unit.journal.waiting_count(Series.TSEQ) == 0)
            took_s = time.monotonic() - began_s
        return count / took_s, (tunnel.count.bytes - before) / count


def event_latencies_s(folder: Path, seed: int, photo_bytes: int = PHOTO_BYTES) -> list[float]:
    """How long each event took from its commit to a subscriber while a photo was under way."""
    with _road(folder, rate_bps=PHOTO_BPS) as (town, tunnel, watcher):
        noted_s: dict[int, float] = {}
        seen_s: dict[int, float] = {}
        with Unit(UNIT, folder / "unit", town.keys, town.reached_by(tunnel.far)) as unit:
            unit.hand_over([random.Random(seed).randbytes(photo_bytes)])  # noqa: S311  a photo, not a secret
            _wait_until(unit, lambda: bool(unit.link.pieces))
            due_s = time.monotonic()
            while not unit.has_delivered or noted_s.keys() - seen_s.keys():
                if time.monotonic() >= due_s and not unit.has_delivered:
                    due_s = time.monotonic() + EVENT_EVERY_S
                    unit.diary.note("idle.start")
                    noted_s[unit.journal.issued(Series.SEQ)] = time.monotonic()
                seen_s.update(_events(watcher))
        return [seen_s[number] - at_s for number, at_s in noted_s.items()]


def month(folder: Path, seed: int, *, hours: float) -> dict[str, float]:
    """A month's megabytes, and what they are made of, from so many hours of one day."""
    with _road(folder) as (town, tunnel, _):
        day = working_day.drive(folder, tunnel, town.reached_by(tunnel.far), VirtualVan(seed), hours)
    month_mb = HOURS_A_DAY * DAYS_A_MONTH / hours / MB
    parts = {part.name.removeprefix("up/"): part.bytes for part in day.parts}
    payload = sum(one.payload_bytes for one in day.sent) + sum(day.receipts)
    return {
        "month": day.bytes * month_mb,
        **{f"month, {name}": parts.get(name, 0.0) * month_mb for name in MONTH_PARTS},
        "month, payload": payload * month_mb,
    }


# --- the stage


@contextmanager
def _road(folder: Path, *, rate_bps: float | None = None) -> Iterator[tuple[Town, Tunnel, BrokerLink]]:
    """A town with a tunnel to it, late where it is slow, and a subscriber to the unit's events who has a tunnel of his own."""
    reason = far_side.lacking()
    if reason is not None:
        raise UsageError(f"{reason}; run it again with sudo")
    with (
        FarSide() as side,
        Tunnel(side) as tunnel,
        Tunnel(side) as other,
        Town(folder, units=[UNIT], side=side, addresses=[tunnel.far, other.far]) as town,
    ):
        watcher = BrokerLink(town.reached_by(other.far), "watcher", [topics.EVENT.topic(UNIT)])
        watcher.connect()
        tunnel.pace(rate_bps=rate_bps, delay_s=DELAY_S if rate_bps else 0.0)
        try:
            yield town, tunnel, watcher
        finally:
            watcher.close(orderly=True)


def _wait_until(unit: Unit, ready: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not ready():
        if unit.failure is not None:
            raise unit.failure
        if time.monotonic() > end_s:
            raise TimeoutError("the unit of the bench does not get on")
        time.sleep(LOOK_S)


def _events(watcher: BrokerLink) -> dict[int, float]:
    """The numbers of the events that came within a moment, and when."""
    try:
        happening = watcher.inbox.get(timeout=LOOK_S)
    except queue.Empty:
        return {}
    return {messages.decode(happening.payload, Event).seq: time.monotonic()} if isinstance(happening, Delivery) else {}


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
