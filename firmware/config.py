"""The one settings file of the unit: every setting declared once, with its range, default, unit and a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from drivers.board import BoardSettings
from mqtt import settings
from mqtt.login import BrokerSettings
from mqtt.settings import SettingsError

__all__ = ["Config", "SettingsError", "load"]


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where records wait."""

    folder: Annotated[str, Meta(min_length=1, description="folder of the journal, on the card that is backed by hold-up power")] = (
        "/var/lib/roadproof"
    )
    quota_mb: Annotated[int, Meta(ge=8, le=100_000, description="megabytes that the journal may fill before old fixes are thinned")] = 1_000
    keep_hours: Annotated[
        int, Meta(ge=0, le=720, description="hours that receipted records stay on the unit, for a receiver restored from a backup")
    ] = 48
    commit_s: Annotated[
        int,
        Meta(ge=1, le=10, description="seconds of fixes written together: the most that a power cut can cost; events are written at once"),
    ] = 10


class TrackSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What of the drive is sent; the unit itself keeps every fix for `journal.keep_hours`."""

    bound_m: Annotated[
        float,
        Meta(ge=0, le=1_000, description="metres by which the sent track may differ from the driven one at any moment; 0 sends every fix"),
    ] = 5.0


class UplinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent when."""

    batch_s: Annotated[
        int, Meta(ge=1, le=3_600, description="seconds of fixes sent together while nothing is waiting; more costs less")
    ] = 60
    live_moving_s: Annotated[int, Meta(ge=1, le=3_600, description="seconds between live positions while moving")] = 60
    live_parked_s: Annotated[int, Meta(ge=1, le=86_400, description="seconds between live positions while parked")] = 300
    retain_last: Annotated[bool, Meta(description="leave the newest position at the broker for who comes late; false for privacy")] = True
    health_s: Annotated[int, Meta(ge=10, le=86_400, description="seconds between health reports")] = 300
    forget_on: Annotated[
        Literal["receipt", "puback"],
        Meta(
            description="what lets the unit forget a record: the receiver's receipt, or, for a fleet without our receiver, the broker's"
            " acknowledgement, which loses records when the broker crashes"
        ),
    ] = "receipt"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a technician may set."""

    unit: Annotated[
        str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}$", description="the unit's name in the fleet: small letters, digits, hyphens")
    ]
    runtime_folder: Annotated[str, Meta(min_length=1, description="folder in memory for the status file")] = "/run/roadproof"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="how much the log says")] = "info"
    board: BoardSettings = BoardSettings()
    broker: BrokerSettings
    journal: JournalSettings = JournalSettings()
    track: TrackSettings = TrackSettings()
    uplink: UplinkSettings = UplinkSettings()


def load(path: Path) -> Config:
    """Read the settings file; SettingsError names every fault in it."""
    return settings.load(path, Config)
