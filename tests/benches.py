"""A unit on a technician's bench: probes that find what they are told, and the real inspection and report behind them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from drivers.hardware import Hardware
from firmware.clock import Clock
from firmware.selftest.commissioning import EVENT, Commissioning, Papers
from firmware.selftest.finding import KEYS, Finding, Key, Prompt, Touch
from firmware.selftest.selftest import BusyError
from firmware.status import Status
from firmware.terminal.inspection import Inspection
from mqtt.evidence import report
from mqtt.evidence.report import Paper
from tests.journals import BOOT
from tests.proofs import KEPT, UNIT, Keys, keys_of_the_session

MACHINE = Hardware(model="Raspberry Pi 5", serial="10000000abc", revision="c04170", memory_mb=4096, system="Debian 13", kernel="6.12")


class Probes:
    """Find what is in `found`, and that every other part works."""

    def __init__(self) -> None:
        self.runs = 0
        self.busy = False
        self.measured: Touch | None = None
        self.prompts: dict[str, Prompt] = {}
        self.found: dict[str, Finding] = {"touch": Finding("touch", "skipped", "Touch is tested on the screen.", {}, 0)}

    def run(  # as firmware/selftest has it
        self,
        only: Sequence[Key] | None = None,  # noqa: ARG002
        wait: Callable[[float], bool] | None = None,  # noqa: ARG002
        *,
        hands: bool = False,
    ) -> Generator[Finding | Prompt, None, None]:
        if self.busy:
            raise BusyError("Another self-test is running.")
        self.runs += 1
        for key in KEYS:
            if hands and key in self.prompts:
                yield self.prompts[key]
            yield self.found.get(key) or Finding(key, "ok", f"{key} was tested.", {"n": self.runs}, 3)

    def touched(self, touch: Touch) -> Finding:
        self.measured = touch
        return Finding("touch", "ok", "Every target was hit.", {"hit": touch.hit}, 0)


class Fleet:
    """What the diary was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, str]]] = []

    def note(self, event: str, data: dict[str, str]) -> None:
        self.told.append((event, data))


class Bench:
    """A unit on the technician's bench."""

    def __init__(self, folder: Path = Path(KEPT.name)) -> None:
        self.keys: Keys = keys_of_the_session()
        self.tests, self.fleet = Probes(), Fleet()
        self.status = Status(unit=UNIT)
        self.folder = folder / "reports"
        self.papers: Papers | None = Papers(
            signer=lambda: self.keys.signer,
            certificate=self.keys.folder / "unit/unit.pem",
            issuing=self.keys.folder / "unit/issuing.pem",
        )
        self.inspection = Inspection(tests=lambda: self.tests, commissioning=self.commissioning, status=lambda: self.status)
        self.stop = threading.Event()

    def commissioning(self) -> Commissioning:
        return Commissioning(
            unit=UNIT, vehicle="van-1", boot=BOOT, firmware="0.1.0", papers=self.papers, clock=Clock(), status=lambda: self.status,
            diary=self.fleet, folder=self.folder, seen=lambda: MACHINE,
        )  # fmt: skip

    def reset(self) -> None:
        """As it was made."""
        self.tests.found, self.tests.measured, self.tests.runs = Probes().found, None, 0
        self.status = Status(unit=UNIT)
        self.inspection._found, self.inspection._told = {}, None

    def step(self, parts: int = 1) -> None:
        """Test so many parts of a run under way."""
        for _ in range(parts):
            self.inspection.step(self.stop)

    def end(self) -> None:
        """Test the rest of them."""
        while self.inspection.state()["running"]:
            self.step()

    def run(self) -> list[dict[str, Any]]:
        """Everything, to its end."""
        assert self.inspection.start() is None
        self.end()
        found: list[dict[str, Any]] = self.inspection.state()["findings"]
        return found

    def report(self) -> report.Report:
        """What the fleet can check of what it was told last."""
        event, data = self.fleet.told[-1]
        assert event == EVENT
        leaf, issuing = ((self.keys.folder / "unit" / name).read_text() for name in ("unit.pem", "issuing.pem"))
        return report.check(Paper(**data, unit=leaf, issuing=issuing), root=self.keys.authorities.root)
