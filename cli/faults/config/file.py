"""A settings file with every setting in it. Its folders are relative, so that what damage makes of them mostly stays inside, too."""

from __future__ import annotations

import msgspec

from firmware.config import Config

UNIT = "van-017"
NAME = "roadproof.toml"
TEXT = f"""\
# The settings of one van, every one of them said.
unit = "{UNIT}"
identity = "identity"
runtime_folder = "run"
log_level = "warning"

[board]
profile = "simulated"
gnss_port = "gnss"
gnss_baud = 9600
chrony_socket = "chrony.sock"
sim_socket = "panel"
camera = "none"
scene_folder = "scene"
scanner_serial = []
scanner_usb = "none"
scanner_separator = "|"
profile_folder = "boards"

[broker]
host = "127.0.0.1"
port = 1
tls = false
tls_ca = "ca.pem"
tls_cert = "unit.pem"
tls_key = "unit.key"
username = "{UNIT}"
password_file = "password"
keepalive_s = 60

[journal]
folder = "journal"
quota_mb = 50
keep_hours = 48
commit_s = 10

[track]
bound_m = 5.0

[uplink]
batch_s = 60
live_moving_s = 60
live_parked_s = 300
retain_last = true
health_s = 300
forget_on = "receipt"

[terminal]
enabled = true
port = 8080
language = "de"
hand = "left"
theme = "auto"
signature_dynamics = false
map_folder = "map"
px_per_mm = 6.5

[power]
stay_on_s = 1800

[evidence]
certificate = "keys/unit/unit.pem"
key = "keys/unit/unit.key"
issuing = "keys/unit/issuing.pem"
root = "keys/unit/root.pem"
receiver = "keys/receiver/receiver.pem"
seal_to = "keys/receiver/seal.pub"
"""


def stays_inside(config: Config) -> bool:
    """Whether these settings name no folder outside the one that the daemon is run in."""
    parts = (config, config.board, config.broker, config.journal, config.terminal, *((config.evidence,) if config.evidence else ()))
    named = [value for part in parts for value in msgspec.structs.astuple(part) if isinstance(value, str)]
    return not any(value.startswith(("/", "~")) or ".." in value for value in named)
