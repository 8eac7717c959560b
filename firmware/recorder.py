"""Fixes and the ignition line in; trip, events and the track into the journal."""

from __future__ import annotations

import logging
import queue
import threading
from datetime import datetime
from typing import Protocol

import msgspec

from drivers.chrony import ChronySocket
from drivers.errors import DriverError
from drivers.gnss.fix import Epoch
from drivers.gnss.sky import Satellite
from drivers.panel import Panel
from firmware.clock import Clock, Moment
from firmware.diary import Diary
from firmware.driving import trip as trips
from firmware.driving.odometer import Odometer, OdometerState
from firmware.driving.track import accuracy_m, to_point
from firmware.journal import Draft, Journal, JournalFullError
from firmware.journal.pressure import THIN_AT
from firmware.redating import redated
from firmware.status import PositionStatus, SatelliteStatus, StatusBoard
from mqtt.backoff import Backoff
from mqtt.codec import TrackPoint

log = logging.getLogger(__name__)

READ_S = 1.0  # the longest wait for bytes, so that the ignition and the supply are seen within it
LOST_AFTER_S = 5.0  # without a fix: a bridge is shorter, a tunnel longer
REOPEN_S = 0.5  # the longest wait before a gone port is tried again: a replugged receiver has its fix within two seconds
SKY_EVERY_S = 1.0  # satellites move a degree in two minutes; what changes is how well they are heard
HELD_LIMIT = 3_600  # fixes kept in memory while the card is full: an hour at 1 Hz


class Hearing(Protocol):
    """What the recorder tells of how a receiver is."""

    @property
    def satellites(self) -> tuple[Satellite, ...]:
        """Those in view."""


class Receiver(Protocol):
    """What the recorder needs of a GNSS receiver."""

    def read(self, timeout_s: float) -> list[Epoch]:
        """Wait for bytes, return the epochs that are complete; DriverError while the port is gone."""

    def status(self) -> Hearing:
        """Return how it was after the last `read`."""

    def close(self) -> None:
        """Give the port back."""


