"""A process that takes proofs as the daemon does, says so, and then waits to be killed.

python -m tests.system.dying_unit FOLDER KEYS UNIT PROOFS
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from cli.road.unit import Unit
from mqtt.login import BrokerSettings
from tests.journals import points


def main(folder: Path, keys: Path, name: str, proofs: int) -> None:
    unit = Unit(name, folder, keys, BrokerSettings(host="127.0.0.1", port=9, tls=False))
    for number in range(proofs):
        unit.record(points(40, unit.clock.now().at_ms + 40_000 * number))
        for attachment in unit.hand_over([bytes([number]) * (20_000 + number)]):
            print("attachment", attachment, flush=True)
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
