"""A van's working day in virtual time: the unit's own recorder and uplink on a simulated drive, over a tunnel that counts IP packets.

The clock that the unit's code reads stands still while anything is under way between unit and broker, so that every packet, TLS record
and acknowledgement is the real one of a real kernel; and it jumps when nothing is. What the real clock alone would have brought, the
client's keep-alive pings, is worked out from the times of what was sent and received.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from cli.bench.jumping_link import CONNECTING, PING_BYTES, PINGS, QUIET_S, JumpingLink, Now, Part, Sent
from cli.road.tunnel import PacketCount, Tunnel
from drivers.buzzer import Sound
from drivers.gnss.fix import Epoch
from drivers.gnss.sky import Satellite
from drivers.sim.van import VanEpoch, VirtualVan
from firmware.clock import BUILD_DATE, Clock
from firmware.config import JournalSettings, TrackSettings, UplinkSettings
from firmware.diary import Diary
from firmware.journal import Journal
from firmware.recorder import Recorder
from firmware.status import Status, StatusBoard
from firmware.uplink.reports import Reports
from firmware.uplink.uplink import Uplink
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings

UNIT, BOOT = "van-017", "0123456789ab"
MORNING = datetime(BUILD_DATE.year, BUILD_DATE.month, BUILD_DATE.day, 6, 0, tzinfo=UTC) + timedelta(days=1)


class Day(msgspec.Struct, frozen=True):
    """What a day cost, and for what."""

    count: PacketCount
    pings: int
    sent: list[Sent]
    receipts: list[int]  # bytes of payload each
    fixes: int
    parts: list[Part]  # together all of `bytes`

    @property
    def bytes(self) -> int:
        """At IP level, both ways, the pings included."""
        return self.count.bytes + self.pings * PING_BYTES


def drive(folder: Path, tunnel: Tunnel, broker: BrokerSettings, van: VirtualVan, hours: float) -> Day:
    """One working day of so many hours, from connecting in the morning to taking leave."""
    began = tunnel.count
    now = Now()
    gnss = _Gnss(van, now)
    clock = Clock(utc_s=lambda: MORNING.timestamp() + now.s, mono_s=lambda: now.s, ntp_mark=folder / "none")
    link = JumpingLink(UNIT, broker, now, lambda: gnss.due_s, lambda: tunnel.count.bytes)
    with ExitStack() as closing:
        recorder, uplink, journal = _unit(folder, clock, link, gnss)
        closing.callback(journal.close)
        stop = threading.Event()
        while now.s < hours * 3_600:
            recorder.step(stop)
            uplink.step(stop)
        recorder.finish()
        uplink.finish()
    time.sleep(QUIET_S)
    link.shares.share([CONNECTING])
    ended = tunnel.count
    count = PacketCount(*(b - a for a, b in zip(msgspec.structs.astuple(began), msgspec.structs.astuple(ended), strict=True)))
    pings = link.pings(broker.keepalive_s)
    parts = [*link.shares.told(), Part(PINGS, pings * PING_BYTES)]
    return Day(count, pings, link.sent, link.receipts, gnss.fixes, parts)


def _unit(folder: Path, clock: Clock, link: BrokerLink, gnss: _Gnss) -> tuple[Recorder, Uplink, Journal]:
    """The daemon's parts that make and send records, with the settings that it has where nobody chose any."""
    status = StatusBoard(Status(unit=UNIT, boot=BOOT))
    diary = Diary(unit=UNIT, boot=BOOT, clock=clock, status=status)
    told = JournalSettings()
    journal = Journal(
        folder / "journal.db",
        quota_bytes=told.quota_mb * 1_000_000,
        keep_ms=told.keep_hours * 3_600_000,
        utc_ms=lambda: clock.now().at_ms,
        tombstone=diary.tombstone,
    )
    diary.open(journal)
    reports = Reports(unit=UNIT, boot=BOOT, firmware="0.1.0", journal=journal, clock=clock, status=status)
    recorder = Recorder(
        boot=BOOT, receiver=gnss, panel=gnss.panel, journal=journal, diary=diary, clock=clock, status=status, commit_s=told.commit_s
    )
    uplink = Uplink(
        unit=UNIT,
        boot=BOOT,
        link=link,
        journal=journal,
        reports=reports,
        diary=diary,
        clock=clock,
        status=status,
        settings=UplinkSettings(),
        bound_m=TrackSettings().bound_m,
    )
    diary.note("power.on", {"firmware": "0.1.0"})
    return recorder, uplink, journal


class _Panel:
    """The key of the simulated van."""

    def __init__(self) -> None:
        self.on = True
        self._tell: Callable[[bool], None] = lambda _: None

    def turn(self, *, on: bool) -> None:
        """Turn the key; nothing happens when it is so already."""
        if on is not self.on:
            self.on = on
            self._tell(on)

    def ignition_on(self) -> bool | None:
        return self.on

    def on_change(self, callback: Callable[[bool], None]) -> None:
        self._tell = callback

    def supply_good(self) -> bool | None:
        return True

    def set_led(self, on: bool) -> None:
        """No lamp."""

    def sound(self, name: Sound) -> None:
        """No buzzer."""

    def close(self) -> None:
        """Nothing to give back."""


class _Gnss:
    """The van's receiver at 1 Hz: an epoch for each second that the clock has reached."""

    def __init__(self, van: VirtualVan, now: Now) -> None:
        self.panel = _Panel()
        self.fixes = 0
        self._epochs = iter(van)
        self._now = now
        self.due_s = 0.0

    @property
    def satellites(self) -> tuple[Satellite, ...]:
        return ()

    def read(self, timeout_s: float) -> list[Epoch]:  # noqa: ARG002  the day's clock waits, not its parts
        """The epochs that are complete; never waits."""
        told = []
        while self.due_s <= self._now.s:
            told.append(self._epoch(next(self._epochs)))
            self.due_s += 1.0
        return told

    def status(self) -> _Gnss:
        return self

    def close(self) -> None:
        """Nothing to give back."""

    def _epoch(self, seen: VanEpoch) -> Epoch:
        self.panel.turn(on=seen.ignition)
        at = MORNING + timedelta(seconds=self.due_s)
        if seen.in_tunnel:
            return Epoch(at=at, mode=1, mono_s=self.due_s)
        self.fixes += 1
        return Epoch(
            at=at,
            mode=3,
            lat_deg=seen.lat_deg,
            lon_deg=seen.lon_deg,
            alt_msl_m=seen.alt_msl_m,
            speed_mps=seen.speed_mps,
            course_deg=seen.course_deg,
            hdop=0.8,
            sats_used=12,
            mono_s=self.due_s,
        )
