"""`roadproof package`: the Debian package that makes a blank Raspberry Pi a unit, or a server the fleet's."""

from __future__ import annotations

import argparse
import json
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.errors import UsageError
from cli.words import Commands, add
from provisioning.package import commit, deb
from provisioning.package.errors import PackageError
from provisioning.package.target import ARCHES, NAMES, PYTHONS, Target


def add_commands(commands: Commands) -> None:
    """Add `package`."""
    command = add(commands, "package", run, "make the Debian package of this checkout", "roadproof package --arch arm64 --python 3.13")
    command.add_argument("--arch", choices=ARCHES, default=Target().arch, help=f"processor it is for (default {Target().arch})")
    command.add_argument(
        "--python",
        choices=PYTHONS,
        default=Target().python,
        help=f"the system's Python: 3.11 of Debian and Raspberry Pi OS 12, 3.13 of 13 (default {Target().python})",
    )
    command.add_argument(
        "--for", dest="name", choices=NAMES, default=NAMES[0], help=f"the unit's package or the server's (default {NAMES[0]})"
    )
    command.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="folder to put it in (default: this one)")
    command.add_argument("--json", action="store_true", help="say it for programs")


def run(arguments: argparse.Namespace) -> int:
    """Make it and say where it is, how large, and its checksum: the same commit gives the same one anywhere."""
    target = Target(arguments.arch, arguments.python)
    try:
        with TemporaryDirectory(prefix="roadproof-wheels-") as folder:
            wheels = deb.fetch(arguments.name, target, Path(folder))
            made = deb.build(arguments.name, target, commit.read(), wheels, arguments.out)
    except PackageError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"cannot write in {arguments.out}: {(error.strerror or '').lower()}; name another folder with --out") from None
    content = made.read_bytes()
    told = {"file": str(made), "bytes": len(content), "sha256": sha256(content).hexdigest()}
    if arguments.json:
        print(json.dumps(told))
    else:
        print(f"{made}: {len(content) / 1e6:.1f} MB, SHA-256 {told['sha256']}")
        print(f"install it there with: apt install ./{made.name}")
    return 0
