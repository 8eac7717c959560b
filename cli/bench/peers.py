"""How fast a backlog leaves, ours and that of what a user would pick instead: same records, same broker, same road."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from cli.bench.figure import Told, at_least
from cli.errors import UsageError
from cli.faults.peers import peer, thingsboard
from cli.faults.peers.peer import Kind
from cli.faults.peers.stage import FIRST, Stage, staged

RECORDS = 20_000
# Over the mobile road a rate shows with fewer: they need a minute where ours needs a second.
MOBILE_RECORDS = 3_000
MOBILE_BPS, MOBILE_DELAY_S = 256_000, 0.05  # 100 ms there and back
LOOK_S = 0.01
AT_REST_S, REST_S = 3.0, 120.0  # its files did not change for so long: it has taken the backlog in
STUCK_S = 180.0  # clients pause ever longer between attempts, two minutes at most


class Contender(msgspec.Struct, frozen=True):
    """One that drains."""

    name: str
    make: Callable[[], Kind]
    of: str
    mobile_records: int = MOBILE_RECORDS


def _contenders() -> tuple[Contender, ...]:
    ours = Contender("ours", peer.ours, "journal to the receiver's commit, every fix sent", mobile_records=RECORDS)
    paho = Contender("paho", peer.paho, "one record a QoS 1 publish from its memory, window 20, nobody stores")
    gateways = (
        Contender(
            "ThingsBoard gateway",
            lambda: thingsboard.kind(thingsboard.default_venv(), "sqlite"),
            "its settings as shipped, SQLite, nobody stores",
        ),
        Contender(
            "ThingsBoard gateway, tuned",
            lambda: thingsboard.kind(thingsboard.default_venv(), "sqlite", tuned=True),
            "SQLite, 333 records a read, no pause between sends, nobody stores",
        ),
    )
    return (ours, paho, *gateways)


CONTENDERS = _contenders()
TARGETS = {  # of ours against it
    ("loopback", "ThingsBoard gateway"): at_least(20),
    ("loopback", "ThingsBoard gateway, tuned"): at_least(1),
    ("mobile", "ThingsBoard gateway, tuned"): at_least(8),
}
ROADS = ("loopback", "mobile")
ROAD_TOLD = {"loopback": f"{RECORDS:,} records on loopback", "mobile": "over 100 ms and 256 kbit/s"}
FIGURES = tuple(
    told
    for road in ROADS
    for told in (
        *(Told(f"drain, {road}, {one.name}", "records/s", f"{ROAD_TOLD[road]}: {one.of}") for one in CONTENDERS),
        *(
            Told(f"drain, {road}, ratio to {one.name}", "x", f"ours against it, {ROAD_TOLD[road]}", TARGETS.get((road, one.name)))
            for one in CONTENDERS[1:]
        ),
    )
)


def ask(folder: Path, _seed: int) -> Mapping[str, float]:
    """Every figure; UsageError where there is nobody to compare with. The records are the same for all, whatever the seed."""
    venv = thingsboard.default_venv()
    if thingsboard.missing(venv):
        told = f"name its virtual environment with {thingsboard.VENV_VARIABLE}, or make one with: {thingsboard.INSTALL}"
        raise UsageError(f"there is no ThingsBoard gateway to compare with; {told}")
    return {name: value for road in ROADS for name, value in _on(road, folder / road).items()}


def _on(road: str, folder: Path) -> dict[str, float]:
    rates = {one.name: drained(one, folder / one.name.replace(" ", "-"), mobile=road == "mobile") for one in CONTENDERS}
    ours = rates["ours"]
    return {
        **{f"drain, {road}, {name}": rate for name, rate in rates.items()},
        **{f"drain, {road}, ratio to {name}": ours / rate for name, rate in rates.items() if name != "ours"},
    }


def drained(one: Contender, folder: Path, *, mobile: bool = False, records: int | None = None) -> float:
    """Records a second, from the first of a backlog to arrive to the last: how long each takes to connect and to begin is left out."""
    records = records or (one.mobile_records if mobile else RECORDS)
    with staged(one.make(), folder, keeps=False) as stage, stage.proven_on(folder / "kept") as fed:
        stage.road.cut()
        stage.feed_at_once(fed, records)
        _wait_for_rest(folder / "kept" / "data")
        if mobile:
            stage.road.pace(rate_bps=MOBILE_BPS, delay_s=MOBILE_DELAY_S)
        connections = stage.road.carried.connections
        stage.road.restore()
        return _rate(_looks(stage, FIRST + records, connections))


class Look(msgspec.Struct, frozen=True):
    """How many different records had come by then."""

    at_s: float
    arrived: int


def _rate(looks: Sequence[Look]) -> float:
    connected, first, last = looks[0], looks[1], looks[-1]
    if first is last:
        first = connected  # all of them came between two looks: that it had to say hello is counted in
    return (last.arrived - first.arrived) / (last.at_s - first.at_s)


def _looks(stage: Stage, last: int, connections: int) -> list[Look]:
    """Just before it connected, which makes one connection more than these; then each time that more had come, up to the last."""
    news_s = time.monotonic()
    looks = [Look(news_s, stage.arrived())]
    while looks[-1].arrived < last:
        time.sleep(LOOK_S)
        look = Look(time.monotonic(), stage.arrived())
        if look.arrived > looks[-1].arrived:
            looks.append(look)
            news_s = look.at_s
        elif stage.road.carried.connections == connections:
            looks = [look]
        if look.at_s - news_s > STUCK_S:
            raise UsageError(f"a peer of the bench lost {last - look.arrived:,} of its records on the way: there is no rate to tell")
    return looks


def _wait_for_rest(storage: Path) -> None:
    """A backlog is old when it leaves. A gateway also takes its records in on threads of its own, and then writes no more."""
    until_s, seen, seen_s = time.monotonic() + REST_S, "", time.monotonic()
    while time.monotonic() < min(until_s, seen_s + AT_REST_S):
        now = str([(file.name, file.stat().st_mtime_ns) for file in sorted(storage.glob("*"))])
        if now != seen:
            seen, seen_s = now, time.monotonic()
        time.sleep(LOOK_S)
