"""What a proof costs: a whole unit as a process, worked by its HTTP commands, with a broker and a receiver behind it."""

from __future__ import annotations

import queue
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from cli.bench import disk, evidence
from cli.bench.driver import CONFIRM, Driver, OpenPage
from cli.bench.figure import Told, at_most, p50, p95
from cli.bench.measure import until
from cli.bench.memory import children_of, memory_of
from cli.bench.unit import UNIT, Unit, standing_unit
from cli.demo import day
from drivers.sim.route import ghent
from fleet.dispatch import send_run
from mqtt import topics
from mqtt.link import BrokerLink
from mqtt.messages import Pod, Receipt, decode
from mqtt.run import Line, Plan, Policy, Proofs, Stop
from mqtt.session import Delivery

PROOFS = 120
WHOLE = 5  # whose way to the receiver is watched, one after the other
SETTLED_S = 60.0  # after the page was opened
PATIENCE_S = 60.0
MB = 1e6
OF_A_PROOF = (topics.POD.topic(UNIT), f"{topics.ROOT}/{UNIT}/up/blob/")

FIGURES = (
    Told("confirm, p50", "ms", f"POST pod.confirm to its answer, which means durable; {PROOFS} proofs, page and viewfinder open"),
    Told("confirm, p95", "ms", f"POST pod.confirm to its answer; {PROOFS} proofs", at_most(50)),
    Told("confirm, ratio", "x", "its p50 against that of a bare SQLite commit, synchronous = FULL, of the same bytes on the same disk"),
    Told("confirm, bytes", "B", "what one Confirm changes in the journal"),
    Told("bare commit, p50", "ms", "that bare commit"),
    Told("scan, p50", "ms", "POST pod.typed to its answer"),
    Told("scan, p95", "ms", "the same"),
    Told("photo, p50", "ms", "POST pod.photo to its answer: taken from a camera of 1,280 x 960, judged, sealed, stored"),
    Told("photo, p95", "ms", "the same"),
    Told("signature, p95", "ms", "POST pod.sign to its answer: sealed, stored"),
    Told("next proof, p95", "ms", "POST pod.start after a Confirm: also signs that proof's record and queues it"),
    Told("any step, p95", "ms", "every command of those proofs"),
    Told("memory", "MB", f"VmRSS of the daemon after {PROOFS + WHOLE} proofs and {SETTLED_S:.0f} s with an open page", at_most(90)),
    Told("memory, shared apart", "MB", "PSS of the same"),
    Told("memory, reader", "MB", "VmRSS of the barcode reader, the daemon's child"),
    Told("memory, reader, shared apart", "MB", "PSS of the same"),
    Told("memory at the start", "MB", "VmRSS of the daemon before anybody opened the page"),
    Told("whole proof", "s", "from Confirm to the receipt that says whole, 5 s of Undo included; loopback"),
    Told("whole proof, sent", "s", "of that, from the record on the wire to that receipt"),
    Told("whole proof, wire", "B", "payloads of such a proof: record, photo and signature in pieces of 8 KiB"),
    Told("whole proof, pieces", "messages", "how many publishes that were"),
    Told("record, wire", "B", "the payload of up/pod: the record, its signature, the journal's numbers"),
    *evidence.FIGURES,
)


def ask(folder: Path, _seed: int) -> Mapping[str, float]:
    """Every figure, of a full round."""
    return measured(folder)


def measured(folder: Path, *, proofs: int = PROOFS, whole: int = WHOLE, settled_s: float = SETTLED_S) -> dict[str, float]:
    """Every figure, of this many proofs; `whole` of them are watched to the receiver."""
    with standing_unit(folder) as unit, _signed_in(unit, proofs + whole + 1) as driver:
        started = memory_of(unit.pid)
        driver.read_pages_files()
        with OpenPage(unit.page_port, "/ws"), OpenPage(unit.page_port, "/ws/camera"):
            opened_s = time.monotonic()
            took = _work(driver, range(1, proofs + 1))
            sent = _watched(unit, driver, range(proofs + 1, proofs + whole + 1))
            confirmed = _confirm_bytes(unit, driver, proofs + whole + 1)
            proof = evidence.measured(unit.fleet, sent[-1].proof_id, unit.keys)
            time.sleep(max(0.0, settled_s - (time.monotonic() - opened_s)))
            held = _memory(unit.pid)
        bare = disk.bare_commits_ms(unit.journal.with_name("bare.db"), confirmed)
    return {
        **_times(took, bare),
        "confirm, bytes": confirmed,
        **_ways(sent),
        **held,
        "memory at the start": started.rss_bytes / MB,
        **proof,
    }


def _times(took: Mapping[str, list[float]], bare: list[float]) -> dict[str, float]:
    return {
        "confirm, p50": p50(took[CONFIRM]),
        "confirm, p95": p95(took[CONFIRM]),
        "confirm, ratio": p50(took[CONFIRM]) / p50(bare),
        "bare commit, p50": p50(bare),
        "scan, p50": p50(took["pod.typed"]),
        "scan, p95": p95(took["pod.typed"]),
        "photo, p50": p50(took["pod.photo"]),
        "photo, p95": p95(took["pod.photo"]),
        "signature, p95": p95(took["pod.sign"]),
        "next proof, p95": p95(took["pod.start"][1:] or took["pod.start"]),
        "any step, p95": p95([one for values in took.values() for one in values]),
    }


