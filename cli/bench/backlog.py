"""What a unit with a backlog holds in memory: the real daemon without a page, online, while no receiver takes what waits."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from cli.bench.figure import Told, at_most
from cli.bench.measure import BOOT, UNIT, broker, fixes, opened_journal, running, until
from cli.bench.memory import memory_of
from cli.bench.unit import roadproof
from firmware import status as statuses
from firmware.status import Status
from firmware.status_file import STATUS_FILE
from mqtt.codec import TrackPoint

WAITING_FIXES = (10_000, 100_000, 1_000_000)
SETTLED_S = 20.0  # self-test, birth, the first probes of a receiver, batches packed ahead
A_COMMIT = 60  # fixes; the daemon commits ten, which would take this bench ten minutes and makes no other rows
PATTERN_FIXES = 6_000
MB = 1e6

FIGURES = (
    Told("memory at rest", "MB", "VmRSS of the daemon without a page, standing, nothing waits; no receiver"),
    *(Told(f"memory, {count:,} waiting", "MB", "the same with so many fixes waiting") for count in WAITING_FIXES),
    Told("memory, growth", "%", f"from none waiting to {WAITING_FIXES[-1]:,}", at_most(10)),
)

UNIT_TOML = """unit = "{unit}"
runtime_folder = "{folder}/run"
[board]
profile = "simulated"
gnss_port = "{folder}/gnss"
sim_socket = "{folder}/panel"
[broker]
host = "127.0.0.1"
port = {port}
tls = false
[journal]
folder = "{folder}/journal"
"""


def ask(folder: Path, seed: int) -> Mapping[str, float]:
    """Every figure of `FIGURES`."""
    return measured(folder, seed, waiting=WAITING_FIXES, settled_s=SETTLED_S)


def measured(folder: Path, seed: int, *, waiting: Sequence[int], settled_s: float) -> dict[str, float]:
    """The same with so many fixes each time, after so many seconds."""
    rest, *loaded = [_held_bytes(folder / str(count), seed, count, settled_s) for count in (0, *waiting)]
    return {
        "memory at rest": rest / MB,
        **{f"memory, {count:,} waiting": held / MB for count, held in zip(waiting, loaded, strict=True)},
        "memory, growth": (loaded[-1] / rest - 1) * 100,
    }


def _held_bytes(folder: Path, seed: int, waiting: int, settled_s: float) -> int:
    folder.mkdir()
    _record(folder, seed, waiting)
    with broker(folder) as port:
        (folder / "unit.toml").write_text(UNIT_TOML.format(unit=UNIT, folder=folder, port=port), encoding="utf-8")
        with running(roadproof("run", "--config", str(folder / "unit.toml"))) as daemon:
            until(lambda: _status(folder).pid == daemon.pid and _status(folder).connects > 0)
            time.sleep(settled_s)
            return memory_of(daemon.pid).rss_bytes


def _status(folder: Path) -> Status:
    return statuses.read(folder / "run" / STATUS_FILE) or Status()


def _record(folder: Path, seed: int, count: int) -> None:
    """A drive that goes on and on: the van's first hours, again and again, later each time."""
    with opened_journal(folder) as (journal, _):
        pattern = fixes(min(count, PATTERN_FIXES), seed)
        for at in range(0, count, A_COMMIT):
            journal.append(BOOT, [], [_later(pattern[n % PATTERN_FIXES], n) for n in range(at, min(at + A_COMMIT, count))])


def _later(point: TrackPoint, number: int) -> TrackPoint:
    return msgspec.structs.replace(point, t_ms=point.t_ms + number // PATTERN_FIXES * PATTERN_FIXES * 1000)
