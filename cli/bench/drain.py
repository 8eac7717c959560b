"""How fast a backlog leaves: from the journal through the broker to the receiver's commit and its receipt, beside bare loops around paho.

A bare loop publishes the very batches, packed before its clock starts, and nobody stores them: it is what MQTT alone costs in Python.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from cli.bench.figure import Told, at_least, at_most
from cli.bench.measure import BOOT, START_S, UNIT, Parts, broker, fill, fixes, opened_journal, payloads, processor_s, running, until
from firmware.config import UplinkSettings
from firmware.journal import Journal, Series
from firmware.uplink.outbox import FIXES_A_BATCH, Outbox
from firmware.uplink.reports import Reports
from firmware.uplink.uplink import WINDOW, Uplink
from mqtt import topics
from mqtt.codec import TrackPoint
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.session import Delivery, Published

SHORT_FIXES, LONG_FIXES = 20_100, 99_900  # whole batches of 300: the rest of one would wait for its time
BATCH_S = 1
LOOP = at_least(
    0.8,
    "A bare loop only hands batches to its socket. The unit also reads each from its journal, proves that every number in it still "
    "waits, gives it MQTT 5 properties, and deletes what is receipted; the receiver opens, checks and commits it, on the same "
    "processors. The figures *drain, processor of ...* say what a batch costs each: whoever has most to do sets the pace.",
)

FIGURES = (
    Told("drain", "fixes/s", f"{LONG_FIXES:,} that waited, from connecting to the last receipt: journal, broker, receiver's commit"),
    Told(
        "drain, ratio",
        "x",
        f"{LONG_FIXES:,} fixes to the last receipt, against a bare paho loop: window 20, the same batches packed before, nobody stores",
        LOOP,
    ),
    Told("drain to the broker", "fixes/s", f"{LONG_FIXES:,} that waited until the broker's last PUBACK, the receiver at work beside"),
    Told("drain to the broker, ratio", "x", f"{LONG_FIXES:,} fixes to the broker's last PUBACK, against that bare loop", LOOP),
    Told("drain, short", "fixes/s", f"{SHORT_FIXES:,} fixes until the last is receipted; the first receipt opens the window"),
    Told("drain, short, ratio", "x", f"{SHORT_FIXES:,} fixes to the last receipt, against that loop with their batches", LOOP),
    Told("drain, bare loop", "fixes/s", f"that loop with the batches of {LONG_FIXES:,} fixes, from connecting to the last PUBACK"),
    Told("drain, bare loop, one a publish", "fixes/s", "a bare paho loop that publishes each fix by itself, as JSON"),
    Told("drain, one a publish", "x", "the long drain against the latter"),
    Told("drain, just driven", "fixes/s", f"{SHORT_FIXES:,} fixes, none packed ahead: each batch is packed as it goes"),
    Told("drain, processor of the unit", "ms", "processor time of a batch of 300 that waited packed, until it is receipted"),
    Told("drain, processor of the receiver", "ms", "the same at the receiver: taken, opened, checked, committed, receipted"),
    Told("drain, processor of the bare loop", "ms", "the same in the bare loop, which also sends batches of 300"),
    Told("live after reconnect", "s", f"from connecting to the live position on air, while {LONG_FIXES:,} fixes wait", at_most(5)),
)

Forget = Literal["receipt", "puback"]


class Drained(msgspec.Struct, frozen=True):
    """One drain; seconds from the start of connecting."""

    took_s: float
    live_s: float  # until a subscriber had the live position
    unit_s: float  # of processor time
    receiver_s: float  # likewise


class Looped(msgspec.Struct, frozen=True):
    """One run of a bare loop."""

    took_s: float
    processor_s: float


def ask(folder: Path, seed: int) -> Mapping[str, float]:
    """Every figure of `FIGURES`."""
    return measured(folder, seed, short=SHORT_FIXES, long=LONG_FIXES)


def measured(folder: Path, seed: int, *, short: int, long: int) -> dict[str, float]:
    """The same with so many fixes."""
    driven = fixes(long, seed)
    whole = drained(_empty(folder / "long"), driven)
    taken_s = drained(_empty(folder / "taken"), driven, forget_on="puback").took_s
    brief_s = drained(_empty(folder / "short"), driven[:short]).took_s
    fresh_s = drained(_empty(folder / "fresh"), driven[:short], ahead=False).took_s
    bare = _looped(_empty(folder / "bare"), payloads(driven, FIXES_A_BATCH))
    bare_short_s = _looped(_empty(folder / "bare-short"), payloads(driven[:short], FIXES_A_BATCH)).took_s
    singly_s = _looped(_empty(folder / "singly"), [msgspec.json.encode(point) for point in driven[:short]]).took_s
    return {
        "drain": long / whole.took_s,
        "drain, ratio": bare.took_s / whole.took_s,
        "drain to the broker": long / taken_s,
        "drain to the broker, ratio": bare.took_s / taken_s,
        "drain, short": short / brief_s,
        "drain, short, ratio": bare_short_s / brief_s,
        "drain, bare loop": long / bare.took_s,
        "drain, bare loop, one a publish": short / singly_s,
        "drain, one a publish": (long / whole.took_s) / (short / singly_s),
        "drain, just driven": short / fresh_s,
        **_processor_ms(whole, bare, long / FIXES_A_BATCH),
        "live after reconnect": whole.live_s,
    }


def _processor_ms(whole: Drained, bare: Looped, batches: float) -> dict[str, float]:
    spent_s = {"unit": whole.unit_s, "receiver": whole.receiver_s, "bare loop": bare.processor_s}
    return {f"drain, processor of the {name}": took_s / batches * 1000 for name, took_s in spent_s.items()}


def drained(folder: Path, driven: Sequence[TrackPoint], *, ahead: bool = True, forget_on: Forget = "receipt") -> Drained:
    """Let a backlog go. `ahead`: packed while there was no link, as the unit does then; `puback`: done when the broker has it."""
    with (
        opened_journal(folder) as (journal, parts),
        broker(folder) as port,
        _receiver(folder, port) as receiver,
        _watching(port) as watcher,
    ):
        fill(journal, driven)
        offline = Outbox(journal, unit=UNIT, batch_s=BATCH_S)
        while ahead and offline.prepare():
            pass
        uplink, stop = _uplink(journal, parts, port, forget_on), threading.Event()
        unit_s, receiver_s = time.process_time(), processor_s(receiver.pid)
        began_s, live_s = time.monotonic(), None
        while journal.waiting_count(Series.TSEQ) or live_s is None:
            uplink.step(stop)
            if live_s is None and _has_come(watcher):
                live_s = time.monotonic() - began_s
        took_s = time.monotonic() - began_s
        unit_s, receiver_s = time.process_time() - unit_s, processor_s(receiver.pid) - receiver_s
        uplink.finish()
        return Drained(took_s=took_s, live_s=live_s, unit_s=unit_s, receiver_s=receiver_s)


def _has_come(watcher: BrokerLink) -> bool:
    try:
        return isinstance(watcher.inbox.get_nowait(), Delivery)
    except queue.Empty:
        return False


def _looped(folder: Path, waiting: Sequence[bytes]) -> Looped:
    """What paho alone takes from the start of connecting until the last PUBACK; the window is its own."""
    from cli.bench.bare import Publishing

    with broker(folder) as port:
        began_s, spent_s = time.monotonic(), time.process_time()
        with closing(Publishing(UNIT, port, WINDOW)) as client:
            client.publish(topics.TRACK.topic(UNIT), waiting)
            return Looped(took_s=time.monotonic() - began_s, processor_s=time.process_time() - spent_s)


# --- the stage


def _uplink(journal: Journal, parts: Parts, port: int, forget_on: Forget) -> Uplink:
    clock, status, diary = parts
    return Uplink(
        unit=UNIT,
        boot=BOOT,
        link=BrokerLink(_settings(port), UNIT, topics.unit_filters(UNIT)),
        journal=journal,
        reports=Reports(unit=UNIT, boot=BOOT, firmware="bench", journal=journal, clock=clock, status=status),
        diary=diary,
        clock=clock,
        status=status,
        settings=UplinkSettings(batch_s=BATCH_S, forget_on=forget_on),
    )


def _settings(port: int) -> BrokerSettings:
    return BrokerSettings(host="127.0.0.1", port=port, tls=False)


@contextmanager
def _watching(port: int) -> Iterator[BrokerLink]:
    watcher = BrokerLink(_settings(port), "watcher", [topics.LIVE.topic(UNIT)])
    watcher.connect()
    try:
        yield watcher
    finally:
        watcher.close(orderly=True)


@contextmanager
def _receiver(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    config = folder / "fleet.toml"
    config.write_text(f'store = "sqlite://{folder}/fleet.db"\n[broker]\nhost = "127.0.0.1"\nport = {port}\ntls = false\n', encoding="utf-8")
    with running([sys.executable, "-P", "-m", "cli", "fleet", "receive", "--config", str(config)]) as receiver, ExitStack() as links:
        until((folder / "fleet.db").exists)
        # The receiver is there once the broker delivers to its subscription.
        probe = BrokerLink(_settings(port), "probe", [])
        probe.connect()
        links.callback(lambda: probe.close(orderly=True))
        until(lambda: _is_received(probe))
        yield receiver


def _is_received(probe: BrokerLink) -> bool:
    probe.publish(f"{topics.ROOT}/probe/up/hello", b"{}", 1)
    answer = probe.inbox.get(timeout=START_S)
    return isinstance(answer, Published) and answer.reason == 0


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder
