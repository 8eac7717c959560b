"""`roadproof run` and `roadproof status`: the daemon, and a look at it."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from cli.errors import UsageError
from cli.words import Commands, add, time_text
from drivers.errors import DriverError
from firmware import config as configs
from firmware import status as statuses
from firmware.app import STATUS_FILE, Daemon
from firmware.journal import JournalError
from firmware.status import SeriesStatus, Status
from mqtt.settings import SettingsError

log = logging.getLogger(__name__)

CONFIG = Path("/etc/roadproof/roadproof.toml")
STALE_S = 10.0


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
    config = load_config(arguments.config)
    logging.getLogger().setLevel(config.log_level.upper())
    try:
        daemon = Daemon(config)
    except SettingsError as error:
        raise unusable([f"{arguments.config}: {fault}" for fault in error.faults]) from None
    except (JournalError, DriverError) as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"cannot write in {error.filename}: {(error.strerror or '').lower()}; check its owner and rights") from None
    if daemon.cab is not None:
        log.info("the driver's page is at %s", daemon.cab.web.url)
    return daemon.run()


def status(arguments: argparse.Namespace) -> int:
    """Show the status that the daemon leaves; 1 when there is no running daemon."""
    path = Path(load_config(arguments.config).runtime_folder) / STATUS_FILE
    found = statuses.read(path)
    if found is None or time.time() - path.stat().st_mtime > STALE_S:
        print("roadproof: the daemon is not running; start it with: systemctl start roadproof", file=sys.stderr)
        return 1
    if arguments.json:
        print(msgspec.json.encode(found).decode())
    else:
        Console().print(table(found))
    return 0


def table(found: Status) -> Table:
    """The status for people, the worst first."""
    view = Table(title=f"{found.unit}  {time_text(found.at_ms)} by {found.time_source}", show_header=False, title_justify="left")
    view.add_row("way to the fleet", f"{found.link}: {found.link_sentence}")
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
