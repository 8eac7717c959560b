"""The end of the day: what was done, what is still aboard, the cash. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from firmware.day.check import begin
from firmware.day.progress import Done
from firmware.day.stops import codes_of, number_of, state_of, stops_of
from firmware.day.turn import Act, Nothing, Turn, on, refuse
from firmware.day.work import Moment, Work
from mqtt.messages import MessageError, utc_ms
from mqtt.run import Stop

HOUR_MS = 3_600_000


class Counted(msgspec.Struct, frozen=True):
    """What the driver counted, in the currency's smallest unit."""

    counted: Annotated[int, Meta(ge=0, le=10**12)]


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in the currency's smallest unit."""

    amount: int
    currency: str
    digits: int


class Aboard(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel that comes back to the depot, and why."""

    code: str
    stop_no: int
    why: str


def show(turn: Turn, _: Nothing) -> None:
    """Look at the day."""
    turn.show("end")


def count_cash(turn: Turn, given: Counted) -> None:
    """The cash was counted; a difference is told, not judged."""
    turn.day(counted=given.counted)
    due = [msgspec.to_builtins(money) for money in expected_cash(turn.work)]
    turn.note("cash.counted", counted=given.counted, expected=due, driver=turn.work.day.driver)


def check_again(turn: Turn, _: Nothing) -> None:
    """The vehicle check after the route."""
    if not turn.run.plan.checklist:
        refuse("check.none")
    check = turn.work.day.check
    begin(turn, replace(check, phase="after", answers={}, photo_for=None, blocked=(), after_done=False))
    turn.show("check")


def totals(work: Work, moment: Moment) -> dict[str, Any]:
    """The day in numbers; None where there is nothing to divide by."""
    stops = stops_of(work)
    finished = [(stop, progress.done) for stop in stops if (progress := work.stops.get(stop.stop_id)) and progress.done]
    good = [stop for stop, done in finished if done.state != "failed"]
    first = [stop for stop in good if work.stops[stop.stop_id].attempts <= 1]
    timed = [_is_on_time(stop, done) for stop, done in finished if stop.window]
    return {
        "done": len(good),
        "total": len(stops),
        "failed": len(finished) - len(good),
        "first_attempt_pct": _percent(len(first), len(finished)),
        "on_time_pct": _percent(sum(timed), len(timed)),
        "stops_per_hour": _per_hour(work, moment, len(finished)),
        "km": _km(work, moment),
    }


def expected_cash(work: Work) -> list[Money]:
    """What must be in the purse: what was collected less the change, and the float, which is in the run's first currency."""
    amounts: Counter[tuple[str, int]] = Counter()
    due = [stop.cod for stop in stops_of(work) if stop.cod]
    if work.run and work.run.plan.cash_float and due:
        amounts[due[0].currency, due[0].digits] += work.run.plan.cash_float
    for progress in work.stops.values():
        cash = progress.done.cash if progress.done else None
        if cash and cash.method == "cash":
            amounts[cash.currency, cash.digits] += cash.taken - cash.change
    return [Money(amount=amount, currency=currency, digits=digits) for (currency, digits), amount in sorted(amounts.items())]


def still_aboard(work: Work) -> list[Aboard]:
    """What was loaded and not handed over, and what was fetched."""
    return [parcel for stop in stops_of(work) for parcel in (_left(work, stop) if stop.service == "delivery" else _fetched(work, stop))]


def _left(work: Work, stop: Stop) -> Iterator[Aboard]:
    progress, state = work.stops.get(stop.stop_id), state_of(work, stop.stop_id)
    done = progress.done if progress else None
    handed = {item.code for item in done.items if item.qty_fact} if done else set()
    why = "failed" if state == "failed" else "rejected" if done else "open"
    for _, code in codes_of(stop):
        if code not in handed and code not in work.load.missing:
            yield Aboard(code=code, stop_no=number_of(work, stop.stop_id), why=why)


def _fetched(work: Work, stop: Stop) -> Iterator[Aboard]:
    progress = work.stops.get(stop.stop_id)
    for item in progress.done.items if progress and progress.done else ():
        if item.code and item.qty_fact:
            yield Aboard(code=item.code, stop_no=number_of(work, stop.stop_id), why="picked_up")


def _is_on_time(stop: Stop, done: Done) -> bool:
    end_ms = window_ms(stop)[1]
    return end_ms is None or done.at_ms <= end_ms


def window_ms(stop: Stop) -> tuple[int | None, int | None]:
    """The stop's window as milliseconds since 1970; None where there is none, or no such day."""
    if stop.window is None:
        return None, None
    try:
        return utc_ms(stop.window.begin), utc_ms(stop.window.end)
    except MessageError:
        return None, None


def _percent(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None


def _per_hour(work: Work, moment: Moment, stops: int) -> float | None:
    if work.day.begun_ms is None or moment.at_ms <= work.day.begun_ms:
        return None
    return round(stops * HOUR_MS / (moment.at_ms - work.day.begun_ms), 1)


def _km(work: Work, moment: Moment) -> int | None:
    if work.day.begun_odometer_m is None or moment.odometer_m is None:
        return None
    return round((moment.odometer_m - work.day.begun_odometer_m) / 1000)


COMMANDS = {
    "end.open": Act(Nothing, show, on("route", "drive", "stop", "check", "load")),
    "end.cash": Act(Counted, count_cash, on("end")),
    "end.check": Act(Nothing, check_again, on("end")),
}
