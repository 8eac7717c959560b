"""The ThingsBoard IoT gateway as a user runs it: its own program, its shipped settings, fed through its MQTT connector."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from cli.child import mortal
from cli.errors import UsageError
from cli.faults.peers import record
from cli.faults.peers.broker import Broker
from cli.faults.peers.peer import Inlet, Kind, listener
from cli.faults.peers.shore import GATEWAY_LOGIN

DEFAULT_VENV = Path.home() / ".cache/roadproof/thingsboard"
VENV_VARIABLE = "ROADPROOF_THINGSBOARD_VENV"
PROGRAM = Path("bin/thingsboard-gateway")
INSTALL = "python3 -m venv DIR && DIR/bin/pip install thingsboard-gateway==3.8.5"
DEVICE = "van-1"
# As fast as its settings let it be found to be: as many records in a message as the largest payload of a ThingsBoard holds, no pause.
TUNED = {"max_read_records_count": 333}
TUNED_GATEWAY = {"minPackSendDelayMS": 1}


def default_venv() -> Path:
    """Where it is looked for when nobody names a place."""
    return Path(os.environ.get(VENV_VARIABLE) or DEFAULT_VENV)


def missing(venv: Path) -> str:
    """Why it cannot be run, empty when it can."""
    if (venv / PROGRAM).exists():
        return ""
    return f"no ThingsBoard gateway in {venv}; name its virtual environment with --venv or {VENV_VARIABLE}, or make one with: {INSTALL}"


def kind(venv: Path, storage: str, *, tuned: bool = False) -> Kind:
    """It with one of its storages."""
    return Kind(
        f"ThingsBoard gateway, {storage}{', tuned' if tuned else ''}",
        version(venv),
        lambda kept, scratch, port: Gateway(venv, kept, scratch, port, storage, tuned=tuned),
        listener,
    )


def version(venv: Path) -> str:
    """Its own."""
    return _ask(venv, "from importlib.metadata import version; print(version('thingsboard-gateway'))")


def _ask(venv: Path, program: str) -> str:
    asked = subprocess.run([venv / "bin/python", "-c", program], capture_output=True, text=True, check=False)
    if asked.returncode:
        raise UsageError(f"the virtual environment {venv} holds no ThingsBoard gateway; make one with {INSTALL}")
    return asked.stdout.strip()


class Gateway:
    """One gateway, and the mosquitto on the unit that it takes records from.

    That mosquitto keeps what the gateway has not taken yet, also over its end: what is lost, the gateway had.
    """

    def __init__(self, venv: Path, kept: Path, scratch: Path, port: int, storage: str, *, tuned: bool) -> None:
        self._venv, self._folder = venv, kept
        self._inlet_broker = Broker(scratch / "inlet")
        self._inlet_runs = False
        self._inlet = Inlet(self._inlet_broker)
        self._settings = (port, storage, tuned)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the gateway, and before it the mosquitto that it listens to."""
        if not self._inlet_runs:
            self._inlet_broker.start()
            self._inlet_runs = True
        self._write_config()
        with (self._folder / "gateway.log").open("ab") as log:
            self._process = subprocess.Popen(
                mortal([str(self._venv / PROGRAM)]),
                cwd=self._folder,
                env={**os.environ, "TB_GW_CONFIG_DIR": str(self._folder / "config")},
                stdout=log,
                stderr=log,
            )

    def feed(self, numbers: range) -> None:
        """Hand over to the mosquitto that it listens to; taken when that keeps it for the gateway."""
        self._inlet.feed(numbers)

    def kill(self) -> None:
        """End the gateway by kill -9; the mosquitto that feeds it stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End both by kill -9."""
        self.kill()
        self._inlet.hang_up()
        self._inlet_broker.kill()
        self._inlet_runs = False

    def _write_config(self) -> None:
        """What is shipped, with the address, the storage and the connector of a user's."""
        config = self._folder / "config"
        shipped = Path(_ask(self._venv, "import thingsboard_gateway as t; print(t.__path__[0])")) / "config"
        config.mkdir(exist_ok=True)
        (self._folder / "logs").mkdir(exist_ok=True)
        shutil.copy(shipped / "logs.json", config)
        told = msgspec.json.decode((shipped / "tb_gateway.json").read_bytes())
        port, storage, tuned = self._settings
        told["thingsboard"] |= {"host": "127.0.0.1", "port": port, "security": {"type": "accessToken", "accessToken": GATEWAY_LOGIN}}
        told["storage"] |= {"type": storage}
        if tuned:
            told["storage"] |= TUNED
            told["thingsboard"] |= TUNED_GATEWAY
        told["connectors"] = [{"type": "mqtt", "name": "van", "configuration": "van.json"}]
        (config / "tb_gateway.json").write_bytes(msgspec.json.encode(told))
        (config / "van.json").write_bytes(msgspec.json.encode(connector(self._inlet_broker.port)))


def connector(port: int) -> dict[str, Any]:
    """Its MQTT connector, as its guide writes one; its session outlives it, unlike in the shipped example, so that it misses nothing."""
    fields = [
        {"type": "double" if isinstance(value, float) else "integer", "key": name, "value": f"${{{name}}}", "tsField": "ts"}
        for name, value in record.values(1).items()
        if name != "ts"
    ]
    return {
        "name": "van",
        "broker": {
            "host": "127.0.0.1",
            "port": port,
            "clientId": "gateway",
            "version": 5,
            "cleanSession": False,
            "cleanStart": False,
            "sessionExpiryInterval": 7 * 86_400,
            "security": {"type": "anonymous"},
        },
        "mapping": [
            {
                "topicFilter": record.TOPIC,
                "subscriptionQos": 1,
                "converter": {
                    "type": "json",
                    "deviceInfo": {
                        "deviceNameExpressionSource": "constant",
                        "deviceNameExpression": DEVICE,
                        "deviceProfileExpressionSource": "constant",
                        "deviceProfileExpression": "default",
                    },
                    "timeout": 60_000,
                    "attributes": [],
                    "timeseries": fields,
                },
            }
        ],
    }
