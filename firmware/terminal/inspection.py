"""The self-test as the technician runs it on the screen: it goes on by itself, and the page looks at how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

import msgspec

from firmware.selftest.commissioning import Commissioning
from firmware.selftest.finding import KEYS, Finding, Key, Prompt, Touch
from firmware.status import Status
from firmware.terminal.surroundings import qr_code
from mqtt.evidence import report
from mqtt.evidence.report import Paper

WAIT_S = 1.0  # for the next wish
PROBE_S = 90.0  # the slowest probe waits for a receipt and for the modem


class Tests(Protocol):
    """The self-test (firmware/selftest)."""

    def run(
        self, only: Sequence[Key] | None = None, wait: Callable[[float], bool] | None = None, *, hands: bool = False
    ) -> Generator[Finding | Prompt, None, None]:
        """Each finding as soon as it is there; BusyError while somebody else tests. `wait` says True when this is to end."""

    def touched(self, touch: Touch) -> Finding:
        """What the screen measured, as a finding."""


class No(Enum):
    """Why a wish is not done; the value is the key of a text of the page."""

    MOVING = "diag.stand_still"
    RUNNING = "diag.still_running"
    NOTHING = "diag.nothing_found"


class Inspection:
    """The worker that tests part after part; its other methods may be called by any thread and return at once."""

    name = "selftest"
    may_be_left = True  # it has nothing that is not in the journal
    stall_s = PROBE_S

    def __init__(self, *, tests: Callable[[], Tests], commissioning: Callable[[], Commissioning], status: Callable[[], Status]) -> None:
        self._tests = tests
        self._commissioning = commissioning
        self._status = status
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._found: dict[str, Finding] = {}
        self._rest: Generator[Finding | Prompt, None, None] | None = None
        self._prompt: Prompt | None = None  # what the technician is to do now
        self._running = False
        self._trouble = ""  # a sentence: why the last run was none
        self._told: dict[str, Any] | None = None  # of the report

    def step(self, stop: threading.Event) -> None:
        """Test one part, or wait for somebody who wants that."""
        if self._rest is None:
            if not self._wanted.wait(WAIT_S) or stop.is_set():
                return
            self._wanted.clear()
            self._rest = self._tests().run(wait=stop.wait, hands=True)
        finding, trouble = _next(self._rest)
        with self._lock:
            self._prompt = finding if isinstance(finding, Prompt) else None
            if isinstance(finding, Prompt):
                return
            if finding is None:
                self._rest, self._running, self._trouble = None, False, trouble
            elif finding.key not in self._found or finding.state != "skipped":  # a touch test made meanwhile stands
                self._found[finding.key] = finding

    def finish(self) -> None:
        """Let go of what is being tested."""
        if self._rest is not None:
            self._rest.close()

    def start(self) -> No | None:
        """Test everything anew; why not, when it is not done."""
        with self._lock:
            if self._running:
                return No.RUNNING
            if self._status().moving:
                return No.MOVING
            self._running, self._told, self._trouble = True, None, ""
            touch = self._found.get("touch")
            self._found = {"touch": touch} if touch else {}
            self._wanted.set()
        return None

    def touch(self, measured: Touch) -> No | None:
        """Take what the screen measured under a technician's finger."""
        if self._status().moving:
            return No.MOVING
        finding = self._tests().touched(measured)
        with self._lock:
            self._found["touch"], self._told = finding, None
        return None

    def report(self) -> No | None:
        """Sign what was found, and send it; EvidenceError when it cannot be signed."""
        with self._lock:
            if self._running:
                return No.RUNNING
            findings = self._in_order()
        if set(KEYS) - {finding.key for finding in findings}:
            return No.NOTHING
        commissioning = self._commissioning()
        paper = commissioning.report(findings)
        with self._lock:
            self._told = _told(paper, commissioning.path(paper))
        return None

    def state(self) -> dict[str, Any]:
        """How far it is, for the page: the parts in their order, what was found so far, and the report once there is one."""
        with self._lock:
            findings = self._in_order()
            told = {"running": self._running, "trouble": self._trouble, "report": self._told, "prompt": msgspec.to_builtins(self._prompt)}
            return {**told, "keys": KEYS, "findings": msgspec.to_builtins(findings)}

    def _in_order(self) -> list[Finding]:
        return [self._found[key] for key in KEYS if key in self._found]


def _next(rest: Generator[Finding | Prompt, None, None]) -> tuple[Finding | Prompt | None, str]:
    """The next finding or prompt, None at the end; why there is none while somebody else tests."""
    from firmware.selftest.selftest import BusyError  # with every probe, which a unit that is never tested need not carry

    try:
        return next(rest, None), ""
    except BusyError as error:
        return None, str(error)


def _told(paper: Paper, path: Path) -> dict[str, Any]:
    made = report.read(paper.rec.encode())
    return {
        "unit": made.unit,
        "state": made.state,
        "fingerprint": paper.fingerprint,
        "file": str(path),
        "qr": qr_code(f"Roadproof report {made.unit} {paper.fingerprint}"),
    }
