"""What is done to the emulated computer, and what its unit must have made of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from cli.faults.machine.computer import Computer
from cli.faults.power.block import DiskError
from cli.faults.tally import Tally
from firmware.status import Status

SERVICE = "roadproof.service"
PORT, OTHER_END = "/dev/ttyACM0", "/dev/ttyGS0"
PYTHON = "/opt/roadproof/.venv/bin/python -P -m"
LONG_AGO = "1980-01-01T00:00:00"  # what a clock without a battery shows
SATELLITES = "gnss"
SHORT_OF_MEMORY = "8M"
SOON_S, LOOK_S = 240.0, 0.2
RESET_S = 90.0  # RuntimeWatchdogSec is 15


class Trials:
    """Done one after the other to one computer; counts go into `tally`."""

    def __init__(self, computer: Computer, tally: Tally) -> None:
        self._computer = computer
        self._tally = tally

    def begin(self) -> Status:
        """Plug the receiver in and wait for its first fix."""
        self._computer.typed("modprobe dummy_hcd && modprobe g_serial")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._computer.typed(f"systemd-run --quiet --unit=van {PYTHON} cli.faults.machine.van {OTHER_END} {now}")
        return self._until(lambda now: now.tseq.issued > 0, "the first fix")

    def clock(self) -> None:
        """It started in 1980: the daemon must date its records by the satellites."""
        now = self._until(lambda now: now.time_source == SATELLITES, "the satellites' time")
        self._count()
        self._tally.more["clock_chip"] = self._computer.typed("cat /sys/class/rtc/rtc0/date")
        if now.position is None or abs(now.at_ms - now.position.at_ms) > SOON_S * 1_000:
            self._fault("the daemon's time is not the satellites'")

    def unplugs(self, times: int) -> None:
        """Pull the receiver's USB plug and put it back; the daemon must live on and have fixes again."""
        waits_s = list[float]()
        for _ in range(times):
            before = self._now()
            self._computer.typed("rmmod g_serial")
            gone = self._until(lambda now: not now.has_fix, "the daemon to miss its receiver")
            self._computer.typed("modprobe g_serial")
            began_s = time.monotonic()
            back = self._until(lambda now, held=gone: now.has_fix and now.tseq.issued > held.tseq.issued, "fixes after the plug is back")  # type: ignore[misc]
            waits_s.append(time.monotonic() - began_s)
            self._count()
            if back.pid != before.pid:
                self._fault("an unplugged receiver ended the daemon")
            self._kept(before, back)
        self._tally.more |= {"unplugged": times, "fix_again_s": round(max(waits_s), 1)}

    def memory(self) -> None:
        """Leave it no memory: it is killed, and when there is some again it must go on where it was."""
        before = self._now()
        self._computer.typed(f"systemctl set-property --runtime {SERVICE} MemoryMax={SHORT_OF_MEMORY} MemorySwapMax=0")
        self._wait(lambda: "oom-kill" in self._computer.typed(f"journalctl --unit {SERVICE} --output cat --no-pager"), "the kill")
        self._computer.typed(f"systemctl revert {SERVICE}; systemctl daemon-reload; systemctl reset-failed {SERVICE}; true")
        began_s = time.monotonic()
        after = self._until(lambda now: now.pid != before.pid and now.has_fix, "the daemon after it had no memory")
        self._tally.more["back_after_no_memory_s"] = round(time.monotonic() - began_s, 1)
        self._count()
        self._kept(before, after)

    def hang(self) -> Status:
        """Crash the kernel at work; the board must reset it by itself. What was recorded until then is returned."""
        self._computer.typed("modprobe i6300esb && systemctl daemon-reexec")
        self._wait(lambda: "USec=15s" in self._computer.typed("systemctl show --property=RuntimeWatchdogUSec"), "the watchdog")
        before = self._now()
        reset_s = self._computer.crash(RESET_S)
        self._count()
        self._tally.more["reset_s"] = None if reset_s is None else round(reset_s, 1)
        if reset_s is None:
            self._fault("the watchdog did not reset a hung kernel")
        return before

    def back(self, before: Status) -> None:
        """After the reset: the same journal, and all of it."""
        self._kept(before, self._until(lambda now: bool(now.log), "the daemon after the reset"))

    def told(self) -> None:
        """Count what the daemon's log holds that it never should."""
        said = self._computer.typed(f"journalctl --unit {SERVICE} --output cat --no-pager")
        for _ in range(said.count("Traceback")):
            self._fault("a traceback in the daemon's log")

    def _kept(self, before: Status, after: Status) -> None:
        """Count the numbers that were given before and are not any more."""
        pairs = ((before.seq, after.seq), (before.tseq, after.tseq))
        self._tally.committed = (self._tally.committed or 0) + sum(then.issued for then, _ in pairs)
        lost = sum(max(0, then.issued - now.issued) for then, now in pairs)
        if after.log != before.log:
            lost = sum(then.issued for then, _ in pairs)
        self._tally.lost = (self._tally.lost or 0) + lost
        if lost:
            self._tally.examples.append(f"{lost} records were nowhere after it")

    def _count(self) -> None:
        self._tally.faults = (self._tally.faults or 0) + 1
        self._tally.states = (self._tally.states or 0) + 1

    def _fault(self, sentence: str) -> None:
        self._tally.tracebacks = (self._tally.tracebacks or 0) + 1
        self._tally.examples.append(sentence)

    def _now(self) -> Status:
        return self._until(lambda _: True, "the daemon's status")

    def _until(self, true: Callable[[Status], bool], what: str) -> Status:
        """The first status of a running daemon that is so; DiskError names what did not come."""
        found: Status | None = None

        def asked() -> bool:
            nonlocal found
            found = _status(self._computer)
            return found is not None and true(found)

        self._wait(asked, what)
        assert found is not None
        return found

    def _wait(self, true: Callable[[], bool], what: str) -> None:
        end_s = time.monotonic() + SOON_S
        while not true():
            if time.monotonic() > end_s:
                said = self._computer.typed(f"journalctl --unit {SERVICE} --output cat --no-pager --lines 5")
                raise DiskError(f"waited {SOON_S:.0f} s in the emulated computer for {what}; its daemon says: {said}")
            time.sleep(LOOK_S)


def _status(computer: Computer) -> Status | None:
    try:
        return msgspec.json.decode(computer.typed("cat /run/roadproof/status.json || true"), type=Status)
    except msgspec.DecodeError:
        return None
