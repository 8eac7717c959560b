"""The run comes in: what it changes, what it must not touch, and which parcel a code belongs to. Pure."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import defaultdict

import msgspec
from msgspec.structs import replace

from firmware.day.check import begin, unblock
from firmware.day.progress import Check, Load, Parcel
from firmware.day.stops import codes_of, find_stop, proofs_of
from firmware.day.turn import Act, Nothing, Turn, refuse
from firmware.day.work import Offer, Seen, Work
from mqtt.messages import Run
from mqtt.run import Plan, Stop, faults


def arrive(turn: Turn, run: Run) -> None:
    """Take a run: at once while nobody works, else what touches no stop at once and the rest once the driver has accepted it."""
    digest = hashlib.sha256(msgspec.json.encode(run.plan)).hexdigest()
    if turn.work.seen == Seen(n=run.n, digest=digest):
        return
    fault = _fault(turn.work, run)
    if fault:
        turn.note("run.refused", n=run.n, fault=fault)
        turn.toast("info", "run.refused")
        return
    turn.put(seen=Seen(n=run.n, digest=digest))
    if turn.work.run and turn.work.day.driver and _asks(turn.work, run):
        _offer(turn, run)
    else:
        adopt(turn, run)


def accept(turn: Turn, _: Nothing) -> None:
    """The driver agrees: the newer run is in force."""
    offer = turn.work.offer or refuse("run.none_offered")
    adopt(turn, offer.run)
    turn.toast("ok", "run.accepted")


def call(turn: Turn, _: Nothing) -> None:
    """The driver wants to talk first: the card goes, the newer run waits among the messages."""
    offer = turn.work.offer or refuse("run.none_offered")
    turn.put(offer=replace(offer, called=True))
    turn.note("run.call", n=offer.run.n)
    turn.toast("info", "run.call", phone=offer.run.plan.phone)


def adopt(turn: Turn, run: Run) -> None:
    """Put a run in force. A stop with progress stays as it was; one that the run no longer has stays too, marked."""
    before = turn.work
    same_day = before.run is not None and before.run.plan.day == run.plan.day
    kept = {stop.stop_id: stop for stop in _started(before, same_day=same_day)}
    stops = _merge(before, run.plan, kept)
    named = {stop.stop_id for stop in run.plan.stops}
    known = {stop.stop_id for stop in stops}
    turn.put(
        run=replace(run, plan=replace(run.plan, stops=stops)),
        offer=None,
        stops={
            stop_id: replace(progress, kept=stop_id not in named)
            for stop_id, progress in before.stops.items()
            if stop_id in kept or (same_day and stop_id in known)
        },
    )
    turn.put(codes=_index(turn))
    _carry_on(turn) if same_day else _begin_day(turn)
    if turn.work.day.current not in known:
        turn.day(current=None)
    turn.note("run.accepted", n=run.n, kept=sorted(kept.keys() - named))


COMMANDS = {"run.accept": Act(Nothing, accept), "run.call": Act(Nothing, call)}


def _fault(work: Work, run: Run) -> str | None:
    if work.seen and run.n <= work.seen.n:
        return f"version {run.n} is not newer than {work.seen.n}, which the unit has"
    return next(faults(run.plan), None)


def _asks(work: Work, run: Run) -> bool:
    """Whether the driver must be asked: the stops that are still to come differ, or it is another day's run."""
    assert work.run is not None
    return run.plan.day != work.run.plan.day or any(_differences(work, run.plan))


def _offer(turn: Turn, run: Run) -> None:
    assert turn.work.run is not None
    now = turn.work.run.plan
    added, removed, changed = _differences(turn.work, run.plan)
    turn.put(offer=Offer(run=run, added=added, removed=removed, changed=changed))
    if run.plan.day == now.day:
        turn.put(run=replace(turn.work.run, plan=replace(run.plan, stops=now.stops, proofs=now.proofs)))
        unblock(turn)
    turn.note("run.offered", n=run.n)
    turn.toast("info", "run.offered")


