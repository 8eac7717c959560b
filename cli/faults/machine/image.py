"""The disk that the emulated computer starts from: Debian with a kernel, and the unit's own package in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import msgspec

from cli.faults.machine.installed import installed, packed, set_up
from cli.faults.power import tree
from cli.faults.power.block import DiskError
from cli.faults.power.tree import Recipe
from cli.faults.power.unit import make_keys
from provisioning.package.target import Target

# What Raspberry Pi OS is made from today, and its Python.
RELEASE, TARGET = "trixie", Target("amd64", "3.13")
PACKAGES = ("systemd-sysv", "udev", "kmod", "initramfs-tools", "zstd", "linux-image-amd64", "python3", "libzbar0t64")
# What the kernel needs to find its disk; everything else is loaded from there.
MODULES = ("virtio_pci", "virtio_blk", "ext4")
CONSOLE = """[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 - vt100"""
HOOKS = (
    r'printf "MODULES=list\nCOMPRESS=zstd\nBUSYBOX=auto\n" > "$1/etc/initramfs-tools/conf.d/small"',
    f'printf "%s\\n" {" ".join(MODULES)} > "$1/etc/initramfs-tools/modules"',
    'chroot "$1" update-initramfs -u',
    'echo "/dev/vda / ext4 defaults,noatime 0 1" > "$1/etc/fstab"',
    'chroot "$1" passwd -d root',
    'mkdir -p "$1/etc/systemd/system/serial-getty@ttyS0.service.d"',
    f'echo "{CONSOLE}" > "$1/etc/systemd/system/serial-getty@ttyS0.service.d/root.conf"',
)
DISK_BYTES = 1_500_000_000  # without what nobody wrote to


class Image(msgspec.Struct, frozen=True):
    """What is handed to the emulator."""

    disk: Path
    kernel: Path
    initrd: Path


def recipe() -> Recipe:
    """Systemd, a kernel with all its modules, and what the unit's package depends on."""
    return Recipe(PACKAGES, HOOKS, release=RELEASE, arch="amd64")


def made(folder: Path, kept: Path, gnss_port: str) -> Image:
    """A disk in `folder` with the package of this checkout, set up; `kept`: where the system without it is kept for the next time.

    UsageError when it cannot be made.
    """
    system = tree.made(kept, recipe())
    make_keys(folder / "keys")
    image = Image(folder / "disk.img", folder / "kernel", folder / "initrd")
    with installed(system, packed(TARGET, folder)) as root:
        set_up(root, folder / "keys", gnss_port)
        shutil.copy(next((root / "boot").glob("vmlinuz-*")), image.kernel)
        shutil.copy(next((root / "boot").glob("initrd.img-*")), image.initrd)
        image.disk.touch()
        os.truncate(image.disk, DISK_BYTES)
        ended = subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(root), str(image.disk)], check=False, capture_output=True, text=True)
        if ended.returncode:
            raise DiskError(f"the disk cannot be made: {ended.stderr.strip()}")
    return image
