"""One plain structure of everything worth showing, and the board where the workers keep it up to date."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec


class PositionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The newest fix."""

    at_ms: int
    mono_s: float
    lat_deg: float
    lon_deg: float
    alt_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    sats: int | None = None
    accuracy_m: float | None = None


class SatelliteStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One satellite in view."""

    system: str  # GPS, GLONASS, Galileo, BeiDou, QZSS, NavIC, SBAS
    prn: int  # as the receiver numbers it
    elevation_deg: int | None  # over the horizon
    azimuth_deg: int | None  # clockwise from true north
    snr_db: int | None  # C/N0 in dB-Hz; None while it is not tracked
    used: bool  # in the fix


class SeriesStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One series of the journal."""

    issued: int = 0
    receipted: int = 0
    waiting: int = 0


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The unit as it is now."""

    unit: str = ""
    pid: int = 0
    boot: str = ""
    log: str = ""  # the journal's name
    at_ms: int = 0
    time_source: str = "floor"
    faults: tuple[str, ...] = ()  # parts of the board that do not work, a sentence each
    settings: str = ""  # a sentence while the settings file is not the one in force; empty else
    gnss: str = "not opened yet"  # a sentence
    gnss_setup: str = ""  # a sentence: what the receiver is and how it was set up
    chrony: str = ""  # a sentence; empty where chrony is not to be fed
    has_fix: bool = False
    fixes_read: int = 0
    fixes_held: int = 0  # read, not yet written
    sentences_good: int = 0
    sentences_bad: int = 0
    position: PositionStatus | None = None
    sky: tuple[SatelliteStatus, ...] = ()  # once a second at most
    ignition: bool | None = None
    moving: bool = False
    trip: str = "parked"  # parked | driving | paused
    odometer_m: float = 0.0
    journal: str = "open"  # a sentence
    journal_used_bytes: int = 0
    journal_quota_bytes: int = 0
    seq: SeriesStatus = SeriesStatus()
    tseq: SeriesStatus = SeriesStatus()
    link: str = "connecting"  # mqtt.session.LinkState
    link_sentence: str = ""
    connects: int = 0
    live_sent: int = 0
    track_sent: int = 0  # batches
    receipts: int = 0
    camera: str = ""  # a word or a sentence; empty on a unit without a screen
    scanners: tuple[str, ...] = ()  # hand scanners that do not work, a sentence each
    kiosk_seen_s: float | None = None  # monotonic: when a page last said that it draws
    blobs_waiting: int = 0  # photos and signatures that the receiver does not hold whole
    blob_chunks_sent: int = 0


class StatusBoard:
    """Keeps the newest Status; any thread may change a field or take a snapshot."""

    def __init__(self, status: Status | None = None) -> None:
        self._status = status or Status()
        self._lock = threading.Lock()

    def change(self, **fields: object) -> None:
        """Set fields by name."""
        with self._lock:
            self._status = msgspec.structs.replace(self._status, **fields)

    def count(self, field: str, more: int = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._status = msgspec.structs.replace(self._status, **{field: getattr(self._status, field) + more})

    def snapshot(self) -> Status:
        """The status now."""
        with self._lock:
            return self._status


def write(path: Path, status: Status) -> None:
    """Put the status where `roadproof status` finds it; the file is in memory, so it is replaced, not synced."""
    fresh = f"{path}.new"
    # Unbuffered: done every other second for ever, and a buffer asks the file four questions first.
    with open(fresh, "wb", buffering=0) as file:  # noqa: PTH123  a Path would be taken apart each time
        file.write(msgspec.json.encode(status))
    os.replace(fresh, path)  # noqa: PTH105


def read(path: Path) -> Status | None:
    """The status that the daemon left, None when there is none or it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Status)
    except (OSError, msgspec.DecodeError):
        return None