class Recorder:
    """The worker that turns what the vehicle says into records."""

    name = "recorder"
    may_be_left = False
    stall_s = 30.0  # a commit waits for the card's slowest moment

    def __init__(
        self,
        *,
        boot: str,
        receiver: Receiver,
        panel: Panel,
        journal: Journal,
        diary: Diary,
        clock: Clock,
        status: StatusBoard,
        commit_s: float,
        chrony: ChronySocket | None = None,
    ) -> None:
        self._boot = boot
        self._receiver = receiver
        self._panel = panel
        self._journal = journal
        self._diary = diary
        self._clock = clock
        self._status = status
        self._commit_s = commit_s
        self._chrony = chrony
        self._odometer = _odometer(journal.odometer)
        self._trip = trips.Trip(self._odometer.distance_m)
        self._ignition_changes: queue.Queue[tuple[bool, Moment]] = queue.Queue(100)
        panel.on_change(self._on_ignition)  # first: a key turned between the two is seen in both, and counts once
        self._ignition = panel.ignition_on()
        self._points: list[TrackPoint] = []
        self._drafts: list[Draft] = []
        self._newest_ms: int | None = None  # the time of the newest fix, written or held
        self._due_s: float | None = None  # when the held fixes are to be written
        self._fix_s: float | None = None  # when the last fix came; None before the first
        self._supply_good: bool | None = None
        self._lost = False
        self._retry_s = 0.0
        self._sky_s = float("-inf")  # when the satellites were shown
        self._sky: tuple[Satellite, ...] = ()  # those that were
        self._lit = False
        self._backoff = Backoff(first_s=0.2, longest_s=REOPEN_S)
        self._storage_low = False
        self._redated = False
        status.change(ignition=self._ignition, chrony=chrony.state if chrony is not None else "")

    def step(self, stop: threading.Event) -> None:
        """Take what the receiver and the ignition have said, write what is due."""
        for epoch in self._read(stop):
            self._take(epoch)
        self._show_sky()
        self._look_at_ignition()
        self._look_at_supply()
        self._look_for_loss()
        now_s = self._clock.mono_s()
        self._follow_trip(now_s, None)  # a pause runs out also while the receiver is silent
        if self._drafts or (self._due_s is not None and now_s >= self._due_s):
            self._commit()
        self._redate()

    def finish(self) -> None:
        """Write what is held and give the devices back."""
        self._commit()
        self._receiver.close()
        self._panel.close()
        if self._chrony is not None:
            self._chrony.close()

    def _read(self, stop: threading.Event) -> list[Epoch]:
        if self._clock.mono_s() < self._retry_s:
            stop.wait(min(READ_S, self._retry_s - self._clock.mono_s()))
            return []
        try:
            epochs = self._receiver.read(READ_S)
        except DriverError as error:
            if str(error) != self._status.snapshot().gnss:
                log.warning("%s", error)
            self._status.change(gnss=str(error))
            self._lose_sight()
            self._retry_s = self._clock.mono_s() + self._backoff.next_s()
            return []
        self._backoff.reset()
        return epochs

    def _take(self, epoch: Epoch) -> None:
        self._odometer.update(epoch)
        self._follow_trip(epoch.mono_s, epoch.speed_mps if epoch.has_fix else None)
        if not epoch.has_fix or epoch.at is None:
            self._lose_sight()
            return
        stepped_ms = self._clock.observe(epoch.at, epoch.mono_s)
        if stepped_ms is not None:
            self._drafts.append(self._diary.draft("clock.step", {"step_ms": stepped_ms}))
        self._feed_chrony(epoch.at, epoch.mono_s)
        point = to_point(epoch)
        if self._points and self._points[-1].t_ms == point.t_ms:
            self._points[-1] = point  # the receiver corrected its epoch
        elif point.t_ms != self._newest_ms:  # a correction that comes after the commit would be the same fix under a second number
            self._points.append(point)
            self._newest_ms = point.t_ms
            self._status.count("fixes_read")
        if self._due_s is None:
            self._due_s = epoch.mono_s + self._commit_s
        self._fix_s = epoch.mono_s
        self._show(epoch)
        if self._lost:
            self._lost = False
            self._drafts.append(self._diary.draft("gnss.back"))

    def _feed_chrony(self, at: datetime, mono_s: float) -> None:
        """Pass on a time that is believed: the system's clock must not follow a wild date."""
        if self._chrony is not None and self._clock.confirms(at, mono_s):
            self._chrony.feed(system_s=self._clock.system_s(mono_s), true_s=at.timestamp())
            self._status.change(chrony=self._chrony.state)

    def _redate(self) -> None:
        """Once a start, when the time has become known: give the events from before it theirs."""
        if self._redated or self._drafts or not (now := self._clock.now()).is_good:
            return
        self._redated = True
        count = self._journal.redate(self._boot, lambda payload: redated(payload, self._boot, now))
        log.info("the time is known by %s; %d earlier events were re-dated", now.src, count)

    def _lose_sight(self) -> None:
        self._status.change(has_fix=False)
        self._light(on=False)

    def _light(self, *, on: bool) -> None:
        if on is not self._lit:
            self._lit = on
            self._panel.set_led(on=on)

    def _show(self, epoch: Epoch) -> None:
        assert epoch.at is not None
        assert epoch.lat_deg is not None
        assert epoch.lon_deg is not None
        self._light(on=True)
        self._status.change(
            has_fix=True,
            fixes_held=len(self._points),
            moving=self._trip.rolls(epoch.mono_s),
            trip=self._trip.state.value,
            odometer_m=round(self._odometer.distance_m, 1),
            position=PositionStatus(
                at_ms=round(epoch.at.timestamp() * 1000),
                mono_s=epoch.mono_s,
                lat_deg=epoch.lat_deg,
                lon_deg=epoch.lon_deg,
                alt_m=epoch.alt_msl_m,
                speed_mps=epoch.speed_mps,
                course_deg=epoch.course_deg,
                sats=epoch.sats_used,
                accuracy_m=accuracy_m(epoch.hdop),
            ),
        )

    def _show_sky(self) -> None:
        now_s = self._clock.mono_s()
        if now_s - self._sky_s < SKY_EVERY_S:
            return
        self._sky_s = now_s
        satellites = self._receiver.status().satellites
        if satellites is self._sky:
            return
        self._sky = satellites
        self._status.change(
            sky=tuple(
                SatelliteStatus(
                    system=one.constellation,
                    prn=one.number,
                    elevation_deg=one.elevation_deg,
                    azimuth_deg=one.azimuth_deg,
                    snr_db=one.cn0_dbhz,
                    used=one.used,
                )
                for one in satellites
            )
        )

    def _on_ignition(self, on: bool) -> None:
        """On the panel's thread: into the queue, nothing else. A full queue has the newest states in it already."""
        try:
            self._ignition_changes.put_nowait((on, self._clock.now()))
        except queue.Full:
            log.warning("the ignition line chatters; check its wiring")

    def _look_at_ignition(self) -> None:
        while not self._ignition_changes.empty():
            on, moment = self._ignition_changes.get_nowait()
            if on == self._ignition:
                continue
            self._ignition = on
            self._status.change(ignition=on)
            self._drafts.append(self._diary.draft("ignition.on" if on else "ignition.off", moment=moment))
            self._follow_trip(self._clock.mono_s(), None)

    def _look_at_supply(self) -> None:
        """The vehicle's power went: what is held is written now, the hold-up supply lasts only seconds."""
        good = self._panel.supply_good()
        if good is not None and good is not self._supply_good:
            if self._supply_good is not None or not good:
                self._drafts.append(self._diary.draft("power.ext_back" if good else "power.ext_lost"))
            self._supply_good = good

    def _look_for_loss(self) -> None:
        if self._lost or self._fix_s is None or self._clock.mono_s() - self._fix_s < LOST_AFTER_S:
            return
        self._lost = True
        self._lose_sight()
        self._status.change(moving=False)
        self._drafts.append(self._diary.draft("gnss.lost"))

    def _follow_trip(self, at_s: float, speed_mps: float | None) -> None:
        before = self._trip.state
        for event in self._trip.update(at_s, speed_mps, self._ignition, self._odometer.distance_m):
            self._note_trip(event)
        if self._trip.state is not before:
            self._status.change(trip=self._trip.state.value)

    def _note_trip(self, event: trips.TripEvent) -> None:
        now = self._clock.now()
        ago_ms = now.mono_ms - round(event.at_s * 1000)
        moment = type(now)(now.at_ms - ago_ms, now.src, now.mono_ms - ago_ms)
        if isinstance(event, trips.Started):
            self._drafts.append(self._diary.draft("trip.start", {"odometer_m": round(event.odometer_m)}, moment))
        else:
            driven = {"distance_m": round(event.driven_m), "odometer_m": round(event.odometer_m)}
            self._drafts.append(self._diary.draft("trip.end", {"duration_s": round(event.at_s - event.started_s), **driven}, moment))

    def _commit(self) -> None:
        """Write fixes and events in one commit. While the card is full they stay in memory, the oldest fixes go first."""
        if not self._points and not self._drafts:
            return
        try:
            self._journal.append(self._boot, self._drafts, self._points, msgspec.json.encode(self._odometer.state).decode())
        except JournalFullError as error:
            if str(error) != self._status.snapshot().journal:
                log.critical("%s", error)
            self._status.change(journal=str(error))
            del self._points[:-HELD_LIMIT], self._drafts[:-HELD_LIMIT]
            self._due_s = self._clock.mono_s() + self._commit_s
            return
        self._points, self._drafts, self._due_s = [], [], None
        self._status.change(journal="open", fixes_held=0)
        self._warn_of_low_storage()

    def _warn_of_low_storage(self) -> None:
        low = self._journal.used >= THIN_AT
        if low and not self._storage_low:
            self._drafts.append(self._diary.draft("storage.low", {"used_percent": round(self._journal.used * 100)}))
        self._storage_low = low


def _odometer(stored: str | None) -> Odometer:
    """The odometer as the journal last saw it; a new one where it never did, or where that cannot be read."""
    try:
        return Odometer(msgspec.json.decode(stored, type=OdometerState) if stored else None)
    except msgspec.DecodeError:
        log.error("the odometer cannot be read and begins anew")  # noqa: TRY400  whoever reads the log needs no traceback
        return Odometer(None)
