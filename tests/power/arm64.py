"""The unit's package on the processor of a Raspberry Pi: a userland of arm64, whose programs this kernel hands to QEMU."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path
from shutil import copytree

from cli.errors import UsageError
from cli.faults.power.block import hidden_folder, need
from cli.faults.power.tree import PROGRAMS, Recipe
from provisioning.package.target import Target

TARGET = Target("arm64", "3.13")
# Unpacked only: no program of it has to run for that.
RECIPE = Recipe(
    ("base-files", "bash", "coreutils", "dash", "libc-bin", "libstdc++6", "python3", "libzbar0t64"),
    release="trixie",
    arch="arm64",
    variant="extract",
)
EMULATOR = "/usr/bin/qemu-aarch64-static"
NEEDED = PROGRAMS | {"qemu-aarch64-static": "qemu-user-static", "arch-test": "arch-test", "dpkg-deb": "dpkg"}
BINFMT = Path("/proc/sys/fs/binfmt_misc")
OURS = "roadproof-aarch64"
# A little-endian ELF program for the machine 0xb7; F: the emulator is opened now, so it need not be in the tree.
MAGIC, MASK = "7f454c460201010000000000000000000200b700", "ffffffffffffff00fffffffffffffffffeffffff"
# pytest and what it is made of: nothing compiled.
PYTEST = ("pytest", "pluggy", "iniconfig", "packaging")
UNIT_USER = 990
USERS = f"root:x:0:0:root:/root:/bin/sh\nroadproof:x:{UNIT_USER}:{UNIT_USER}::/var/lib/roadproof:/bin/sh\n"
FOLDERS = ("run/roadproof", "var/lib/roadproof")  # what systemd makes for the daemon
TESTS = "opt/roadproof/tests"
PYTHON = "/opt/roadproof/.venv/bin/python"


class Userland:
    """The tree with the package in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def typed(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program in it, as root."""
        with self.started(*command, user=0) as running:
            said, _ = running.communicate()
        return subprocess.CompletedProcess(command, running.returncode, said)

    def started(self, *command: str, user: int = UNIT_USER) -> subprocess.Popen[str]:
        """Start a program in it, on an emulated Cortex-A72: any newer processor is emulated twenty times slower."""
        return subprocess.Popen(
            ["chroot", f"--userspec={user}:{user}", str(self.root), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "QEMU_CPU": "cortex-a72"},
        )


@contextmanager
def userland(tree: Path, package: Path) -> Iterator[Userland]:
    """`tree` with the package and the tests unpacked in it, ready to run; all of it gone at the end."""
    with hidden_folder() as folder, emulated():
        root, changed, work = (folder / name for name in ("root", "changed", "work"))
        for each in (root, changed, work):
            each.mkdir()
        _mount("-t", "overlay", "-o", f"lowerdir={tree},upperdir={changed},workdir={work}", "overlay", str(root))
        try:
            _mount("-t", "proc", "proc", str(root / "proc"))
            _mount("--rbind", "/dev", str(root / "dev"))
            subprocess.run(["dpkg-deb", "--extract", str(package), str(root)], check=True)
            copytree(Path(__file__).parents[1], root / TESTS, ignore=lambda _, names: [name for name in names if name == "__pycache__"])
            _bring_pytest(next((root / "opt/roadproof/.venv/lib").iterdir()) / "site-packages")
            (root / "etc/passwd").write_text(USERS, encoding="ascii")
            for place in FOLDERS:
                (root / place).mkdir(parents=True, exist_ok=True)
                os.chown(root / place, UNIT_USER, UNIT_USER)
            made = Userland(root)
            assert made.typed("/sbin/ldconfig").returncode == 0
            yield made
        finally:
            subprocess.run(["umount", "--recursive", "--lazy", str(root)], check=True)


@contextmanager
def emulated() -> Iterator[None]:
    """Programs for arm64 run inside the `with`; UsageError where the kernel does not let us."""
    need(NEEDED)
    if not (BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)], check=False, capture_output=True)
    if not (BINFMT / "register").exists():
        raise UsageError("this kernel hands no program to an emulator: it has no binfmt_misc")
    if (BINFMT / "qemu-aarch64").exists() or os.uname().machine == "aarch64":
        yield
        return
    if not (BINFMT / OURS).exists():
        try:
            (BINFMT / "register").write_text(f":{OURS}:M::{_bytes(MAGIC)}:{_bytes(MASK)}:{EMULATOR}:OCF", encoding="ascii")
        except OSError as error:
            raise UsageError(f"this kernel hands no program to an emulator: {(error.strerror or '').lower()}") from None
    try:
        yield
    finally:
        (BINFMT / OURS).write_text("-1", encoding="ascii")


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def _bytes(digits: str) -> str:
    """As the kernel reads them (Documentation/admin-guide/binfmt-misc.rst)."""
    return "".join(f"\\x{digits[at : at + 2]}" for at in range(0, len(digits), 2))


def _bring_pytest(site_packages: Path) -> None:
    for name in PYTEST:
        for file in files(name) or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                place = site_packages / file
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(Path(str(file.locate())).read_bytes())
