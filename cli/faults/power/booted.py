"""A root file system booted beside this machine's own: a real systemd as its first process, and no way out of it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from cli.faults.power import block
from cli.faults.power.block import DiskError, mortal, until

PROGRAMS = {"systemd-nspawn": "systemd-container", "nsenter": "util-linux"}
HALT_S = 40.0  # TimeoutStopSec of the unit, and as long for everything else
PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"


class Machine:
    """A booted root file system: a systemd as the first process, its uptime from zero on, and nothing in it lasts."""

    def __init__(self, root: Path, shown: dict[str, Path], kept: dict[str, Path], log: Path, *, alone: bool = True) -> None:
        """`shown` and `kept`: what of this machine is where in it, read-only and to be written.

        Its network is its own without a way out, or not `alone` that of this thread.
        """
        self._log = log
        with log.open("w", encoding="utf-8") as console:
            self._process = mortal(
                # In a process namespace of its own: whatever kills systemd-nspawn kills all that it started.
                *("unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", *_clocks_from_zero()),
                *("systemd-nspawn", "--quiet", f"--directory={root}", f"--machine=roadproof-{os.getpid()}"),
                *("--register=no", "--keep-unit", "--volatile=overlay", "--console=read-only"),
                *(["--private-network"] if alone else []),
                *("--resolv-conf=off", "--timezone=off", "--link-journal=no"),
                *(f"--bind-ro={path}:{place}" for place, path in shown.items()),
                *(f"--bind={path}:{place}" for place, path in kept.items()),
                "--boot",
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )

    def wait_until_up(self) -> None:
        """Until its systemd answers; DiskError with its last words when it ends instead."""
        until(lambda: self._process.poll() is not None or self._answers(), "the systemd of the booted disk")
        if self._process.poll() is not None:
            raise DiskError(f"systemd-nspawn cannot boot: {self._log.read_text(encoding='utf-8', errors='replace').strip()[-300:]}")

    @property
    def files(self) -> Path:
        """Its root as its processes see it."""
        return Path(f"/proc/{self.first_process}/root")

    @property
    def first_process(self) -> int:
        """Its systemd, as this machine numbers it; DiskError when it has ended."""
        return _child(self._spawn, "systemd")

    def typed(self, *command: str) -> int:
        """Run a program in it; the exit code."""
        return self.told(*command)[0]

    def told(self, *command: str) -> tuple[int, str]:
        """Run a program in it; its exit code, and what it said."""
        inside = ("nsenter", "--target", str(self.first_process), "--all", "--root", "--wd", "env", "-i", PATH)
        ended = subprocess.run(
            [*inside, *command], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=block.SOON_S
        )
        return ended.returncode, ended.stdout.strip()

    def halt(self) -> bool:
        """Shut it down in order; whether it did so in time."""
        os.kill(self._spawn, signal.SIGTERM)  # systemd-nspawn asks its first process to halt
        try:
            return self._process.wait(HALT_S) == 0
        except subprocess.TimeoutExpired:
            return False

    def end(self) -> None:
        """Whatever happened, nothing stays."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    @property
    def _spawn(self) -> int:
        """systemd-nspawn; DiskError when it has ended."""
        return _child(self._process.pid, "systemd-nspawn")

    def _answers(self) -> bool:
        try:
            return (self.files / "run/systemd/private").exists()
        except DiskError:
            return False


def _clocks_from_zero() -> tuple[str, ...]:
    """A time namespace in which the machine was switched on just now: what it measures from its start is true then."""
    up_s = int(time.clock_gettime(time.CLOCK_MONOTONIC)), int(time.clock_gettime(time.CLOCK_BOOTTIME))
    return ("--time", f"--monotonic=-{up_s[0]}", f"--boottime=-{up_s[1]}")


def _child(parent: int, name: str) -> int:
    """The child of a process with this name; DiskError when there is none."""
    try:
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split():
            if Path(f"/proc/{child}/comm").read_text(encoding="ascii").strip() == name:
                return int(child)
    except OSError:  # it has just ended
        pass
    raise DiskError(f"the booted disk has no {name} any more")


def user(root: Path, name: str) -> int:
    """The number of a user of this root file system; its group has the same."""
    for line in (root / "etc/passwd").read_text(encoding="utf-8").splitlines():
        user, _, number, *_ = line.split(":")
        if user == name:
            return int(number)
    raise DiskError(f"the root file system has no user {name}")
