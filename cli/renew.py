"""`roadproof renew`: this unit's certificates, before they run out, and what the fleet says of itself."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from cli.words import Commands, add
from firmware.config import STATE
from provisioning.enrol import FAULTS
from provisioning.identity import FOLDER
from provisioning.renew import renew as renewed


def add_commands(commands: Commands) -> None:
    """Add `renew`."""
    command = add(commands, "renew", renew, "renew what is due: certificates, and who the fleet's receivers are", "roadproof renew --force")
    command.add_argument("--force", action="store_true", help="renew the login, and ask the fleet, also when that is not due")
    command.add_argument("--state", type=Path, default=STATE, metavar="FOLDER", help=f"where the identity is kept (default {STATE})")
    command.add_argument("--json", action="store_true", help="for programs")


def renew(arguments: argparse.Namespace) -> int:
    """Renew what is due; exit code 1 when that did not work, and the unit goes on with what it has."""
    try:
        result = renewed(arguments.state / FOLDER, now=datetime.now(UTC), force=arguments.force)
    except FAULTS as error:
        print(f"roadproof renew: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(
            json.dumps({"unit": result.unit, "renewed": list(result.renewed), "waiting": result.waiting, "changed": list(result.changed)})
        )
    else:
        print(result.sentence)
    return 0
