"""Fixes and the ignition line in; trip, events and the track into the journal."""

from __future__ import annotations

import logging
import queue
import threading
from typing import Protocol

from drivers.errors import DriverError
from drivers.gnss.fix import Epoch
from drivers.panel import Panel
from firmware import trip as trips
from mqtt.backoff import Backoff
from firmware.clock import Clock
from firmware.diary import Diary
from firmware.journal import Draft, Journal, JournalFullError
from firmware.journal.pressure import THIN_AT
from firmware.status import PositionStatus, StatusBoard
from firmware.track import accuracy_m, to_point
from mqtt.codec import TrackPoint

log = logging.getLogger(__name__)

READ_S = 0.5  # the longest wait for bytes, so that the ignition is seen within it
LOST_AFTER_S = 5.0  # without a fix: a bridge is shorter, a tunnel longer
HELD_LIMIT = 3_600  # fixes kept in memory while the card is full: an hour at 1 Hz


class Receiver(Protocol):
    """What the recorder needs of a GNSS receiver."""

    def read(self, timeout_s: float) -> list[Epoch]:
        """Wait for bytes, return the epochs that are complete; DriverError while the port is gone."""

    def close(self) -> None:
        """Give the port back."""


class Recorder:
    """The worker that turns what the vehicle says into records."""

    name = "recorder"
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
    ) -> None:
        self._boot = boot
        self._receiver = receiver
        self._panel = panel
        self._journal = journal
        self._diary = diary
        self._clock = clock
        self._status = status
        self._commit_s = commit_s
        self._trip = trips.Trip()
        self._ignition = panel.ignition_on()
        self._ignition_changes: queue.Queue[bool] = queue.Queue(100)
        self._points: list[TrackPoint] = []
        self._drafts: list[Draft] = []
        self._due_s: float | None = None  # when the held fixes are to be written
        self._fix_s: float | None = None  # when the last fix came; None before the first
        self._lost = False
        self._retry_s = 0.0
        self._backoff = Backoff(first_s=0.2, longest_s=5.0)
        self._storage_low = False
        panel.on_change(self._on_ignition)
        status.change(ignition=self._ignition)

    def step(self, stop: threading.Event) -> None:
        """Take what the receiver and the ignition have said, write what is due."""
        for epoch in self._read(stop):
            self._take(epoch)
        self._look_at_ignition()
        self._look_for_loss()
        now_s = self._clock.mono_s()
        if self._drafts or (self._due_s is not None and now_s >= self._due_s):
            self._commit()

    def finish(self) -> None:
        """Write what is held and give the devices back."""
        self._commit()
        self._receiver.close()
        self._panel.close()

    def _read(self, stop: threading.Event) -> list[Epoch]:
        if self._clock.mono_s() < self._retry_s:
            stop.wait(min(READ_S, self._retry_s - self._clock.mono_s()))
            return []
        try:
            epochs = self._receiver.read(READ_S)
        except DriverError as error:
            if str(error) != self._status.snapshot().gnss:
                log.warning("%s", error)
            self._status.change(gnss=str(error), has_fix=False)
            self._retry_s = self._clock.mono_s() + self._backoff.next_s()
            return []
        self._backoff.reset()
        return epochs

    def _take(self, epoch: Epoch) -> None:
        for event in self._trip.update(epoch.mono_s, epoch.speed_mps if epoch.has_fix else None, self._ignition):
            self._note_trip(event)
        if not epoch.has_fix or epoch.at is None:
            self._status.change(has_fix=False)
            return
        stepped_ms = self._clock.observe(epoch.at, epoch.mono_s)
        if stepped_ms is not None:
            self._drafts.append(self._diary.draft("clock.step", {"step_ms": stepped_ms}))
        point = to_point(epoch)
        if self._points and self._points[-1].t_ms == point.t_ms:
            self._points[-1] = point  # the receiver corrected its epoch
        else:
            self._points.append(point)
            self._status.count("fixes_read")
        if self._due_s is None:
            self._due_s = epoch.mono_s + self._commit_s
        self._fix_s = epoch.mono_s
        self._show(epoch)
        if self._lost:
            self._lost = False
            self._drafts.append(self._diary.draft("gnss.back"))

    def _show(self, epoch: Epoch) -> None:
        assert epoch.at is not None
        assert epoch.lat_deg is not None
        assert epoch.lon_deg is not None
        self._status.change(
            has_fix=True,
            fixes_held=len(self._points),
            moving=self._trip.state is trips.TripState.DRIVING and (epoch.speed_mps or 0) >= trips.MOVING_MPS,
            trip=self._trip.state.value,
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
                tseq=self._journal_number(),
            ),
        )

    def _journal_number(self) -> int:
        """The number that the newest held fix will get: nobody else writes fixes."""
        from firmware.journal import Series

        return self._journal.issued(Series.TSEQ) + len(self._points)

    def _on_ignition(self, on: bool) -> None:
        """On the panel's thread: into the queue, nothing else. A full queue has the newest states in it already."""
        try:
            self._ignition_changes.put_nowait(on)
        except queue.Full:
            log.warning("the ignition line chatters; check its wiring")

    def _look_at_ignition(self) -> None:
        while not self._ignition_changes.empty():
            on = self._ignition_changes.get_nowait()
            if on == self._ignition:
                continue
            self._ignition = on
            self._status.change(ignition=on)
            self._drafts.append(self._diary.draft("ignition.on" if on else "ignition.off"))
            speed = 0.0 if not on else None
            for event in self._trip.update(self._clock.mono_s(), speed, on):
                self._note_trip(event)

    def _look_for_loss(self) -> None:
        if self._lost or self._fix_s is None or self._clock.mono_s() - self._fix_s < LOST_AFTER_S:
            return
        self._lost = True
        self._status.change(has_fix=False, moving=False)
        self._drafts.append(self._diary.draft("gnss.lost"))

    def _note_trip(self, event: trips.TripEvent) -> None:
        now = self._clock.now()
        ago_ms = now.mono_ms - round(event.at_s * 1000)
        moment = type(now)(now.at_ms - ago_ms, now.src, now.mono_ms - ago_ms)
        if isinstance(event, trips.Started):
            self._drafts.append(self._diary.draft("trip.start", moment=moment))
        else:
            self._drafts.append(self._diary.draft("trip.end", {"duration_s": round(event.at_s - event.started_s)}, moment))
        self._status.change(trip=self._trip.state.value)

    def _commit(self) -> None:
        """Write fixes and events in one commit. While the card is full they stay in memory, the oldest fixes go first."""
        if not self._points and not self._drafts:
            return
        try:
            self._journal.append(self._boot, self._drafts, self._points)
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
