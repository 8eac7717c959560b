"""The measurements: real journal files, a real broker, the real receiver."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from cli import mosquitto
from drivers.sim.van import VirtualVan
from firmware.clock import Clock
from firmware.config import UplinkSettings
from firmware.diary import Diary
from firmware.journal import Journal, Series
from firmware.status import PositionStatus, Status, StatusBoard
from firmware.uplink.reports import Reports
from firmware.uplink.uplink import WINDOW, Uplink
from mqtt import codec, topics
from mqtt.codec import TrackPoint
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.messages import Track
from mqtt.session import Delivery, Published

UNIT, BOOT = "van-017", "0123456789ab"
COMMIT_FIXES = 10
DRAINED_FIXES = 60_000  # whole batches of 300: the rest of a batch would wait for its time
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


def payload(_: Path, seed: int) -> Mapping[str, float]:
    """Bytes of payload a fix over an hour's drive."""
    return {"payload": _payload_bytes_a_fix(60, seed), "payload, draining": _payload_bytes_a_fix(300, seed)}


def _payload_bytes_a_fix(size: int, seed: int) -> float:
    count = 3_600 // size * size
    return sum(map(len, payloads(fixes(count, seed), size))) / count


def kept(folder: Path, seed: int) -> Mapping[str, float]:
    """Bytes of the database file a fix, over ten hours of 1 Hz; and how long 1 GB lasts before the first fix is thinned (70 %)."""
    with opened_journal(folder) as (journal, _):
        points = fixes(36_000, seed)
        _fill(journal, points)
        bytes_a_fix = journal.used_bytes / len(points)
    return {"journal": bytes_a_fix, "offline": 0.7 * 1e9 / bytes_a_fix / DAY_S}


def drained(folder: Path, seed: int) -> Mapping[str, float]:
    """A backlog after a dead zone: when the live position is on air, how fast the rest leaves, and that against a bare loop."""
    for name in ("ours", "bare"):
        (folder / name).mkdir()
    live_s, rate = _drain(folder / "ours", seed)
    return {"live after reconnect": live_s, "drain": rate, "drain, ratio": rate / _bare_rate(folder / "bare", seed)}


def _drain(folder: Path, seed: int) -> tuple[float, float]:
    """Seconds from the start of connecting until a subscriber has the live position; fixes a second from the journal to the receipt."""
    with opened_journal(folder) as (journal, parts), broker(folder) as port, _receiver(folder, port):
        _fill(journal, fixes(DRAINED_FIXES, seed))
        watcher = BrokerLink(_settings(port), "watcher", [topics.LIVE.topic(UNIT)])
        watcher.connect()
        uplink, stop = _uplink(journal, parts, port), threading.Event()
        began_s, live_s = time.monotonic(), None
        while journal.waiting_count(Series.TSEQ) or live_s is None:
            uplink.step(stop)
            if live_s is None and _has_come(watcher):
                live_s = time.monotonic() - began_s
        took_s = time.monotonic() - began_s
        watcher.close(orderly=True)
        uplink.finish()
        return live_s, DRAINED_FIXES / took_s


def _has_come(watcher: BrokerLink) -> bool:
    try:
        return isinstance(watcher.inbox.get_nowait(), Delivery)
    except queue.Empty:
        return False


def _bare_rate(folder: Path, seed: int) -> float:
    """Fixes a second that a loop around paho publishes, same batches, same window, done at PUBACK."""
    waiting = payloads(fixes(DRAINED_FIXES, seed), 300)
    with broker(folder) as port:
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
def broker(folder: Path) -> Iterator[int]:
    """A broker of our own; its port."""
    port, config, program = mosquitto.free_port(), folder / "broker.conf", mosquitto.program()
    assert program is not None
    mosquitto.write_config(config, port)
    with running([program, "-c", str(config)]):
        until(lambda: mosquitto.answers(port))
        yield port


@contextmanager
def _receiver(folder: Path, port: int) -> Iterator[None]:
    config = folder / "fleet.toml"
    config.write_text(f'store = "sqlite://{folder}/fleet.db"\n[broker]\nhost = "127.0.0.1"\nport = {port}\ntls = false\n', encoding="utf-8")
    with running([sys.executable, "-P", "-m", "cli", "fleet", "receive", "--config", str(config)]), ExitStack() as links:
        until((folder / "fleet.db").exists)
        # The receiver is there once the broker delivers to its subscription.
        probe = BrokerLink(_settings(port), "probe", [])
        probe.connect()
        links.callback(lambda: probe.close(orderly=True))
        until(lambda: _is_received(probe))
        yield


def _is_received(probe: BrokerLink) -> bool:
    probe.publish(f"{topics.ROOT}/probe/up/hello", b"{}", 1)
    answer = probe.inbox.get(timeout=START_S)
    return isinstance(answer, Published) and answer.reason == 0


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program, ended at the end."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        child.wait()


def until(ready: Callable[[], bool]) -> None:
    """Wait for it; TimeoutError when a slow machine would have had it long ago."""
    end_s = time.monotonic() + START_S
    while not ready():
        if time.monotonic() > end_s:
            raise TimeoutError("the broker, the receiver or the unit of the bench does not start, or does not get on")
        time.sleep(0.05)


def _batched(points: list[TrackPoint], size: int) -> Iterator[list[TrackPoint]]:
    return (points[at : at + size] for at in range(0, len(points), size))
