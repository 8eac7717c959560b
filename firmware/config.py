"""The one settings file of the unit: every setting declared once, with its range, default, unit and a sentence."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from drivers.board import BoardSettings
from firmware import identity
from mqtt import settings
from mqtt.durable import write_durably
from mqtt.login import BrokerSettings
from mqtt.settings import SettingsError

__all__ = ["Config", "SettingsError", "changes", "keep_good", "load", "load_board", "load_good"]

log = logging.getLogger(__name__)

ETC, STATE = Path("/etc/roadproof"), Path("/var/lib/roadproof")  # the daemon may write in the second only: systemd's StateDirectory
IDENTITY = STATE / "identity"


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

    # Where the vehicle is, live positions say; of what the trail costs in a month, a minute's batches would be half framing and receipts.
    batch_s: Annotated[
        int, Meta(ge=1, le=3_600, description="seconds of fixes sent together while nothing is waiting; more costs less")
    ] = 300
    live_moving_s: Annotated[int, Meta(ge=1, le=3_600, description="seconds between live positions while moving")] = 60
    live_parked_s: Annotated[int, Meta(ge=1, le=86_400, description="seconds between live positions while parked")] = 300
    retain_last: Annotated[bool, Meta(description="leave the newest position at the broker for who comes late; false for privacy")] = True
    # A report takes 700 bytes with all framing: every five minutes that is two megabytes of a vehicle's month, for nothing urgent.
    health_s: Annotated[int, Meta(ge=10, le=86_400, description="seconds between health reports")] = 900
    forget_on: Annotated[
        Literal["receipt", "puback"],
        Meta(
            description="what lets the unit forget a record: the receiver's receipt, or, for a fleet without our receiver, the broker's"
            " acknowledgement, which loses records when the broker crashes; proofs wait for the receiver's signature all the same"
        ),
    ] = "receipt"


class TerminalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The driver's screen."""

    enabled: Annotated[bool, Meta(description="serve the driver's page and take proofs of delivery; needs the section [evidence]")] = False
    port: Annotated[int, Meta(ge=1, le=65_535, description="port of the page on this unit's own address, 127.0.0.1")] = 8_080
    language: Annotated[Literal["en", "de", "es", "pl", "ar"], Meta(description="language of the page until the driver chooses one")] = "en"
    hand: Annotated[Literal["right", "left"], Meta(description="on which side the main button is until the driver chooses")] = "right"
    theme: Annotated[
        Literal["auto", "day", "night"], Meta(description="colours of the page until the driver chooses; auto goes by the sun")
    ] = "auto"
    signature_dynamics: Annotated[
        bool,
        Meta(
            description="keep with a signature when and how hard the pen moved: that identifies a person, ask your data protection officer"
        ),
    ] = False
    map_folder: Annotated[
        str | None, Meta(description="folder with a map as a .pmtiles file; absent: the page shows a schematic strip")
    ] = None
    px_per_mm: (
        Annotated[
            float, Meta(ge=2, le=20, description="pixels in a millimetre of the screen, where it is not the one in the board's profile")
        ]
        | None
    ) = None


class PowerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When the box switches itself off, where its ignition line or its hold-up supply is wired."""

    stay_on_s: Annotated[
        int,
        Meta(
            ge=60,
            le=86_400,
            description="seconds that the terminal stays on after the ignition went off; it waits as long again for a proof that is being"
            " made",
        ),
    ] = 1_800  # the driver works at doors with the engine off


class EvidenceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Keys and certificates of the proofs: an enrolled unit has them, in its identity."""

    certificate: Annotated[str, Meta(min_length=1, description="file with this unit's evidence certificate, unit.pem")]
    key: Annotated[
        str,
        Meta(
            min_length=1,
            description="its private key: a file for the daemon alone, unit.key; pkcs11:token=NAME;object=NAME?module-path=FILE&pin-source="
            "file:FILE in a token; or rpi-otp:1, the one-time-programmable key of a Raspberry Pi",
        ),
    ]
    issuing: Annotated[str, Meta(min_length=1, description="file with the issuing authority's certificate, issuing.pem")]
    root: Annotated[str, Meta(min_length=1, description="file with the root certificate, root.pem")]
    receiver: Annotated[
        str,
        Meta(
            min_length=1,
            description="file with the receiver's certificate, receiver.pem, to check its receipts by; around a renewal the old and the new"
            " one, one after the other",
        ),
    ]
    seal_to: Annotated[str, Meta(min_length=1, description="file with the receiver's public sealing key, seal.pub, for pictures")]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a technician may set."""

    unit: Annotated[
        str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}$", description="the unit's name in the fleet: small letters, digits, hyphens")
    ]
    identity: Annotated[
        str,
        Meta(
            min_length=1,
            description="folder that `roadproof enrol` makes: keys, certificates, and the settings unit, [broker] and [evidence], which may"
            " then be left out here",
        ),
    ] = str(IDENTITY)
    runtime_folder: Annotated[str, Meta(min_length=1, description="folder in memory for the status file")] = "/run/roadproof"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="how much the log says")] = "info"
    board: BoardSettings = BoardSettings()
    broker: BrokerSettings
    journal: JournalSettings = JournalSettings()
    track: TrackSettings = TrackSettings()
    uplink: UplinkSettings = UplinkSettings()
    terminal: TerminalSettings = TerminalSettings()
    power: PowerSettings = PowerSettings()
    evidence: EvidenceSettings | None = None


def load(path: Path) -> Config:
    """Read the settings file, and beneath it what the enrolment settled; SettingsError names every fault."""
    table = settings.table(path)
    folder = identity_folder(table)
    if not identity.is_there(folder) and "broker" not in table:
        raise SettingsError([*_other_faults(path, table), _not_enrolled(path, folder)])
    config = settings.read_from(path, identity.under(path, table, folder), Config)
    if config.terminal.enabled and config.evidence is None:
        needed = ", ".join(EvidenceSettings.__struct_fields__)
        raise SettingsError([f"{path}: terminal.enabled = true needs the section [evidence] with {needed}"])
    return config


def load_board(path: Path) -> BoardSettings:
    """The section [board] alone, for what works before the unit is enrolled; SettingsError names every fault in it."""
    table = settings.table(path)
    return settings.read_from(path, {"board": table.get("board", {})}, _Box).board


def load_terminal(path: Path) -> TerminalSettings:
    """The section [terminal] alone, likewise."""
    table = settings.table(path)
    return settings.read_from(path, {"terminal": table.get("terminal", {})}, _Glass).terminal


class _Box(msgspec.Struct, frozen=True):
    board: BoardSettings


class _Glass(msgspec.Struct, frozen=True):
    terminal: TerminalSettings


def identity_folder(table: Mapping[str, Any]) -> Path:
    """Where a settings file's table says that the identity is; the usual place when it says nothing that could be one."""
    told = table.get("identity")
    return Path(told) if isinstance(told, str) and told else IDENTITY


def _other_faults(path: Path, table: Mapping[str, Any]) -> list[str]:
    """What is wrong with a file besides what an enrolment would settle."""
    try:
        settings.read_from(path, {"unit": "any", "broker": {"host": "any"}, **table}, Config)
    except SettingsError as error:
        return error.faults
    return []


def _not_enrolled(path: Path, folder: Path) -> str:
    return (
        f"{path}: this unit knows no broker and is not enrolled (there is no identity in {folder} that this user can read): run"
        " `roadproof enrol`, or set unit and the section [broker] by hand"
    )


# --- the settings of the last good start


def good_copy(path: Path) -> Path:
    """Where the settings of the last good start are kept. It follows from the file's name alone: what is in the file may be damaged."""
    folder = path.absolute().parent
    return (STATE if folder == ETC else folder) / f"{path.name}.good"


def keep_good(path: Path, config: Config) -> None:
    """Keep them for a start that finds the file unusable; written only when they differ, so that no start wears the card."""
    kept = good_copy(path)
    told = msgspec.json.encode(config)
    sealed = sha256(told).hexdigest().encode() + b"\n" + told
    try:
        if not kept.exists() or kept.read_bytes() != sealed:
            write_durably(kept, sealed)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        log.warning("%s cannot be written (%s): a start that finds %s damaged will have no settings to go on with", kept, reason, path)


def load_good(path: Path) -> Config | None:
    """The settings of the last good start; None when there was none, or the copy is damaged itself."""
    try:
        seal, _, told = good_copy(path).read_bytes().partition(b"\n")
    except OSError:
        return None
    if seal != sha256(told).hexdigest().encode():
        return None
    try:
        return msgspec.json.decode(told, type=Config)
    except msgspec.DecodeError:  # another version made it, and allowed what this one does not
        return None


def changes(before: Config, after: Config) -> list[str]:
    """The settings that differ, by their keys."""
    old, new = ({setting.key: setting.value for setting in settings.catalogue(config)} for config in (before, after))
    return [key for key in old if old[key] != new[key]]
