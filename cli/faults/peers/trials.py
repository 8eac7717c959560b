"""What is done to each peer, with everything else left alone."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from cli.faults.peers.peer import Kind
from cli.faults.peers.stage import Count, Stage, staged
from cli.faults.power import block
from cli.faults.power.block import LoggedDisk

# A drain that lasts long enough to be hit in its middle, for who packs well too.
MOBILE_BPS, MOBILE_DELAY_S = 256_000, 0.05
DRAINED_SHARE = 0.1  # of the records have arrived when the broker dies
DRAIN_S = 120.0
DOWN_S = 1.0
HOLE_AFTER, HOLE_FOR = 0.25, 0.5  # of the records are fed before, and in, the hole
AT_REST_S = 1.0  # from the last record to the power cut: nobody was in the middle of anything
DISK_MB = 256


class Trial(msgspec.Struct, frozen=True):
    """One kind of fault; `do` gets a peer, how many records it is fed, an empty folder and a seed."""

    name: str
    records: int
    do: Callable[[Kind, int, Path, int], Count]
    needs_disk: bool = False


def killed(kind: Kind, records: int, folder: Path, _seed: int) -> Count:
    """Out of reach of the broker it is fed a backlog, killed as it has taken the last, and started with the road mended."""
    with staged(kind, folder) as stage, stage.proven_on(folder / "kept") as peer:
        stage.road.cut()
        stage.feed(peer, records)
        peer.kill()
        stage.road.restore()
        peer.start()
        return stage.settled()


def broker_killed(kind: Kind, records: int, folder: Path, _seed: int) -> Count:
    """Its backlog is on the way over a mobile road when the fleet's broker is killed; that comes back a second later."""
    with staged(kind, folder) as stage, stage.proven_on(folder / "kept") as peer:
        stage.road.cut()
        stage.feed(peer, records)
        before = stage.arrived()
        stage.road.pace(rate_bps=MOBILE_BPS, delay_s=MOBILE_DELAY_S)
        stage.road.restore()
        stage.waited_for(before + max(1, round(records * DRAINED_SHARE)), DRAIN_S)
        stage.broker.kill()
        time.sleep(DOWN_S)
        stage.broker.start()
        return stage.settled()


def black_holed(kind: Kind, records: int, folder: Path, _seed: int) -> Count:
    """While it is fed, the road swallows everything for a while and hangs up on nobody; then it breaks and is mended."""
    before, within = round(records * HOLE_AFTER), round(records * HOLE_FOR)
    with staged(kind, folder) as stage, stage.proven_on(folder / "kept") as peer:
        stage.feed(peer, before)
        stage.road.black_hole()
        stage.feed(peer, within)
        stage.road.restore()
        stage.feed(peer, records - before - within)
        return stage.settled()


def powered_off(kind: Kind, records: int, folder: Path, seed: int) -> Count:
    """Out of reach of the broker it is fed a backlog and left at rest for a second; then the power goes, and what is left is started."""
    block.need(block.PROGRAMS)
    with block.hidden_folder() as hidden, staged(kind, folder) as stage:
        disk = LoggedDisk(hidden / "disk", DISK_MB)
        with disk:
            cut_bytes = _cut_bytes(stage, disk, records)
        disk.verify()
        instant = sum(entry.end_bytes <= cut_bytes for entry in disk.entries())
        image = hidden / "left.img"
        chance = random.Random(seed)  # noqa: S311  a cut to repeat, no secret
        for _ in disk.cut_at([instant], chance, image):
            with block.mounted(image, hidden / "left"), stage.peer_on(hidden / "left" / "kept"):
                return stage.settled()
    raise AssertionError("one instant, one image")


def _cut_bytes(stage: Stage, disk: LoggedDisk, records: int) -> int:
    """How long the log was when the power went."""
    with stage.proven_on(disk.root / "kept") as peer:
        stage.road.cut()
        stage.feed(peer, records)
        time.sleep(AT_REST_S)
        at_bytes = disk.end_bytes
    stage.road.restore()
    return at_bytes


TRIALS = (
    Trial("kill -9 with a backlog", 3_000, killed),
    Trial("broker killed in mid-drain", 5_000, broker_killed),
    Trial("link black-holed", 4_000, black_holed),
    Trial("power cut", 2_000, powered_off, needs_disk=True),
)
