"""Inside the emulated computer: a van whose receiver hangs on USB and is pulled out of it. A program: DEVICE TIME."""

from __future__ import annotations

import os
import sys
import time
import tty
from datetime import datetime

from drivers.sim.nmea import burst
from drivers.sim.van import VirtualVan

AGAIN_S = 0.1


def drive(device: str, at: datetime) -> None:
    """Write the receiver's sentences to the device once a second, from this time on, for ever; while it is not there, the van drives on."""
    van, line, due_s = VirtualVan(1, start=at), None, time.monotonic()
    while True:
        said = burst(van.step())
        due_s += 1
        try:
            line = line if line is not None else _opened(device)
            os.write(line, said)
        except BlockingIOError:  # nobody reads
            pass
        except OSError:  # pulled out
            if line is not None:
                os.close(line)
            line = None
        time.sleep(max(AGAIN_S, due_s - time.monotonic()))


def _opened(device: str) -> int:
    line = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(line)
    return line


if __name__ == "__main__":
    drive(sys.argv[1], datetime.fromisoformat(sys.argv[2]))