def _memory(pid: int) -> dict[str, float]:
    daemon, reader = memory_of(pid), memory_of(*children_of(pid))
    return {
        "memory": daemon.rss_bytes / MB,
        "memory, shared apart": daemon.pss_bytes / MB,
        "memory, reader": reader.rss_bytes / MB,
        "memory, reader, shared apart": reader.pss_bytes / MB,
    }


# --- the day


@contextmanager
def _signed_in(unit: Unit, stops: int) -> Iterator[Driver]:
    """A driver before his first stop, in a van that stands."""
    send_run(unit.broker, UNIT, _plan(stops))
    driver = Driver(unit.page_port)
    try:
        until(lambda: driver.view()["screen"] == "signin" and driver.view()["d"]["has_run"])
        driver.do("session.pin", driver="d1", pin=day.PIN)
        until(lambda: driver.view()["screen"] == "load")
        driver.do("load.done")
        yield driver
    finally:
        driver.close()


def _plan(stops: int) -> Plan:
    """Stops with a parcel each, and every proof there is in the most common combination."""
    drivers = day.plan(ghent(), datetime.now(UTC)).drivers
    wanted = Proofs(scan="enabled", photo="required", signature="required", name="required")
    calls = [
        Stop(stop_id=stop_id, address=f"Kouter {stop_id}", lines=[Line(line_id="1", name="Parcel", codes=[code])])
        for stop_id, code in map(_door, range(1, stops + 1))
    ]
    return Plan(day=f"{datetime.now(UTC):%Y-%m-%d}", drivers=drivers, stops=calls, proofs=Policy(delivery=wanted), checklist=())


def _door(number: int) -> tuple[str, str]:
    """A stop and its parcel's code."""
    return f"b{number}", day.sscc(9_000 + number)


def _work(driver: Driver, numbers: range) -> dict[str, list[float]]:
    took: dict[str, list[float]] = defaultdict(list)
    for number in numbers:
        for name, ms in driver.hand_over(*_door(number)).items():
            took[name].append(ms)
    return took


def _confirm_bytes(unit: Unit, driver: Driver, number: int) -> int:
    """What the commit of one Confirm changes."""
    driver.prepare(*_door(number))
    before = disk.pieces_of(unit.journal)
    driver.do(CONFIRM)
    after = disk.pieces_of(unit.journal)
    return sum(len(name) + len(piece) for name, piece in after.items() if before.get(name) != piece)


# --- the way to the receiver


class Sent(msgspec.Struct, frozen=True):
    """A proof that the receiver has whole."""

    proof_id: str
    record_bytes: int
    bytes: int
    messages: int
    took_s: float  # from Confirm
    sent_s: float  # of that, from the record on the wire


def _watched(unit: Unit, driver: Driver, numbers: range) -> list[Sent]:
    """Prove one after the other, each when the receiver has the one before."""
    link = BrokerLink(unit.broker, "bench-watcher", [f"{topics.ROOT}/{UNIT}/#"])
    link.connect()
    try:
        until(lambda: not (unit.status.seq.waiting or unit.status.blobs_waiting))
        return [_send(link, driver, number) for number in numbers]
    finally:
        link.close(orderly=True)


def _send(link: BrokerLink, driver: Driver, number: int) -> Sent:
    driver.prepare(*_door(number))
    _drop_waiting(link)
    began_s = time.monotonic()
    driver.do(CONFIRM)
    pod, sizes, missing, seen_s = b"", list[int](), set[str](), 0.0
    while not pod or missing:
        heard = link.inbox.get(timeout=PATIENCE_S)
        if not isinstance(heard, Delivery):
            continue
        if heard.topic == topics.POD.topic(UNIT):
            pod, seen_s = heard.payload, time.monotonic()
            missing = {one["enc_sha256"] for one in _record(pod)["att"]}
        elif heard.topic == topics.RECEIPT.topic(UNIT):
            missing -= {name for name, held in decode(heard.payload, Receipt).blobs.items() if held.whole}
        if heard.topic.startswith(OF_A_PROOF):
            sizes.append(len(heard.payload))
    whole_s = time.monotonic()
    return Sent(_record(pod)["id"], len(pod), sum(sizes), len(sizes), whole_s - began_s, whole_s - seen_s)


def _record(pod: bytes) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.json.decode(decode(pod, Pod).rec)
    return said


def _ways(sent: list[Sent]) -> dict[str, float]:
    return {
        "whole proof": p50([one.took_s for one in sent]),
        "whole proof, sent": p50([one.sent_s for one in sent]),
        "whole proof, wire": p50([one.bytes for one in sent]),
        "whole proof, pieces": p50([one.messages for one in sent]),
        "record, wire": p50([one.record_bytes for one in sent]),
    }


def _drop_waiting(link: BrokerLink) -> None:
    with suppress(queue.Empty):
        while True:
            link.inbox.get_nowait()
