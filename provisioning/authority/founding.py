"""How a fleet begins: its authorities, its servers' and programs' certificates, its broker's files, in one folder."""

from __future__ import annotations

import grp
import os
import pwd
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from provisioning.authority import certificates, files, settings
from provisioning.authority.broker_files import BrokerFiles
from provisioning.authority.certificates import Pair, pem, private_pem, public_pem
from provisioning.authority.errors import FleetError
from provisioning.authority.receipts import Receipts
from provisioning.authority.register import Register
from provisioning.authority.servers import SERVERS, Servers
from provisioning.authority.settings import FleetPlace, toml

AUTHORITY, RECEIVER, BROKER = "roadproof-authority", "roadproof-fleet", "mosquitto"  # users of the machine, where it has them
# Folder, who owns it, whose group it has, its mode. Files take owner and group of their folder; keys in a folder with a group's sticky bit
# may be read by that group, which is the program that uses them.
FOLDERS = (
    # Root's: its settings name a command that root's own `fleet revoke` runs.
    ("", "root", "root", 0o755),
    ("offline", "root", "root", 0o700),
    ("authority", AUTHORITY, AUTHORITY, 0o700),
    ("broker", AUTHORITY, BROKER, 0o2750),
    ("receiver", AUTHORITY, RECEIVER, 0o2750),
    ("operator", AUTHORITY, AUTHORITY, 0o700),
    ("units", AUTHORITY, AUTHORITY, 0o755),
)
FLEET = """# Settings for `roadproof fleet receive --config {folder}/fleet.toml`, and for the other fleet commands.
name = "receiver-1"
# Known to receivers alone: a unit that joined their group would be dealt a share of the messages.
group = {group}

[broker]
host = {host}
port = {port}
tls_ca = {receiver_root}
tls_cert = {tls_cert}
tls_key = {tls_key}

[evidence]
root = {receiver_root}
issuing = {issuing}
certificate = {certificate}
key = {key}
seal_key = {seal_key}
units_folder = {units}
"""
OPERATOR = """# Settings for who operates the fleet: `roadproof fleet send-run FILE --unit UNIT --config {folder}/operator/operator.toml`.
[broker]
host = {host}
port = {port}
tls_ca = {operator_root}
tls_cert = {operator_cert}
tls_key = {operator_key}
"""


def found(folder: Path, place: FleetPlace, *, now: datetime | None = None) -> None:
    """Make a fleet in a folder; FleetError when something is in it already, or when it cannot be written.

    The settings come last: a folder without them is none of a fleet's.
    """
    now, folder = now or datetime.now(UTC), folder.absolute()
    _make_folders(folder)
    root = certificates.self_signed(f"{place.name} root", path_length=1, now=now)
    issuing = certificates.issuing_below(root, f"{place.name} issuing", now=now)
    services = certificates.self_signed(f"{place.name} services", path_length=0, now=now)
    files.replace(folder / "offline" / "root.key", private_pem(root.key), files.KEY_MODE)
    for name, one in (("issuing", issuing), ("services", services)):
        files.replace(folder / "authority" / f"{name}.key", private_pem(one.key), files.KEY_MODE)
        files.replace(folder / "authority" / f"{name}.pem", pem(one.certificate))
    files.replace(folder / "authority" / "root.pem", pem(root.certificate))
    files.replace(folder / "broker" / "ca-chain.pem", pem(issuing.certificate) + pem(root.certificate))
    files.replace(folder / "broker" / "services.pem", pem(services.certificate))
    register = Register(folder / "authority" / "register.db")
    try:
        servers = Servers(folder, place, register, issuing=issuing, services=services)
        for server in SERVERS:
            servers.renew(server, now)
        broker = BrokerFiles(folder / "broker", place, register, issuing=issuing, services=services)
        broker.write(now)
        broker.write_configuration()
        Receipts(folder / "receiver", place, register, issuing).make(now)
    finally:
        register.close()
    _make_receiver(folder, root, issuing)
    _own_by_folder(folder / "authority")
    _write_programs_settings(folder, place)
    files.replace(folder / settings.FILE, settings.text(place).encode())


def _make_folders(folder: Path) -> None:
    try:
        if folder.exists() and any(folder.iterdir()):
            is_fleet = (folder / settings.FILE).exists()
            told = "a fleet already; its keys are never overwritten" if is_fleet else "files already: empty it, or name another folder"
            raise FleetError(f"{folder} holds {told}")
        folder.mkdir(parents=True, exist_ok=True)
        for name, owner, group, mode in FOLDERS:
            one = folder / name
            one.mkdir(exist_ok=True)
            os.chown(one, *_ids(owner, group))
            one.chmod(mode)
    except OSError as error:
        raise FleetError(f"{folder} cannot be written: {(error.strerror or str(error)).lower()}") from None


def _ids(owner: str, group: str) -> tuple[int, int]:
    """The numbers of a user and a group; -1, which changes nothing, for one that the machine does not have or that we may not give to."""
    user_id = group_id = -1
    if os.geteuid() == 0:
        with suppress(KeyError):
            user_id = pwd.getpwnam(owner).pw_uid
        with suppress(KeyError):
            group_id = grp.getgrnam(group).gr_gid
    return user_id, group_id


def _make_receiver(folder: Path, root: Pair, issuing: Pair) -> None:
    """What a receiver signs receipts with, and opens photos with: its own user's alone, whoever else may read the folder."""
    own, seal = folder / "receiver", X25519PrivateKey.generate()
    files.replace(own / "seal.key", private_pem(seal), files.KEY_MODE)
    for name in ("receiver.key", "seal.key"):
        os.chown(own / name, _ids(RECEIVER, RECEIVER)[0], -1)
    public = {
        "seal.pub": public_pem(seal),
        "issuing.pem": pem(issuing.certificate),
        "root.pem": pem(root.certificate),
    }
    for name, data in public.items():
        files.replace(own / name, data)
    files.replace(folder / "operator" / "root.pem", pem(root.certificate))


def _own_by_folder(folder: Path) -> None:
    """SQLite makes its files as whoever opens it first."""
    if os.geteuid() == 0:
        held = folder.stat()
        for path in folder.iterdir():
            os.chown(path, held.st_uid, held.st_gid)


def _write_programs_settings(folder: Path, place: FleetPlace) -> None:
    paths = {
        "receiver_root": "receiver/root.pem", "issuing": "receiver/issuing.pem", "certificate": "receiver/receiver.pem",
        "key": "receiver/receiver.key", "seal_key": "receiver/seal.key", "tls_cert": "receiver/tls.pem", "tls_key": "receiver/tls.key",
        "units": "units", "operator_root": "operator/root.pem", "operator_cert": "operator/tls.pem", "operator_key": "operator/tls.key",
    }  # fmt: skip
    values = {name: toml(str(folder / path)) for name, path in paths.items()}
    values |= {"group": toml(token_hex(10)), "folder": str(folder), "host": toml(place.broker.host), "port": str(place.broker.fleet_port)}
    files.replace(folder / "fleet.toml", FLEET.format(**values).encode(), files.GROUP_KEY_MODE)
    os.chown(folder / "fleet.toml", -1, _ids(RECEIVER, RECEIVER)[1])
    files.replace(folder / "operator" / "operator.toml", OPERATOR.format(**values).encode())
