"""Who is compared: what a user would pick, and ours, each behind the same four hands."""

from __future__ import annotations

import queue
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Protocol

import msgspec

from cli.child import mortal
from cli.errors import UsageError
from cli.faults.peers import broker, record
from cli.faults.peers.broker import Broker
from cli.faults.peers.shore import Listener, Receiver, Shore
from firmware.version import VERSION
from mqtt.link import BrokerLink
from mqtt.session import LinkError, Published

TAKES_S = 60.0  # a way in that has not answered then has failed
NO_SUBSCRIBER = 16


class Peer(Protocol):
    """Takes records in, keeps them, and sends them to a broker."""

    def start(self) -> None:
        """Start what runs, on what is kept from before."""

    def feed(self, numbers: range) -> None:
        """Hand records over; when it returns its way in has taken them."""

    def kill(self) -> None:
        """End it by kill -9."""

    def close(self) -> None:
        """The same, and end what fed it."""


class Kind(msgspec.Struct, frozen=True):
    """One of them."""

    name: str
    version: str
    make: Callable[[Path, Path, int], Peer]  # the folder of what must outlive a power cut, one for the rest, the port of its broker
    shore: Callable[[Path], Shore]
    ours: bool = False


def ours(module: str = "cli.faults.peers.unit") -> Kind:
    """Our unit; `module` is what is started for it."""
    return Kind("roadproof", VERSION, partial(Program, module), Receiver, ours=True)


def paho() -> Kind:
    """The queue in memory of paho's client."""
    return Kind("paho", metadata.version("paho-mqtt"), partial(Program, "cli.faults.peers.loop"), listener)


def bridge() -> Kind:
    """A mosquitto on the unit that passes everything on to the fleet's."""
    return Kind("mosquitto bridge", broker.version(), Bridge, listener)


def listener(_: Path) -> Shore:
    """Who counts what peers deliver."""
    return Listener()


class Program:
    """A peer that is a Python module of ours, told on its stdin what to take."""

    def __init__(self, module: str, kept: Path, scratch: Path, port: int) -> None:
        self._command = [sys.executable, "-P", "-m", module, str(kept), str(port)]
        self._log = scratch / "program.log"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(mortal(self._command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)

    def feed(self, numbers: range) -> None:
        """Tell it, and hear that it took them; UsageError when it ended instead."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{numbers.start} {numbers.stop - 1}\n")
        process.stdin.flush()
        if process.stdout.readline() != "taken\n":
            raise UsageError("a peer ended while it was fed; look at what it says with --keep DIR")

    def kill(self) -> None:
        """End it by kill -9."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with process:
                process.wait()

    def close(self) -> None:
        """The same: nothing else belongs to it."""
        self.kill()


class Inlet:
    """A mosquitto that takes records on the unit, and who hands them over at QoS 1."""

    def __init__(self, local: Broker) -> None:
        self._local = local
        self._link: BrokerLink | None = None

    def feed(self, numbers: range) -> None:
        """Publish; return when the broker took each, and somebody there keeps it."""
        owed = set(numbers)
        while owed:
            try:
                owed -= self._taken(sorted(owed))
            except LinkError:
                self.hang_up()

    def hang_up(self) -> None:
        """The next feed connects again."""
        if self._link is not None:
            self._link.close()
        self._link = None

    def _taken(self, numbers: list[int]) -> set[int]:
        if self._link is None:
            self._link = BrokerLink(self._local.settings, "van", [])
            self._link.connect()
        under_way = {self._link.publish(record.TOPIC, record.message(number), 1): number for number in numbers}
        taken = set[int]()
        while under_way:
            try:
                happening = self._link.inbox.get(timeout=TAKES_S)
            except queue.Empty:
                raise UsageError("the mosquitto on the unit does not acknowledge what it is sent") from None
            if not isinstance(happening, Published):
                self.hang_up()
                break
            number = under_way.pop(happening.mid)
            if happening.reason < NO_SUBSCRIBER:
                taken.add(number)
        return taken


class Bridge:
    """A mosquitto on the unit with a bridge, everything in its favour; see also broker.KEEPING."""

    def __init__(self, kept: Path, _: Path, port: int) -> None:
        self._local = Broker(
            kept,
            "connection fleet",
            f"address 127.0.0.1:{port}",
            f"topic {record.TOPIC} out 1",
            "cleansession false",  # the default of a bridge too: what it owes stays owed
            "local_clientid bridge.local",
            "remote_clientid van-1",
            "notifications false",
            "keepalive_interval 20",  # a dead road is seen sooner than by the default 60; ours looks after 20 s as well
            "restart_timeout 1 5",  # not the default 5 to 30 s between two attempts
        )
        self._inlet = Inlet(self._local)

    def start(self) -> None:
        """Start it."""
        self._local.start()

    def feed(self, numbers: range) -> None:
        """Hand over to the mosquitto on the unit."""
        self._inlet.feed(numbers)

    def kill(self) -> None:
        """End it by kill -9."""
        self._local.kill()
        self._inlet.hang_up()

    def close(self) -> None:
        """The same: who fed it has hung up."""
        self.kill()
