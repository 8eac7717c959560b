"""`roadproof fleet authority`: the server where units enrol and renew."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from cli.errors import UsageError
from cli.words import Commands, add

log = logging.getLogger(__name__)

FLEET = Path("/var/lib/roadproof-authority")


def add_commands(group: Commands) -> None:
    """Add authority."""
    example = "roadproof fleet authority --fleet /var/lib/roadproof-authority"
    command = add(group, "authority", run_authority, "serve enrolment and renewal to units (EST, RFC 7030), until SIGTERM", example)
    command.add_argument("--fleet", metavar="FOLDER", type=Path, default=FLEET, help=f"the fleet's folder (default {FLEET})")
    command.add_argument(
        "--port", type=_port, help="where to listen, if not at the port that units are told (behind a router that maps it)"
    )
    command.add_argument("--listen", metavar="ADDRESS", default="", help="one address of this machine to listen on (default: all)")
    command.add_argument("--json", action="store_true", help="say in one line of JSON where it listens, for programs")


def run_authority(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C; renew once a day what runs out. 1 when the server ends by itself."""
    from provisioning.authority import FleetError
    from provisioning.authority.folder import Fleet
    from provisioning.est.server import Server
    from provisioning.est.upkeep import LOOK_S, Upkeep

    logging.getLogger().setLevel(logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        fleet = Fleet.open(arguments.fleet)
        server = Server(fleet, fleet.settings.est.port if arguments.port is None else arguments.port, address=arguments.listen)
    except FleetError as error:
        raise UsageError(str(error)) from None
    _tell(server.port, as_json=arguments.json)
    upkeep = Upkeep(fleet, server, time.monotonic)
    with ThreadPoolExecutor(1, "est") as threads:
        serving = threads.submit(server.serve)
        serving.add_done_callback(lambda _: stop.set())
        while not stop.is_set():
            upkeep.step()
            stop.wait(LOOK_S)
        ended = serving.done()
        server.stop()
    fleet.close()
    return _failed(serving) if ended else 0


def _failed(serving: Future[None]) -> int:
    log.error("the server has ended by itself", exc_info=serving.exception())
    return 1


def _tell(port: int, *, as_json: bool) -> None:
    print(json.dumps({"port": port}) if as_json else f"units enrol and renew at port {port}; Ctrl-C ends it", flush=True)


def _port(text: str) -> int:
    """A port for argparse; 0 lets the system choose."""
    port = int(text)
    if not 0 <= port < 2**16:
        raise ValueError
    return port
