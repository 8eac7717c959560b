"""Everything about now that the driver's day may ask for, gathered from the clock, the status board, the lock-out, camera and card."""

from __future__ import annotations

import shutil
import uuid
from datetime import UTC, datetime
from typing import Any, Protocol

from drivers.camera.frame import Stamp
from drivers.gs1 import identity
from firmware.clock import Clock
from firmware.day.proof import Where
from firmware.day.work import Moment
from firmware.journal import Journal, Series
from firmware.journal.pressure import STOP_AT
from firmware.lockout import Lockout
from firmware.status import PositionStatus, StatusBoard
from mqtt.session import LinkState

LEAST_FREE_BYTES = 1_000_000  # three photos: with less the driver is told before he takes one
# How wrong the time may be. Satellites: delay on the serial line. Network: what timesyncd calls synchronised. A quartz loses a few seconds
# a day, and a battery clock may not have been set for a year. Ten years: nobody knows.
ERROR_MS = {"gnss": 50, "ntp": 200, "rtc": 600_000, "floor": 315_576_000_000}
CAMERA_LOOK = {"ok": "ok", "opening": "wait", "none": "wait"}
FRESH_S = 60.0  # an older position says nothing about where this happens


class Eye(Protocol):
    """How the camera is."""

    @property
    def state(self) -> str:
        """One word: ok, opening, none, or what is wrong."""

    @property
    def sentence(self) -> str:
        """The same for people; empty while all is well."""


class Surroundings:
    """Makes the moment. Its lock-out advances with each call: the terminal calls it, several times a second, under its lock."""

    def __init__(self, *, boot: str, clock: Clock, status: StatusBoard, journal: Journal, camera: Eye) -> None:
        self._boot = boot
        self._clock = clock
        self._status = status
        self._journal = journal
        self._camera = camera
        self._lockout = Lockout()
        self._seen_s: float | None = None  # when the newest position that the lock-out knows came

    def moment(self) -> Moment:
        """Now."""
        now, status = self._clock.now(), self._status.snapshot()
        place = status.position if status.has_fix else None
        return Moment(
            at_ms=now.at_ms,
            mono_ms=now.mono_ms,
            src=now.src,
            err_ms=ERROR_MS[now.src],
            boot=self._boot,
            position=None if place is None else self._where(place, now.mono_ms),
            moving=self._moving(now.mono_ms / 1000, place, status.ignition),
            ignition=status.ignition,
            online=status.link == LinkState.ONLINE,
            queue=self._journal.waiting_count(Series.SEQ) + status.blobs_waiting,
            camera="ok" if self._camera.state == "opening" else self._camera.state,
            disk_full=shutil.disk_usage(self._journal.path.parent).free < LEAST_FREE_BYTES,
            odometer_m=status.odometer_m,
            fresh_id=str(uuid.uuid4()),
            identity=identity,
        )

    def bar(self) -> dict[str, Any]:
        """What the boot screen shows besides: one look at each part."""
        status = self._status.snapshot()
        checks = [
            ("gnss", "ok" if status.has_fix else "wait", status.gnss),
            ("camera", CAMERA_LOOK.get(self._camera.state, "bad"), self._camera.sentence),
            ("broker", "ok" if status.link == LinkState.ONLINE else "wait", status.link_sentence),
            ("storage", "ok" if self._journal.used < STOP_AT else "bad", f"{self._journal.used:.0%}"),
            ("queue", "ok", str(self._journal.waiting_count(Series.SEQ))),
            ("clock", "ok" if status.time_source != "floor" else "wait", status.time_source),
        ]
        return {"unit": status.unit, "checks": [{"key": key, "state": state, "text": text} for key, state, text in checks]}

    def stamp(self) -> Stamp:
        """When and where a photo is taken, for its EXIF."""
        now, status = self._clock.now(), self._status.snapshot()
        place = status.position if status.has_fix else None
        near = place is not None and now.mono_ms / 1000 - place.mono_s <= FRESH_S
        return Stamp(
            at=datetime.fromtimestamp(now.at_ms / 1000, UTC) if now.src != "floor" else None,
            lat_deg=place.lat_deg if place and near else None,
            lon_deg=place.lon_deg if place and near else None,
            accuracy_m=place.accuracy_m if place and near else None,
        )

    def _moving(self, at_s: float, place: PositionStatus | None, ignition: bool | None) -> bool | None:
        """A speed counts once: an old position says nothing new."""
        fresh = place is not None and place.mono_s != self._seen_s
        self._seen_s = place.mono_s if place else self._seen_s
        return self._lockout.update(at_s, place.speed_mps if place and fresh else None, ignition_on=ignition)

    @staticmethod
    def _where(place: PositionStatus, mono_ms: int) -> Where:
        return Where(
            lat_deg=place.lat_deg,
            lon_deg=place.lon_deg,
            accuracy_m=place.accuracy_m,
            sats=place.sats,
            speed_mps=place.speed_mps,
            course_deg=place.course_deg,
            age_ms=max(0, mono_ms - round(place.mono_s * 1000)),
            fix=2 if place.alt_m is None else 3,
        )
