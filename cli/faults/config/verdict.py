"""What a start decides about a settings file, judged: on the file's settings and said so where they changed, or on the last good ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cli import daemon
from cli.errors import UsageError
from cli.faults.tally import EXAMPLES, Tally
from firmware import config as configs
from firmware.clock import Clock
from firmware.config import Config, SettingsError
from firmware.diary import Diary
from firmware.status import StatusBoard


class Notes(Diary):
    """Remembers the events instead of writing them."""

    def __init__(self, status: StatusBoard) -> None:
        super().__init__(unit="", boot="", clock=Clock(), status=status)
        self.noted: dict[str, dict[str, Any]] = {}

    def note(self, event: str, data: dict[str, Any] | None = None) -> None:
        """Remember it."""
        self.noted[event] = data or {}


class Parts:
    """In the place of the daemon: takes the settings, and builds nothing of them."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.status = StatusBoard()
        self.diary = Notes(self.status)


class Judge:
    """Lets the product decide about one damaged file after the other, and counts."""

    def __init__(self, path: Path) -> None:
        self.tally = Tally(harm="config", faults=0, lost=0, corrupt=0, tracebacks=0)
        self.refused = self.edits = self.harmless = 0
        self._path = path
        self._good = configs.load(path)
        configs.keep_good(path, self._good)
        self._copy = configs.good_copy(path)
        self._kept = self._copy.read_bytes()

    def judge(self, content: bytes, what: str) -> None:
        """Start on a file with this content after a good start, and count what became of it."""
        self._path.write_bytes(content)
        self._count("faults")
        try:
            started = daemon.started(self._path, Parts)
            self._check_sentences()
        except UsageError as error:
            self._count("lost", f"{what}: it does not start: {error}")
        except Exception as error:  # noqa: BLE001  whatever else it is, a technician would see a traceback
            self._count("tracebacks", f"{what}: {error!r}")
        else:
            if not self._is_right(started):
                self._count("corrupt", f"{what}: it starts on other settings and says nothing of it")
        if self._copy.read_bytes() != self._kept:  # an edit that was taken: the next damage meets the same van as this one
            self._copy.write_bytes(self._kept)

    def judge_copy(self, kept: bytes, what: str) -> None:
        """A damaged copy of the last good settings gives those settings, or none."""
        self._copy.write_bytes(kept)
        self._count("faults")
        try:
            if configs.load_good(self._path) not in {None, self._good}:
                self._count("corrupt", f"{what}: the damaged copy gives other settings than the good ones")
        except Exception as error:  # noqa: BLE001  as above
            self._count("tracebacks", f"{what}: {error!r}")
        self._copy.write_bytes(self._kept)

    @property
    def kept(self) -> bytes:
        """The undamaged copy of the last good settings."""
        return self._kept

    def _check_sentences(self) -> None:
        """What `roadproof config check` would say: each fault one line that names the file."""
        try:
            configs.load(self._path)
        except SettingsError as error:
            if not error.faults or any("\n" in fault or str(self._path) not in fault for fault in error.faults):
                self._count("corrupt", f"a fault is not one sentence about the file: {error.faults}")

    def _is_right(self, started: Parts) -> bool:
        noted = started.diary.noted
        if started.status.snapshot().settings:
            self.refused += 1
            return started.config == self._good and bool(noted.get("config.refused", {}).get("faults"))
        differ = differing(msgspec.to_builtins(self._good), msgspec.to_builtins(started.config))
        self.harmless += not differ
        self.edits += bool(differ)
        return differ <= set(noted.get("config.changed", {}).get("settings", ()))

    def _count(self, field: str, example: str | None = None) -> None:
        setattr(self.tally, field, getattr(self.tally, field) + 1)
        self.tally.examples += [example] if example and len(self.tally.examples) < EXAMPLES else []


def differing(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = "") -> set[str]:
    """The keys whose values differ."""
    found = set[str]()
    for key, old in before.items():
        new = after[key]
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found |= differing(old, new, f"{prefix}{key}.")
        elif old != new:
            found.add(prefix + key)
    return found
