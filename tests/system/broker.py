"""A real mosquitto on a free loopback port, with hands: start, stop, kill."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from pathlib import Path

from mqtt.login import BrokerSettings
from tests.eventually import eventually

MOSQUITTO = shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin")))


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Mosquitto:
    """One broker; the same port, and the same store if it has one, at every start."""

    def __init__(self, folder: Path, *, persistence: Path | None = None, lines: tuple[str, ...] = ()) -> None:
        if MOSQUITTO is None:
            raise FileNotFoundError("mosquitto is not installed: apt-get install mosquitto")
        self.port = free_port()
        self.log = folder / "mosquitto.log"
        self._config = folder / "mosquitto.conf"
        store = ("persistence true", f"persistence_location {persistence}/") if persistence else ("persistence false",)
        own = (f"listener {self.port} 127.0.0.1", "allow_anonymous true", f"user {getpass.getuser()}", "log_type all")
        self._config.write_text("\n".join((*own, *store, *lines, "")), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> BrokerSettings:
        """How to reach it."""
        return BrokerSettings(host="127.0.0.1", port=self.port, tls=False)

    def start(self) -> None:
        """Start, and wait until it answers."""
        assert MOSQUITTO is not None
        with self.log.open("ab") as log:
            process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stdout=log, stderr=log)
        self._process = process

        def answers() -> bool:
            assert process.poll() is None, f"mosquitto ended at its start: {self.log.read_text(errors='replace')[-500:]}"
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
            except OSError:
                return False
            return True

        eventually(answers)

    def stop(self) -> None:
        """SIGTERM: it writes its store, if it has one."""
        self._end(kill=False)

    def kill(self) -> None:
        """SIGKILL: what it did not write is gone."""
        self._end(kill=True)

    def restart(self, *, kill: bool = False) -> None:
        """End it and start it again on the same port."""
        self._end(kill=kill)
        self.start()

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        process.wait(10)
