"""paho as most people use it: publish, and let the client's own queue keep what cannot leave.

`python -m cli.faults.peers.loop FOLDER PORT`: a line "FIRST LAST" is answered by "taken" when `publish` returned for each.
"""

from __future__ import annotations

import os
import sys

from cli.bench.bare import Queueing
from cli.faults.peers import record


def main(port: int) -> None:
    """Work until stdin ends."""
    client = Queueing(port)
    for line in sys.stdin:
        first, last = map(int, line.split())
        for number in range(first, last + 1):
            client.publish(record.TOPIC, record.message(number))
        print("taken", flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[2]))
