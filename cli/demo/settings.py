"""The settings files of the demo's unit and receiver."""

from __future__ import annotations

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
port = {port}
tls = false

[journal]
folder = "{folder}/journal"
quota_mb = 100

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

[track]
bound_m = 0

[uplink]
batch_s = 5
live_moving_s = 2
"""
FLEET_TOML = """store = "sqlite://{folder}/fleet.db"
name = "demo-receiver"

[evidence]
root = "{folder}/keys/receiver/root.pem"
issuing = "{folder}/keys/receiver/issuing.pem"
certificate = "{folder}/keys/receiver/receiver.pem"
key = "{folder}/keys/receiver/receiver.key"
seal_key = "{folder}/keys/receiver/seal.key"
units_folder = "{folder}/keys/units"

[broker]
host = "127.0.0.1"
port = {port}
tls = false
"""
