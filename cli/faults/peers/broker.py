"""A mosquitto with hands: start, kill -9, start again on the same port and the same store."""

from __future__ import annotations

import getpass
import subprocess
import time
from pathlib import Path

from cli import mosquitto
from cli.child import mortal
from cli.errors import UsageError
from mqtt.login import BrokerSettings

START_S = 10.0
LOOK_S = 0.02
# Every setting in favour of who hands his records to a mosquitto: nothing is dropped for its number (1,000 by default), and the store is
# written at every change instead of every half an hour. The window stays at its default of 20, which is ours too.
KEEPING = ("persistence true", "autosave_on_changes true", "autosave_interval 1")
LIMITLESS = "max_queued_messages 0"


class Broker:
    """One broker and its store."""

    def __init__(self, folder: Path, *lines: str, rules: str = "", keeps: bool = True) -> None:
        """`lines` are further settings, `rules` who may read and write what, as mosquitto's acl_file says it."""
        self._program = installed()
        self._folder = folder
        self.port = mosquitto.free_port()
        self._lines, self._rules = (LIMITLESS, *(KEEPING if keeps else ()), *lines), rules
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> BrokerSettings:
        """How to reach it."""
        return local(self.port)

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        own = (
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            f"user {getpass.getuser()}",
            f"persistence_location {self._folder}/",
        )
        config, rules = self._folder / "mosquitto.conf", self._folder / "acl"
        config.write_text("\n".join((*own, *self._lines, *self._ruled(rules), "")), encoding="utf-8")
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(mortal([self._program, "-c", str(config)]), stdout=log, stderr=log)
        until_s = time.monotonic() + START_S
        while not mosquitto.answers(self.port):
            if self._process.poll() is not None or time.monotonic() > until_s:
                raise UsageError(f"mosquitto does not start; what it says of it is in {self._folder}/mosquitto.log")
            time.sleep(LOOK_S)

    def _ruled(self, file: Path) -> tuple[str, ...]:
        if not self._rules:
            return ()
        file.write_text(self._rules, encoding="utf-8")
        return (f"acl_file {file}",)

    def kill(self) -> None:
        """End it by kill -9: what it did not write is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def installed() -> str:
    """Where mosquitto is; UsageError when it is nowhere."""
    program = mosquitto.program()
    if program is None:
        raise UsageError("this needs a broker; install it with: sudo apt-get install mosquitto")
    return program


def version() -> str:
    """The version of mosquitto."""
    told = subprocess.run([installed(), "-h"], capture_output=True, text=True, check=False).stdout.split("\n", 1)[0]
    return told.removeprefix("mosquitto version ").strip()


def local(port: int) -> BrokerSettings:
    """A broker of this machine."""
    return BrokerSettings(host="127.0.0.1", port=port, tls=False)
