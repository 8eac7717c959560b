"""A program that is killed and started again."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cli.child import mortal

TRACEBACK = b"Traceback (most recent call last)"
KEPT_LOGS = 20  # of lives that ended badly; of all others only the present one is kept
END_S = 30.0  # what an orderly end may take


class Actor:
    """One of unit, broker and receiver. What it wrote is looked through at the end of each life, and kept when it complained."""

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        self.name = name
        self.complaints: list[str] = []  # a sentence for each life that ended as none should
        self._command = list(command)
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether it is alive."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """Of its present life, 0 before the first."""
        return self._child.pid if self._child else 0

    def start(self) -> None:
        """Begin a life; does not wait until it is ready."""
        with self._log.open("wb") as log:
            # An own session: Ctrl-C reaches the storm alone, which then ends everything.
            self._child = subprocess.Popen(mortal(self._command), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        if self._child is None:
            return
        if self._child.poll() is not None:
            self._complain(f"the {self.name} ended by itself, code {self._child.returncode}: {self.last_words}")
        self._child.kill()
        self._child.wait()
        self._bury()

    def end(self) -> None:
        """Ask it to end in order."""
        if self._child is None:
            return
        self._child.send_signal(signal.SIGTERM)
        try:
            code = self._child.wait(END_S)
        except subprocess.TimeoutExpired:
            self._complain(f"the {self.name} does not end when it is asked to")
            self.kill()
            return
        if code:
            self._complain(f"the {self.name} ended with code {code}: {self.last_words}")
        self._bury()

    @property
    def last_words(self) -> str:
        """The last line that it wrote."""
        told = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return told[-1] if told else "it said nothing"

    @property
    def _log(self) -> Path:
        return self._folder / f"{self.name}.log"

    def _bury(self) -> None:
        self._child = None
        told = self._log.read_bytes()
        if TRACEBACK in told:
            self._complain(f"the {self.name} wrote a traceback: {self.last_words}")

    def _complain(self, sentence: str) -> None:
        self.complaints.append(sentence)
        if len(self.complaints) <= KEPT_LOGS:
            self._log.replace(self._folder / f"{self.name}-{len(self.complaints)}.log")
            self._log.touch()
