"""A real mosquitto on a free loopback port, with hands: start, stop, kill."""

from __future__ import annotations

import getpass
import itertools
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mqtt.login import BrokerSettings
from tests.eventually import eventually

MOSQUITTO = shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin")))

# Below net.ipv4.ip_local_port_range: between the question and the use of a port no connection or server of anybody takes it.
PORTS = range(20_000, 32_000)
WORKERS = 8
PORTS_A_WORKER = len(PORTS) // WORKERS


def _ports() -> Iterator[int]:
    """Every port of this process, again and again; it begins anywhere, for other processes may run these tests too."""
    first = PORTS.start + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS * PORTS_A_WORKER
    for n in itertools.count(os.getpid() * 97):
        yield first + n % PORTS_A_WORKER


_own_ports = _ports()


def free_port() -> int:
    """A loopback port that nobody listens on now, and that the system gives nobody who asks it for any port."""
    for port in itertools.islice(_own_ports, PORTS_A_WORKER):
        with suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            return port
    raise AssertionError("every port of these tests is taken")


def is_open(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True


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
            return is_open(self.port)

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
