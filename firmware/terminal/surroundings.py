"""Everything about now that the driver's day may ask for, gathered from the clock, the status board, the lock-out, camera and card."""

from __future__ import annotations

import shutil
import uuid
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, Protocol

import msgspec

from drivers.camera.frame import Stamp
from drivers.gs1 import identity
from firmware.clock import Clock
from firmware.day.proof import Where
from firmware.day.work import Moment
from firmware.driving.lockout import Lockout
from firmware.evidence.attachments import LEFT_BYTES
from firmware.journal import Journal, Series
from firmware.journal.pressure import STOP_AT
from firmware.status import PositionStatus, Status, StatusBoard
from mqtt.session import LinkState

LEAST_FREE_BYTES = LEFT_BYTES + 1_000_000  # three photos: with less the driver is told before he takes one
# How wrong the time may be. Satellites: delay on the serial line. Network: what timesyncd calls synchronised. A quartz loses a few seconds
# a day, and a battery clock may not have been set for a year. Ten years: nobody knows.
ERROR_MS = {"gnss": 50, "ntp": 200, "rtc": 600_000, "floor": 315_576_000_000}
FRESH_S = 60.0  # an older position says nothing about where this happens


class Check(msgspec.Struct, frozen=True):
    """How one part is; `text` is a number, a word or the unit's own sentence, empty where there is nothing to add."""

    key: str
    state: Literal["ok", "wait", "bad"]
    text: str = ""


class Eye(Protocol):
    """How the camera is."""

    @property
    def state(self) -> str:
        """One word: ok, opening, none, or what is wrong."""

    @property
    def sentence(self) -> str:
        """The same for people; empty while all is well."""


class Surroundings:
    """Makes the moment. Its lock-out advances with each call: the terminal calls it, several times a second, under its lock.

    `settle_s`: for so long at most the boot screen waits for parts that have not said yet how they are.
    """

    def __init__(
        self, *, boot: str, clock: Clock, status: StatusBoard, journal: Journal, camera: Eye, version: str = "", settle_s: float = 0.0
    ) -> None:
        self._boot = boot
        self._version = version
        self._settled_s = clock.mono_s() + settle_s
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
            ready=self._clock.mono_s() >= self._settled_s or all(check.state != "wait" for check in checks(status)),
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
        """What the boot screen shows besides: one look at each part, and which unit this is, to be read and to be photographed."""
        status = self._status.snapshot()
        label = qr_code(f"Roadproof {status.unit} {self._version}")
        return {
            "unit": status.unit,
            "version": self._version,
            "qr": label,
            "checks": [msgspec.structs.asdict(check) for check in checks(status)],
        }

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


def checks(status: Status) -> list[Check]:
    """One look at each part, for the boot screen and the technician's page alike. Pure."""
    return [
        _gnss(status),
        _camera(status.camera),
        Check("scanner", "bad" if status.scanners else "ok", " ".join(status.scanners)),
        Check("broker", "ok") if status.link == LinkState.ONLINE else Check("broker", "wait", status.link_sentence),
        _storage(status),
        Check("queue", "ok", str(status.seq.waiting + status.blobs_waiting)),
        Check("clock", "wait" if status.time_source == "floor" else "ok", status.time_source),
    ]


def _gnss(status: Status) -> Check:
    """With a fix the number of satellites, as far as it is known; else the receiver's sentence."""
    sats = status.position.sats if status.position else None
    return Check("gnss", "ok", "" if sats is None else str(sats)) if status.has_fix else Check("gnss", "wait", status.gnss)


def _camera(told: str) -> Check:
    """From what the scanner's worker told: a sentence when something is wrong, nothing before its first look."""
    return Check("camera", "ok") if told == "ok" else Check("camera", "wait") if told in {"", "opening"} else Check("camera", "bad", told)


def _storage(status: Status) -> Check:
    if status.journal != "open":
        return Check("storage", "bad", status.journal)
    used = status.journal_used_bytes / status.journal_quota_bytes if status.journal_quota_bytes else 0.0
    return Check("storage", "ok" if used < STOP_AT else "bad", f"{used:.0%}")


@cache
def qr_code(text: str) -> dict[str, Any]:
    """A text as a QR code: modules a side without the quiet zone, and an SVG path of the dark ones."""
    import segno

    matrix = segno.make(text, error="m", micro=False).matrix
    path = "".join(f"M{x} {y}h1v1h-1z" for y, line in enumerate(matrix) for x, dark in enumerate(line) if dark)
    return {"size": len(matrix), "path": path}
