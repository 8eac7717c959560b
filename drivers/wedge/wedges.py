"""All the hand scanners of a terminal: found, opened, read together, and taken up again after they were unplugged."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from drivers.errors import PortGoneError
from drivers.gs1 import GS
from drivers.wedge.devices import HidWedge, SerialWedge
from drivers.wedge.reading import GAP_S, Reading
from drivers.wedge.settings import WedgeSettings

BY_ID = Path("/dev/input/by-id")
SERIAL_BY_ID = Path("/dev/serial/by-id")
LOOK_S = 1.0  # between two looks for scanners that were plugged in
# A keyboard that is no scanner must stay usable: the technician's. What scanners call themselves, by kind and by make.
SCANNER_WORDS = (
    "scan", "barcode", "bar_code", "symbol", "zebra", "honeywell", "datalogic", "newland", "opticon", "metrologic", "hand_held", "netum",
    "inateck", "eyoyo", "tera", "unitech", "cognex", "sunlux", "denso",
)  # fmt: skip


class Wedge(Protocol):
    """One opened scanner."""

    path: str

    @property
    def pending(self) -> bool:
        """Whether a code without its end is held."""

    def fileno(self) -> int:
        """For select."""

    def read(self) -> list[Reading]:
        """The codes that have come; PortGoneError when it was unplugged."""

    def close(self) -> None:
        """Give it back."""


class Wedges:
    """Never raises: a scanner that does not open or is pulled out is a sentence in `faults` and is tried again every second."""

    def __init__(self, settings: WedgeSettings, by_id: Path = BY_ID, serial_by_id: Path = SERIAL_BY_ID) -> None:
        self._settings = settings
        self._by_id = by_id
        self._serial_by_id = serial_by_id
        self._open: dict[str, Wedge] = {}
        self._faults: dict[str, str] = {}
        self._look_at_s = 0.0

    @property
    def wanted(self) -> bool:
        """Whether the settings name any, or ask to look for them."""
        return bool(self._settings.serial) or self._settings.usb != "none"

    @property
    def faults(self) -> tuple[str, ...]:
        """One sentence for each scanner that does not work."""
        return tuple(self._faults.values())

    @property
    def count(self) -> int:
        """How many work."""
        return len(self._open)

    def read(self, timeout_s: float) -> list[Reading]:
        """The codes that come within so long, at once when there are some."""
        self._look()
        wedges = list(self._open.values())
        if not wedges:
            return []
        wait_s = min(timeout_s, GAP_S) if any(wedge.pending for wedge in wedges) else timeout_s
        ready, _, _ = select.select(wedges, [], [], wait_s)
        return [reading for wedge in wedges if wedge in ready or wedge.pending for reading in self._read(wedge)]

    def close(self) -> None:
        """Give all of them back."""
        for wedge in self._open.values():
            wedge.close()
        self._open.clear()

    def _read(self, wedge: Wedge) -> list[Reading]:
        separator = self._settings.separator
        try:
            readings = wedge.read()
        except PortGoneError as error:
            wedge.close()
            del self._open[wedge.path]
            self._faults[wedge.path] = str(error)
            return []
        return [replace(one, text=one.text.replace(separator, GS)) for one in readings] if separator else readings

    def _look(self) -> None:
        now_s = time.monotonic()
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + LOOK_S
        serial, typing = self._serial_paths(), self._typing_paths()
        for path in serial:
            self._take(path, SerialWedge)
        for path in typing:
            self._take(path, HidWedge)
        for path in [path for path in self._faults if path not in (*serial, *typing)]:
            del self._faults[path]  # unplugged for good: no fault

    def _serial_paths(self) -> list[str]:
        """Those that are named, and a USB scanner in its serial mode: it loses no character, whatever the keyboard's language."""
        named = list(self._settings.serial)
        if self._settings.usb != "auto":
            return named
        known = {Path(path).resolve() for path in named}
        return named + [str(path) for path in _scanners_in(self._serial_by_id, "*") if path.resolve() not in known]

    def _typing_paths(self) -> list[str]:
        if self._settings.usb == "none":
            return []
        if self._settings.usb != "auto":
            return [self._settings.usb]
        return [str(path) for path in _scanners_in(self._by_id, "*-event-kbd")]

    def _take(self, path: str, kind: Callable[[str], Wedge]) -> None:
        if path in self._open:
            return
        try:
            self._open[path] = kind(path)
            self._faults.pop(path, None)
        except PortGoneError as error:
            self._faults[path] = str(error)


def _scanners_in(folder: Path, names: str) -> list[Path]:
    """The devices that call themselves a scanner."""
    devices = sorted(folder.glob(names)) if folder.is_dir() else []
    return [path for path in devices if any(word in path.name.lower() for word in SCANNER_WORDS)]
