"""A memory card: a file system of its own on a block device that counts what is written to it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cli.errors import UsageError

CARD_BYTES = 256_000_000
SECTOR_BYTES = 512  # of /sys/block/*/stat, whatever the device's own are
SECTORS_WRITTEN = 6  # its column
NEEDED = {"mkfs.ext4": "e2fsprogs", "losetup": "mount", "mount": "mount"}


class Card(msgspec.Struct, frozen=True):
    """A mounted card."""

    folder: Path
    device: str  # loop3

    def written_bytes(self) -> int:
        """All that has reached the device since it was made, once what still waits in memory is there too."""
        subprocess.run(["sync", "--file-system", str(self.folder)], check=True)
        return int(Path(f"/sys/block/{self.device}/stat").read_text(encoding="ascii").split()[SECTORS_WRITTEN]) * SECTOR_BYTES


@contextmanager
def mounted(folder: Path) -> Iterator[Card]:
    """A new card with ext4 as the image sets it up, in a folder; UsageError where this user may not mount one."""
    if os.geteuid() != 0:
        raise UsageError("counting what reaches a block device needs root; run it again with sudo")
    image, place = folder / "card.img", folder / "card"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(CARD_BYTES)
    _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
    device = _run("losetup", "--find", "--show", str(image))
    try:
        _run("mount", "-o", "noatime", device, str(place))
        try:
            yield Card(place, Path(device).name)
        finally:
            _run("umount", str(place))
    finally:
        _run("losetup", "--detach", device)


def _run(*words: str) -> str:
    try:
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        raise UsageError(f"{words[0]} is missing; install it with: sudo apt-get install {NEEDED.get(words[0], words[0])}") from None
    except subprocess.CalledProcessError as error:
        raise UsageError(f"{words[0]} failed: {error.stderr.strip()}; this machine may not allow loop devices") from None
