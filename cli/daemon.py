"""`roadproof run` and `roadproof status`: the daemon, and a look at it."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from cli.errors import UsageError
from cli.words import Commands, add, time_text
from drivers.errors import DriverError
from firmware import config as configs
from firmware import status as statuses
from firmware.app import Daemon
from firmware.diary import Diary
from firmware.journal import JournalError
from firmware.status import SeriesStatus, Status, StatusBoard
from firmware.status_file import STATUS_FILE
from mqtt.settings import SettingsError

if TYPE_CHECKING:
    from rich.table import Table

log = logging.getLogger(__name__)

CONFIG = Path("/etc/roadproof/roadproof.toml")
STALE_S = 10.0
FAULTS_TOLD, FAULT_LETTERS = 5, 200  # what the fleet is told of a damaged file: the first faults say enough


class Startable(Protocol):
    """What a start needs of the daemon that it builds."""

    @property
    def diary(self) -> Diary:
        """Where it says what it started on."""

    @property
    def status(self) -> StatusBoard:
        """Likewise, for the technician."""


Started = TypeVar("Started", bound=Startable)


def add_commands(commands: Commands) -> None:
    """Add `run` and `status`."""
    command = add(commands, "run", run, "run the unit's daemon", "roadproof run --config /etc/roadproof/roadproof.toml")
    command.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"settings file (default {CONFIG})")
    command = add(commands, "status", status, "say in one line what the unit does or what is wrong", "roadproof status --json")
    command.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"settings file (default {CONFIG})")
    command.add_argument("--json", action="store_true", help="everything, for programs")


def load_config(path: Path) -> configs.Config:
    """The settings; UsageError with every fault in it."""
    try:
        return configs.load(path)
    except SettingsError as error:
        raise unusable(error.faults) from None


def unusable(faults: Sequence[str]) -> UsageError:
    """What is wrong with a settings file, a line for each fault."""
    return UsageError("\nroadproof: ".join(faults))


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM: 0 after an orderly end, 1 when a worker failed, 2 when it cannot start like this."""
    daemon = started(arguments.config, Daemon)
    if daemon.cab is not None:
        log.info("the driver's page is at %s", daemon.cab.web.url)
    return daemon.run()


def started(path: Path, build: Callable[[configs.Config], Started]) -> Started:
    """The daemon on the settings file; where it cannot be used, on the settings of the last good start. UsageError when there is no way."""
    last_good, config = configs.load_good(path), None
    try:
        config = configs.load(path)
        daemon = _built(path, config, build)
    except SettingsError as error:
        if last_good is None or last_good == config:
            raise unusable(error.faults) from None
        return _on_last_good(path, last_good, error.faults, build)
    configs.keep_good(path, config)
    if last_good is not None and (changed := configs.changes(last_good, config)):
        daemon.diary.note("config.changed", {"settings": changed})
    return daemon


def _built(path: Path, config: configs.Config, build: Callable[[configs.Config], Started]) -> Started:
    """Every part made, none at work yet; SettingsError says what stands in the way."""
    logging.getLogger().setLevel(config.log_level.upper())
    try:
        return build(config)
    except SettingsError as error:
        raise SettingsError([f"{path}: {fault}" for fault in error.faults]) from None
    except (JournalError, DriverError) as error:
        raise SettingsError([str(error)]) from None
    except OSError as error:
        place, reason = error.filename or config.runtime_folder, (error.strerror or str(error)).lower()
        raise SettingsError([f"cannot write in {place}: {reason}; check its owner and rights"]) from None


def _on_last_good(path: Path, last_good: configs.Config, faults: Sequence[str], build: Callable[[configs.Config], Started]) -> Started:
    """A van whose settings file is damaged records on, and says so to the technician and to the fleet."""
    try:
        daemon = _built(configs.good_copy(path), last_good, build)
    except SettingsError as error:
        raise unusable([*faults, *(fault for fault in error.faults if fault not in faults)]) from None
    sentence = f"{path} cannot be used, the settings of the last good start are in force; see roadproof config check {path}"
    log.error("%s: %s", sentence, "; ".join(faults))
    daemon.status.change(settings=sentence)
    daemon.diary.note("config.refused", {"faults": [fault[:FAULT_LETTERS] for fault in faults[:FAULTS_TOLD]]})
    return daemon


def status(arguments: argparse.Namespace) -> int:
    """Show the status that the daemon leaves; 1 when there is no running daemon."""
    found = next((found for folder in runtime_folders(arguments.config) if (found := fresh(folder / STATUS_FILE))), None)
    if found is None:
        print("roadproof: the daemon is not running; start it with: systemctl start roadproof", file=sys.stderr)
        return 1
    if arguments.json:
        print(msgspec.json.encode(found).decode())
    else:
        from rich.console import Console

        Console().print(table(found))
    return 0


def runtime_folders(path: Path) -> list[Path]:
    """Where the daemon may have left its status, by the file and by the settings of the last good start; UsageError with neither."""
    last_good = configs.load_good(path)
    folders = [] if last_good is None else [Path(last_good.runtime_folder)]
    try:
        return [Path(configs.load(path).runtime_folder), *folders]
    except SettingsError as error:
        if not folders:
            raise unusable(error.faults) from None
        return folders


def fresh(path: Path) -> Status | None:
    """A status that a running daemon left, None when there is none."""
    found = statuses.read(path)
    return None if found is None or time.time() - path.stat().st_mtime > STALE_S else found


def table(found: Status) -> Table:
    """The status for people, the worst first."""
    from rich.table import Table

    view = Table(title=f"{found.unit}  {time_text(found.at_ms)} by {found.time_source}", show_header=False, title_justify="left")
    view.add_row("way to the fleet", f"{found.link}: {found.link_sentence}")
    if found.settings:
        view.add_row("settings", found.settings)
    for fault in found.faults:
        view.add_row("board", fault)
    view.add_row("GNSS", found.gnss)
    view.add_row("receiver", found.gnss_setup)
    if found.chrony:
        view.add_row("chrony", found.chrony)
    place = found.position
    view.add_row("position", f"{place.lat_deg:.6f} {place.lon_deg:.6f}  {time_text(place.at_ms)}" if place else "none yet")
    view.add_row("odometer", f"{found.odometer_m / 1000:.1f} km")
    view.add_row("vehicle", f"{found.trip}, ignition {'not wired' if found.ignition is None else 'on' if found.ignition else 'off'}")
    view.add_row("journal", f"{found.journal}, {found.journal_used_bytes / 1e6:.1f} of {found.journal_quota_bytes / 1e6:.0f} MB")
    if found.camera:
        view.add_row("camera", found.camera)
    for fault in found.scanners:
        view.add_row("hand scanner", fault)
    view.add_row("fixes", _series(found.tseq))
    view.add_row("events, proofs", _series(found.seq))
    if found.blobs_waiting:
        view.add_row("pictures", f"{found.blobs_waiting} waiting")
    return view


def _series(series: SeriesStatus) -> str:
    return f"{series.issued} written, {series.receipted} receipted, {series.waiting} waiting"