def _differences(work: Work, plan: Plan) -> tuple[int, int, int]:
    """Stops added, removed, and changed or moved, as far as they are not begun."""
    begun = {stop.stop_id for stop in _started(work, same_day=True)}
    old = {stop.stop_id: stop for stop in work.run.plan.stops if stop.stop_id not in begun} if work.run else {}
    new = {stop.stop_id: stop for stop in plan.stops if stop.stop_id not in begun}
    both = [stop_id for stop_id in new if stop_id in old]
    moved = _moved(both, {stop_id: place for place, stop_id in enumerate(old)})
    return len(new.keys() - old.keys()), len(old.keys() - new.keys()), len(moved | {name for name in both if new[name] != old[name]})


def _moved(names: list[str], place: dict[str, int]) -> set[str]:
    """The fewest that must be taken out for the rest to be in the old order: all but a longest rising run (patience sorting)."""
    tops: list[int] = []
    heaps: list[int] = []
    for name in names:
        heap = bisect_left(tops, place[name])
        tops[heap : heap + 1] = [place[name]]
        heaps.append(heap)
    wanted, moved = len(tops) - 1, set()
    for name, heap in zip(reversed(names), reversed(heaps), strict=True):
        if heap == wanted:
            wanted -= 1
        else:
            moved.add(name)
    return moved


def _started(work: Work, *, same_day: bool) -> list[Stop]:
    """The stops that a newer run must leave as they are: proofs in the making and to be handed out, and on the same day those done."""
    pending = work.pending.proof.stop_id if work.pending else None
    started = {stop_id for stop_id, progress in work.stops.items() if progress.draft or stop_id == pending or (same_day and progress.done)}
    stops = work.run.plan.stops if work.run else []
    return [replace(stop, proofs=proofs_of(work, stop)) for stop in stops if stop.stop_id in started]


def _merge(before: Work, plan: Plan, kept: dict[str, Stop]) -> list[Stop]:
    """The new order; a stop that is kept but not in it follows the one that it followed before."""
    merged = [kept.get(stop.stop_id, stop) for stop in plan.stops]
    place = 0
    for stop in before.run.plan.stops if before.run else []:
        found = next((index for index, other in enumerate(merged) if other.stop_id == stop.stop_id), None)
        if found is not None:
            place = found + 1
        elif stop.stop_id in kept:
            merged.insert(place, kept[stop.stop_id])
            place += 1
    return merged


def _index(turn: Turn) -> dict[str, tuple[Parcel, ...]]:
    """The parcels by what identifies them; several where only the kind of goods does."""
    index: defaultdict[str, tuple[Parcel, ...]] = defaultdict(tuple)
    for stop in turn.run.plan.stops:
        for line, code in codes_of(stop):
            index[turn.name_of(code)] += (Parcel(stop_id=stop.stop_id, line_id=line.line_id, code=code),)
    return dict(index)


def _carry_on(turn: Turn) -> None:
    """The same day goes on: forget only what the run no longer has."""
    codes = {code for stop in turn.run.plan.stops for _, code in codes_of(stop)}
    load = turn.work.load
    turn.load(
        loaded={code: sym for code, sym in load.loaded.items() if code in codes},
        missing={code: reason for code, reason in load.missing.items() if code in codes},
    )
    unblock(turn)
    if turn.work.face.screen == "stop" and find_stop(turn.work, turn.work.day.current) is None:
        turn.show("route")


def _begin_day(turn: Turn) -> None:
    """A new day: nothing is checked or loaded yet; what the vehicle's last report said stays known."""
    day = turn.work.day
    turn.put(load=Load())
    begin(turn, Check(old_defects=day.check.old_defects))
    turn.day(
        read={},
        replies={},
        counted=None,
        begun_ms=turn.moment.at_ms if day.driver else None,
        begun_odometer_m=turn.moment.odometer_m if day.driver else None,
    )
    if day.driver and turn.work.face.screen not in {"messages", "scan", "photo", "cod", "pin", "sign", "rate", "name", "exception"}:
        turn.show("check" if turn.run.plan.checklist else "load")
