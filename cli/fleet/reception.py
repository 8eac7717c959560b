"""`roadproof fleet receive`: the receiver as a program."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from pathlib import Path

from cli.fleet.place import read_settings
from cli.words import Commands, add
from fleet.store import StoreError
from mqtt.evidence import EvidenceError


def add_commands(group: Commands) -> None:
    """Add receive."""
    receive = add(group, "receive", run_receive, "store what units send, and send receipts", "roadproof fleet receive --config fleet.toml")
    receive.add_argument("--config", metavar="FILE", required=True, type=Path, help="settings: [broker] and store")


def run_receive(arguments: argparse.Namespace) -> int:
    """Run a receiver until SIGTERM or Ctrl-C."""
    from fleet.receiver import receive

    wanted = read_settings(arguments.config)
    logging.getLogger().setLevel(logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        receive(wanted, stop)
    except (StoreError, EvidenceError) as error:
        logging.getLogger(__name__).error("%s", error)  # noqa: TRY400  a sentence, not a traceback
        return 1
    return 0
