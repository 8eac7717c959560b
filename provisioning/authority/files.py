"""Files of an authority: each is there whole or not at all, keys for their owner alone."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from mqtt.durable import sync_names
from provisioning.authority.errors import FleetError

KEY_MODE, GROUP_KEY_MODE, OPEN_MODE = 0o600, 0o640, 0o644


def read(path: Path) -> bytes:
    """A file's bytes; FleetError names the file that cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FleetError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}; restore it from your copy") from None


def replace(path: Path, data: bytes, mode: int = OPEN_MODE) -> None:
    """The file has this content, durably, or keeps the one that it had.

    It belongs to whom its folder belongs: root may do at the keyboard what a service does by night, and neither shuts the other out.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            if os.geteuid() == 0:
                folder = path.parent.stat()
                os.fchown(file.fileno(), folder.st_uid, folder.st_gid)
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_names(path.parent)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise FleetError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}") from None
