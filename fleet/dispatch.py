"""Gives a unit its run: the day's stops, retained at the broker, under a version that only grows."""

from __future__ import annotations

import os
import queue
import socket
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from mqtt import topics
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.messages import MessageError, Run, decode, encode, utc_text
from mqtt.run import Plan
from mqtt.session import DENIED, FAILURE, Delivery, Happening, LinkError, LinkState, Lost, Published, Refused

RETAINED_S = 2.0  # a broker sends what it retains at once; after this it retains nothing
ANSWER_S = 10.0  # for the broker to take the run
REFUSALS = {
    DENIED: "this login may not write there: name a file with an operator's [broker] login in --config",
    149: "the run is larger than the broker takes: send fewer stops, or raise max_packet_size",
    151: "the broker's quota is used up",
}
Found = TypeVar("Found")


class DispatchError(Exception):
    """The run did not reach the broker; the sentence says why and what to do."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker holds now for the unit."""

    n: int
    previous: int | None  # the version before; None: the broker held none


def send_run(broker: BrokerSettings, unit: str, plan: Plan, n: int | None = None) -> Sent:
    """Publish a run; DispatchError or LinkError when the broker does not hold it afterwards."""
    link = BrokerLink(broker, f"dispatch-{socket.gethostname()}-{os.getpid()}"[:64], [topics.RUN.topic(unit)])
    try:
        link.connect()
        previous = _previous(link, unit, asked=n is None)
        if n is not None and previous is not None and n <= previous:
            raise DispatchError(f"the unit has version {previous} already and refuses version {n}: take n out of the file, or raise it")
        at_ms = time.time_ns() // 1_000_000
        run = Run(unit=unit, n=n or next_version(previous, at_ms), t=utc_text(at_ms), plan=plan)
        _publish(link, run)
        return Sent(n=run.n, previous=previous)
    finally:
        link.close(orderly=True)


def next_version(previous: int | None, at_ms: int) -> int:
    """A number above every one that was given: also when the last run ran out at the broker, and only the unit remembers its number."""
    return at_ms // 1000 if previous is None else previous + 1


def _previous(link: BrokerLink, unit: str, *, asked: bool) -> int | None:
    """The version that the broker retains; None when it retains none, or does not let us look and a version was given."""
    told = _first(link, lambda happening: happening if isinstance(happening, Delivery | Refused) else None, RETAINED_S)
    match told:
        case Delivery(payload=payload) if payload:
            return _version(payload, unit, asked=asked)
        case Refused(sentence=sentence) if asked:
            raise DispatchError(f"{sentence}; without it the next version is not known: use an operator's login, or write n into the file")
    return None


def _version(payload: bytes, unit: str, *, asked: bool) -> int | None:
    try:
        return decode(payload, Run).n
    except MessageError as error:
        if asked:
            raise DispatchError(
                f"the broker holds a run of {unit} that this version cannot read ({error}): write n into the file"
            ) from None
        return None


def _publish(link: BrokerLink, run: Run) -> None:
    channel = topics.RUN
    mid = link.publish(channel.topic(run.unit), encode(run), channel.qos, retain=channel.retained, expiry_s=channel.expiry_s)
    reason = _first(
        link, lambda happening: happening.reason if isinstance(happening, Published) and happening.mid == mid else None, ANSWER_S
    )
    if reason is None:
        raise DispatchError(f"the broker {link.place} did not answer: the run may or may not have arrived; send it again")
    if reason >= FAILURE:
        raise DispatchError(f"the broker {link.place} refuses the run: {REFUSALS.get(reason, f'reason {reason}')}")


def _first(link: BrokerLink, wanted: Callable[[Happening], Found | None], within_s: float) -> Found | None:
    """The first answer of this kind; None when none came in time. LinkError when the session ends."""
    until_s = time.monotonic() + within_s
    while (left_s := until_s - time.monotonic()) > 0:
        try:
            happening = link.inbox.get(timeout=left_s)
        except queue.Empty:
            break
        if isinstance(happening, Lost):
            raise LinkError(LinkState.TCP, f"{happening.sentence}; the run was not taken: check its size against the broker's limit")
        if (found := wanted(happening)) is not None:
            return found
    return None
