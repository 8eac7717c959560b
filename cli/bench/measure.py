"""The measurements: real journal files, a real broker, the real receiver."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cli import mosquitto
from drivers.sim.van import VirtualVan
from firmware.clock import Clock
from firmware.diary import Diary
from firmware.journal import Journal
from firmware.status import PositionStatus, Status, StatusBoard
from mqtt import codec
from mqtt.codec import TrackPoint
from mqtt.messages import Track

UNIT, BOOT = "van-017", "0123456789ab"
COMMIT_FIXES = 10
DAY_S = 86_400
START_S = 20.0


def fixes(count: int, seed: int) -> list[TrackPoint]:
    """A van's fixes, with the noise of a real receiver."""
    van = VirtualVan(seed)
    return [_point(van) for _ in range(count)]


def _point(van: VirtualVan) -> TrackPoint:
    epoch = van.step()
    return TrackPoint(
        tseq=0,
        t_ms=round(epoch.at.timestamp() * 1000),
        lat_e7=round(epoch.lat_deg * 1e7),
        lon_e7=round(epoch.lon_deg * 1e7),
        alt_m=round(epoch.alt_msl_m),
        speed_cms=round(epoch.speed_mps * 100),
        course_cdeg=round(epoch.course_deg * 10) * 10,
        sats=12,
        hdop_e1=8,
    )


def payloads(points: Sequence[TrackPoint], size: int) -> list[bytes]:
    """The points as payloads of up/track."""
    numbered = [msgspec.structs.replace(point, tseq=number) for number, point in enumerate(points, start=1)]
    return [
        codec.pack(Track(unit=UNIT, boot=BOOT, log="01234567", tseq=batch[0].tseq, span=len(batch), cols=codec.to_columns(batch)))
        for batch in batched(numbered, size)
    ]


def payload(_: Path, seed: int) -> Mapping[str, float]:
    """Bytes of payload a fix over an hour's drive."""
    return {
        "payload": _payload_bytes_a_fix(60, seed),
        "payload, draining": _payload_bytes_a_fix(300, seed),
        "payload, OwnTracks": statistics.mean(len(_owntracks(point)) for point in fixes(3_600, seed)),
    }


def _owntracks(point: TrackPoint) -> bytes:
    """The fix as the OwnTracks app publishes one (owntracks.org/booklet/tech/json)."""
    location = {
        "_type": "location",
        "tid": UNIT[-2:],
        "tst": point.t_ms // 1000,
        "lat": point.lat_e7 / 1e7,
        "lon": point.lon_e7 / 1e7,
        "alt": point.alt_m,
        "vel": round((point.speed_cms or 0) * 0.036),
        "cog": round((point.course_cdeg or 0) / 100),
        "acc": 5,
        "batt": 100,
        "conn": "m",
    }
    return msgspec.json.encode(location)


def _payload_bytes_a_fix(size: int, seed: int) -> float:
    count = 3_600 // size * size
    return sum(map(len, payloads(fixes(count, seed), size))) / count


def kept(folder: Path, seed: int) -> Mapping[str, float]:
    """Bytes of the database file a fix, over ten hours of 1 Hz; and how long 1 GB lasts before the first fix is thinned (70 %)."""
    with opened_journal(folder) as (journal, _):
        points = fixes(36_000, seed)
        fill(journal, points)
        bytes_a_fix = journal.used_bytes / len(points)
    return {"journal": bytes_a_fix, "offline": 0.7 * 1e9 / bytes_a_fix / DAY_S}


# --- the stage

Parts = tuple[Clock, StatusBoard, Diary]


@contextmanager
def opened_journal(folder: Path) -> Iterator[tuple[Journal, Parts]]:
    """A new journal, and what belongs to it."""
    clock = Clock()
    place = PositionStatus(at_ms=clock.now().at_ms, mono_s=clock.mono_s(), lat_deg=51.05, lon_deg=3.72)
    status = StatusBoard(Status(unit=UNIT, position=place))
    diary = Diary(unit=UNIT, boot=BOOT, clock=clock, status=status)
    journal = Journal(
        folder / "journal" / "journal.db",
        quota_bytes=1_000_000_000,
        keep_ms=0,
        utc_ms=lambda: clock.now().at_ms,
        tombstone=diary.tombstone,
    )
    diary.open(journal)
    try:
        yield journal, (clock, status, diary)
    finally:
        journal.close()


def fill(journal: Journal, points: Sequence[TrackPoint]) -> None:
    """Record fixes as the daemon does, ten a commit."""
    for group in batched(points, COMMIT_FIXES):
        journal.append(BOOT, [], group)


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A broker of our own; its port."""
    port, config, program = mosquitto.free_port(), folder / "broker.conf", mosquitto.program()
    assert program is not None
    mosquitto.write_config(config, port)
    with running([program, "-c", str(config)]):
        until(lambda: mosquitto.answers(port))
        yield port


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program, ended at the end."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        child.wait()


def processor_s(pid: int) -> float:
    """The processor time that a process, all its threads together, has taken."""
    return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3): to the nanosecond, where /proc counts in hundredths of a second


def until(ready: Callable[[], bool]) -> None:
    """Wait for it; TimeoutError when a slow machine would have had it long ago."""
    end_s = time.monotonic() + START_S
    while not ready():
        if time.monotonic() > end_s:
            raise TimeoutError("the broker, the receiver or the unit of the bench does not start, or does not get on")
        time.sleep(0.05)


def batched(points: Sequence[TrackPoint], size: int) -> Iterator[Sequence[TrackPoint]]:
    """Groups of so many."""
    return (points[at : at + size] for at in range(0, len(points), size))
