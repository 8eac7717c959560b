"""`roadproof wipe`: this box is no unit any more, and nothing of the fleet's stays on it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from cli.daemon import CONFIG
from cli.words import Commands, add
from firmware import config as configs
from firmware.config import STATE, Config
from mqtt.evidence import EvidenceError
from mqtt.session import LinkError
from mqtt.settings import SettingsError
from provisioning.identity import FOLDER, IdentityError
from provisioning.wipe import Holdings, Wipe

UNREAD = "unread"  # what --lose says of a journal that nobody can count


def add_commands(commands: Commands) -> None:
    """Add `wipe`."""
    about = "show what makes this box a unit, and with --yes remove it: keys, records, pictures"
    command = add(commands, "wipe", wipe, about, "roadproof wipe --yes")
    command.add_argument("--yes", action="store_true", help="remove it; without, it is only listed")
    command.add_argument("--lose", metavar="N", help=f"go on although N proofs never reached the fleet; {UNREAD}: nobody can count them")
    command.add_argument("--offline", action="store_true", help="leave what the broker shows of the unit to the fleet")
    command.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"settings file (default {CONFIG})")
    command.add_argument("--state", type=Path, default=STATE, metavar="FOLDER", help=f"where the identity is kept (default {STATE})")
    command.add_argument("--json", action="store_true", help="for programs")


def wipe(arguments: argparse.Namespace) -> int:
    """List, or remove; exit code 1 when something stands in the way, or something is left."""
    config = _config(arguments.config)
    journal = Path(config.journal.folder) if config else arguments.state
    work = Wipe(arguments.state, journal, configs.good_copy(arguments.config))
    try:
        found = work.look()
        if not arguments.json:
            print("\n".join(_listed(found)))
        left = _removed(work, found, config, arguments) if arguments.yes else None
    except (IdentityError, LinkError, EvidenceError) as error:
        print(f"roadproof wipe: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps({**_told(found), "left": None if left is None else [str(path) for path in left]}))
    elif left is not None:
        print("\n".join(_ended(found, left)))
    return 1 if left else 0


def _removed(work: Wipe, found: Holdings, config: Config | None, arguments: argparse.Namespace) -> list[Path]:
    """What is left after the removal."""
    _check_loss(found, arguments.lose)
    with work.alone():  # before the broker is asked: a second login of the same unit ends the daemon's session
        if not arguments.offline:
            _clear(work, config, arguments.state)
        return work.run(found)


def _config(path: Path) -> Config | None:
    """The settings as far as they can be had: the last good ones do, too."""
    try:
        return configs.load(path)
    except SettingsError:
        return configs.load_good(path)


def _listed(found: Holdings) -> list[str]:
    if not found.files:
        return ["this box holds no identity, no records and no pictures"]
    lines = [f"this box is {found.unit}" if found.unit else "this box is not enrolled, or its identity is damaged"]
    lines += [f"  would go: {path}" for path in found.paths]
    lines.append(f"  together {found.files} files, {found.size_bytes / 1e6:.1f} MB")
    if found.proofs is None:
        return [*lines, "  what the fleet does not have of it nobody can say: the journal cannot be read"]
    lost = f"{found.proofs} proofs, {found.pictures} pictures, {found.events} events, {found.fixes} fixes"
    return [*lines, f"  the fleet does not have, or has not said so: {lost}"]


def _check_loss(found: Holdings, lose: str | None) -> None:
    """IdentityError unless the caller named what would be lost."""
    if found.proofs is None and lose != UNREAD:
        told = "the journal cannot be read, nobody knows how many proofs are in it: `roadproof fleet salvage` reads the card"
        raise IdentityError(f"{told}; to lose them say --lose {UNREAD}")
    if found.proofs and lose != str(found.proofs):
        told = f"{found.proofs} proofs never reached the fleet: let the unit connect, or read its card with `roadproof fleet salvage`"
        raise IdentityError(f"{told}; to lose them say --lose {found.proofs}")


def _clear(work: Wipe, config: Config | None, state: Path) -> None:
    """Take the unit's last words from the broker."""
    if config is None:
        if (state / FOLDER).exists():
            raise IdentityError("the settings cannot be used, so the broker cannot be told: mend them, or add --offline")
        return  # it never showed anything, or a wipe that was cut off took it away
    try:
        work.clear_topics(config.broker, config.unit)
    except LinkError as error:
        told = f"what the broker shows of the unit cannot be taken away: {error}"
        raise IdentityError(f"{told}. With --offline it stays there, and the box is wiped all the same") from None


def _ended(found: Holdings, left: list[Path]) -> list[str]:
    if left:
        return [f"left: {path}" for path in left] + ["these files still hold a key, records or the unit's name: remove them by hand"]
    lines = ["wiped: a scan finds 0 left"]
    if found.key is not None and not found.key.startswith("pkcs11:"):
        lines.append("the evidence key is burnt into this board and stays")
    if found.unit is not None:
        lines.append(f"now let the office run: roadproof fleet revoke {found.unit}")
    return [*lines, "the box waits for a new code after its next start: sudo reboot"]


def _told(found: Holdings) -> dict[str, object]:
    counts = {name: getattr(found, name) for name in ("unit", "files", "size_bytes", "proofs", "pictures", "events", "fixes")}
    return {**counts, "paths": [str(path) for path in found.paths]}
