"""The measurements: real journal files, a real broker, the real receiver."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from cli import mosquitto
from drivers.sim.van import VirtualVan
from firmware.clock import Clock
from firmware.config import UplinkSettings
from firmware.diary import Diary
from firmware.journal import Journal, Series
from firmware.reports import Reports
from firmware.status import PositionStatus, Status, StatusBoard
from firmware.uplink import WINDOW, Uplink
from mqtt import codec, topics
from mqtt.codec import TrackPoint
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.messages import Track
from mqtt.session import Delivery, Published

UNIT, BOOT = "van-017", "0123456789ab"
COMMIT_FIXES = 10
DRAINED_FIXES = 60_000  # whole batches of 300: the rest of a batch would wait for its time
WAITING_FIXES = 50_000
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


def payloads(points: list[TrackPoint], size: int) -> list[bytes]:
    """The points as payloads of up/track."""
    numbered = [msgspec.structs.replace(point, tseq=number) for number, point in enumerate(points, start=1)]
    return [
        codec.pack(Track(unit=UNIT, boot=BOOT, log="01234567", tseq=batch[0].tseq, span=len(batch), cols=codec.to_columns(batch)))
        for batch in _batched(numbered, size)
    ]


def payload_bytes_a_fix(size: int, seed: int) -> float:
    """Bytes of payload a fix over an hour's drive."""
    count = 3_600 // size * size
    return sum(map(len, payloads(fixes(count, seed), size))) / count


def journal_bytes_a_fix(folder: Path, seed: int) -> float:
    """Bytes of the database file a fix, over ten hours of 1 Hz."""
    with opened_journal(folder) as (journal, _):
        points = fixes(36_000, seed)
        _fill(journal, points)
        return journal.used_bytes / len(points)


def days_in_a_gigabyte(folder: Path, seed: int) -> float:
    """How long 1 GB lasts before the first fix is thinned (70 % of the quota)."""
    return 0.7 * 1e9 / journal_bytes_a_fix(folder, seed) / DAY_S


def drain_rate(folder: Path, seed: int) -> float:
    """Fixes a second from the journal to the receipt."""
    with opened_journal(folder) as (journal, parts), _broker(folder) as port, _receiver(folder, port):
        _fill(journal, fixes(DRAINED_FIXES, seed))
        uplink, stop = _uplink(journal, parts, port), threading.Event()
        began_s = time.monotonic()
        while journal.waiting_count(Series.TSEQ):
            uplink.step(stop)
        took_s = time.monotonic() - began_s
        uplink.finish()
        return DRAINED_FIXES / took_s


def bare_rate(folder: Path, seed: int) -> float:
    """Fixes a second that a loop around paho publishes, same batches, same window, done at PUBACK."""
    waiting = payloads(fixes(DRAINED_FIXES, seed), 300)
    with _broker(folder) as port:
        link = BrokerLink(_settings(port), UNIT, [])
        link.connect()
        topic, under_way = topics.TRACK.topic(UNIT), 0
        began_s = time.monotonic()
        while waiting or under_way:
            while waiting and under_way < WINDOW:
                link.publish(topic, waiting.pop(), 1)
                under_way += 1
            under_way -= isinstance(link.inbox.get(timeout=START_S), Published)
        took_s = time.monotonic() - began_s
        link.close(orderly=True)
        return DRAINED_FIXES / took_s


def drain_ratio(folder: Path, seed: int) -> float:
    """The drain as a part of the bare loop's rate."""
    for name in ("ours", "bare"):
        (folder / name).mkdir()
    return drain_rate(folder / "ours", seed) / bare_rate(folder / "bare", seed)


def live_after_connect_s(folder: Path, seed: int) -> float:
    """Seconds from the start of connecting until a subscriber has the live position, with a backlog."""
    with opened_journal(folder) as (journal, parts), _broker(folder) as port, _receiver(folder, port):
        _fill(journal, fixes(WAITING_FIXES, seed))
        watcher = BrokerLink(_settings(port), "watcher", [topics.LIVE.topic(UNIT)])
        watcher.connect()
        uplink, stop = _uplink(journal, parts, port), threading.Event()
        began_s = time.monotonic()
        while True:
            uplink.step(stop)
            try:
                if isinstance(watcher.inbox.get_nowait(), Delivery):
                    break
            except queue.Empty:
                continue
        took_s = time.monotonic() - began_s
        watcher.close(orderly=True)
        uplink.finish()
        return took_s


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


def _fill(journal: Journal, points: list[TrackPoint]) -> None:
    for group in _batched(points, COMMIT_FIXES):
        journal.append(BOOT, [], group)


def _uplink(journal: Journal, parts: Parts, port: int) -> Uplink:
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
        settings=UplinkSettings(batch_s=1),
    )


def _settings(port: int) -> BrokerSettings:
    return BrokerSettings(host="127.0.0.1", port=port, tls=False)


@contextmanager
def _broker(folder: Path) -> Iterator[int]:
    port, config, program = mosquitto.free_port(), folder / "broker.conf", mosquitto.program()
    assert program is not None
    mosquitto.write_config(config, port)
    with _running([program, "-c", str(config)]):
        _until(lambda: mosquitto.answers(port))
        yield port


@contextmanager
def _receiver(folder: Path, port: int) -> Iterator[None]:
    config = folder / "fleet.toml"
    config.write_text(f'store = "sqlite://{folder}/fleet.db"\n[broker]\nhost = "127.0.0.1"\nport = {port}\ntls = false\n', encoding="utf-8")
    with _running([sys.executable, "-P", "-m", "cli", "fleet", "receive", "--config", str(config)]), ExitStack() as links:
        _until((folder / "fleet.db").exists)
        # The receiver is there once the broker delivers to its subscription.
        probe = BrokerLink(_settings(port), "probe", [])
        probe.connect()
        links.callback(lambda: probe.close(orderly=True))
        _until(lambda: _is_received(probe))
        yield


def _is_received(probe: BrokerLink) -> bool:
    probe.publish(f"{topics.ROOT}/probe/up/hello", b"{}", 1)
    answer = probe.inbox.get(timeout=START_S)
    return isinstance(answer, Published) and answer.reason == 0


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.terminate()
        child.wait()


def _until(ready: Callable[[], bool]) -> None:
    end_s = time.monotonic() + START_S
    while not ready():
        if time.monotonic() > end_s:
            raise TimeoutError("the broker or the receiver of the bench does not start")
        time.sleep(0.05)


def _batched(points: list[TrackPoint], size: int) -> Iterator[list[TrackPoint]]:
    return (points[at : at + size] for at in range(0, len(points), size))
