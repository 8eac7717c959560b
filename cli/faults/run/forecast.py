"""What kind of storm it is to be."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec

from cli.faults.run import NAMES

UNIT = "van-017"
ROADPROOF = (sys.executable, "-P", "-m", "cli")


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """How long, how hard, and on what. The commands are those of the product; `--config FILE` is put behind them."""

    seconds: float
    seed: int
    kinds: tuple[str, ...] = NAMES
    gap_s: float = 2.0  # between two faults, on the average
    rate_hz: float = 5.0  # of the van's GNSS receiver
    patience_s: float = 400.0  # after it has blown over, for everything to be receipted: the longest back-off is 300 s
    forget_on: str = "receipt"
    postgres: str | None = None
    unit: Sequence[str] = (*ROADPROOF, "run")
    receiver: Sequence[str] = (*ROADPROOF, "fleet", "receive")


UNIT_TOML = """unit = "{unit}"
runtime_folder = "{folder}/run"
[board]
profile = "simulated"
gnss_port = "{folder}/gnss"
sim_socket = "{folder}/panel"
camera = "simulated"
scene_folder = "{folder}/scene"
[broker]
host = "127.0.0.1"
port = {road_port}
tls = false
[journal]
folder = "{folder}/journal"
keep_hours = {keep_hours}
commit_s = 1
[track]
bound_m = 0
[uplink]
batch_s = 1
live_moving_s = 2
health_s = 10
forget_on = "{forget_on}"
[terminal]
enabled = true
port = {page_port}
[evidence]
certificate = "{folder}/keys/unit/unit.pem"
key = "{folder}/keys/unit/unit.key"
issuing = "{folder}/keys/unit/issuing.pem"
root = "{folder}/keys/unit/root.pem"
receiver = "{folder}/keys/receiver/receiver.pem"
seal_to = "{folder}/keys/receiver/seal.pub"
"""
FLEET_TOML = """store = "{store}"
name = "storm-receiver"
[evidence]
root = "{folder}/keys/receiver/root.pem"
issuing = "{folder}/keys/receiver/issuing.pem"
certificate = "{folder}/keys/receiver/receiver.pem"
key = "{folder}/keys/receiver/receiver.key"
seal_key = "{folder}/keys/receiver/seal.key"
units_folder = "{folder}/keys/units"
[broker]
host = "127.0.0.1"
port = {broker_port}
tls = false
"""
# A broker that keeps what it was given, and saves it every other second; after a kill it comes back with what was true then.
BROKER_CONF = """listener {broker_port} 127.0.0.1
allow_anonymous true
user {user}
persistence true
persistence_location {folder}/broker/
autosave_interval 2
"""
