"""The pictures of docs/performance.md: which figures stand side by side."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cli.bench import peers
from cli.bench.backlog import WAITING_FIXES
from cli.bench.network import MONTH_PARTS
from cli.bench.result import Result
from cli.bench.running import FAST_HZ
from cli.bench.svg import Bar, Panel, drawn

OURS = "Roadproof"
OTHERS = ("bare paho", "paho", "ThingsBoard", "OwnTracks")  # they stand back
NAMES = {"ours": OURS, "paho": "paho, one a publish"}


class Wanted(msgspec.Struct, frozen=True):
    """A panel: bars, each with its name and its figure's."""

    title: str
    bars: tuple[tuple[str, str], ...]


class Plot(msgspec.Struct, frozen=True):
    """One picture: `file` without its ending, and what a reader learns from it."""

    file: str
    title: str
    panels: tuple[Wanted, ...]


PLOTS = (
    Plot(
        "drain",
        "How fast a backlog leaves: longer is better",
        (
            Wanted(
                "fixes a second on loopback, batches of 300",
                (
                    (f"{OURS} to the receipt", "drain"),
                    (f"{OURS} to the broker", "drain to the broker"),
                    ("bare paho, same batches", "drain, bare loop"),
                    ("bare paho, one a publish", "drain, bare loop, one a publish"),
                ),
            ),
            *(
                Wanted(title, tuple((NAMES.get(one.name, one.name), f"drain, {road}, {one.name}") for one in peers.CONTENDERS))
                for road, title in (("loopback", "20,000 records on loopback"), ("mobile", "over 100 ms and 256 kbit/s"))
            ),
        ),
    ),
    Plot(
        "bytes",
        "What a fix weighs: shorter is better",
        (
            Wanted(
                "on the wire",
                (
                    (f"{OURS}, 60 a batch", "payload"),
                    (f"{OURS}, draining", "payload, draining"),
                    (f"{OURS}, draining, whole packets", "wire, draining"),
                    ("OwnTracks' JSON", "payload, OwnTracks"),
                ),
            ),
            Wanted("on the card, 1 Hz", (("in the journal's file", "journal"), ("written to the device", "device"))),
        ),
    ),
    Plot(
        "cpu",
        "Processor time of an hour's driving, no page open",
        (Wanted("of one processor of this machine", (("1 Hz", "CPU"), (f"{FAST_HZ} Hz", f"CPU, {FAST_HZ} Hz"))),),
    ),
    Plot(
        "memory",
        "Memory against what waits: flat is good",
        (
            Wanted(
                "the daemon's resident memory, fixes waiting",
                (("none", "memory at rest"), *((f"{count:,}", f"memory, {count:,} waiting") for count in WAITING_FIXES)),
            ),
            Wanted("growth from the first to the last", (("all", "memory, growth"),)),
            Wanted("and while it drives", (("1 Hz", "memory without the page"),)),
        ),
    ),
    Plot(
        "month",
        "What a van costs in mobile data: 10 hours a day, 22 days",
        (
            Wanted("whole IP packets with TLS", (("all", "month"), ("of that, payload", "month, payload"))),
            Wanted("what they are for", tuple((name, f"month, {name}") for name in MONTH_PARTS)),
        ),
    ),
)


def panels(plot: Plot, result: Result) -> list[Panel]:
    """Those that have figures."""
    return [panel for wanted in plot.panels if (panel := _panel(wanted, result))]


def picture(plot: Plot, shown: Sequence[Panel], result: Result) -> str:
    """It as SVG."""
    times = max(bar.figure.times for panel in shown for bar in panel.bars)
    machine = result.machine
    notes = (
        f"Median of {times} run{'s' if times > 1 else ''}; the whisker is from the least to the most, the broken line a target. "
        f"{result.day}, {machine.architecture}, {machine.processors} processors; {machine.versions}."
    )
    return drawn(plot.title, shown, notes)


def _panel(wanted: Wanted, result: Result) -> Panel | None:
    bars = [Bar(name, figure, ours=not name.startswith(OTHERS)) for name, of in wanted.bars if (figure := result.of(of))]
    return Panel(wanted.title, bars[0].figure.unit, bars) if bars else None
