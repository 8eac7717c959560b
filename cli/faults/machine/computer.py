"""A whole computer, emulated: its own kernel, its own clock, USB and a watchdog that resets it. Its serial console is what we type on."""

from __future__ import annotations

import os
import re
import select
import subprocess
import time

from cli import child
from cli.faults.machine.image import Image
from cli.faults.power.block import DiskError

PROGRAMS = {"qemu-system-x86_64": "qemu-system-x86"}
BOOT_S = 600.0  # emulated, on a machine that others use too
SOON_S = 300.0
PROCESSOR = "Nehalem"  # the oldest that numpy runs on: of newer ones there is more to emulate
PROMPT = re.compile(rb"root@[\w-]+:\S*# ?$")
READ_BYTES = 65_536
TOLD_BYTES = 500  # of the console's last words
# A hung kernel stays hung (panic=0), so that only the board's watchdog ends it.
KERNEL = "root=/dev/vda rw console=ttyS0 quiet loglevel=3 systemd.show_status=0 panic=0 mitigations=off net.ifnames=0"


class Computer:
    """Switched on as it is built; `cut` when done with it."""

    def __init__(self, image: Image, at: str) -> None:
        """`at`: what its clock shows, since nothing has kept it going."""
        self.began_s = time.monotonic()
        self._said = b""
        self._number = 0
        self._process = subprocess.Popen(
            child.mortal(
                [
                    *("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", PROCESSOR, "-smp", "2", "-m", "768"),
                    *("-nodefaults", "-display", "none", "-no-reboot", "-monitor", "none", "-serial", "stdio", "-rtc", f"base={at}"),
                    *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", KERNEL),
                    *("-drive", f"file={image.disk},if=none,id=disk,format=raw", "-device", "virtio-blk-pci,drive=disk"),
                    *("-object", "rng-random,filename=/dev/urandom,id=random", "-device", "virtio-rng-pci,rng=random"),
                    *("-device", "i6300esb", "-action", "watchdog=reset"),
                ]
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def boot(self) -> float:
        """Until somebody can type; the seconds that it took. DiskError with its last words when it does not come up."""
        self._until(PROMPT, 0, BOOT_S)
        self._type("stty -echo; bind 'set enable-bracketed-paste off'; PS1=; PS2=")
        return time.monotonic() - self.began_s

    def typed(self, command: str, within_s: float = SOON_S) -> str:
        """What a command says; DiskError when it fails."""
        self._number += 1
        before = len(self._said)
        # The mark is written in two halves, so that no echo of the command is taken for its end.
        self._type(f'{{ {command}\n}} 2>&1; echo "@@""{self._number} $?@"')
        ended = self._until(re.compile(rb"@@%d (\d+)@" % self._number), before, within_s)
        said = self._said[before : ended.start()].decode(errors="replace").replace("\r", "").strip()
        if ended[1] != b"0":
            raise DiskError(f"the emulated computer cannot do this: {command.splitlines()[0]} ({said[-TOLD_BYTES:]})")
        return said

    def crash(self, within_s: float) -> float | None:
        """Let its kernel crash on purpose; the seconds until the board reset it, None when it did not."""
        began_s = time.monotonic()
        self._type("echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger")
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None
        return time.monotonic() - began_s

    def cut(self) -> None:
        """Pull its plug."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def _until(self, pattern: re.Pattern[bytes], since: int, within_s: float) -> re.Match[bytes]:
        assert self._process.stdout is not None
        end_s = time.monotonic() + within_s
        console = self._process.stdout.fileno()
        while not (found := pattern.search(self._said, since)):
            left_s = end_s - time.monotonic()
            said = os.read(console, READ_BYTES) if left_s > 0 and select.select([console], [], [], left_s)[0] else b""
            if not said:
                words = self._said[-TOLD_BYTES:].decode(errors="replace").strip()
                raise DiskError(f"the emulated computer says nothing any more; its last words: {words}")
            self._said += said
        return found
