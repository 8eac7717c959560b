"""Our unit without a van around it: its journal and its uplink, told on stdin what was driven.

`python -m cli.faults.peers.unit FOLDER PORT`: a line "FIRST LAST" is answered by "taken" when those fixes are durable, in commits of
ten as the daemon makes them.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from pathlib import Path

from cli.faults.peers import record
from cli.faults.peers.broker import local
from cli.faults.peers.shore import UNIT
from firmware.clock import Clock, boot_id
from firmware.config import UplinkSettings
from firmware.diary import Diary
from firmware.journal import Journal
from firmware.status import Status, StatusBoard
from firmware.uplink.reports import Reports
from firmware.uplink.uplink import Uplink
from mqtt import topics
from mqtt.link import BrokerLink

QUOTA_BYTES = 1_000_000_000  # the daemon's default
COMMIT_FIXES = 10  # the daemon's ten seconds
# Not the default of a minute, nor its thinning to 5 m: the others send every record at once, and all are counted.
SETTINGS = UplinkSettings(batch_s=1)
EVERY_FIX_M = 0.0


def main(folder: Path, port: int) -> None:
    """Work until stdin ends; then leave without another word, as after a kill."""
    clock, boot = Clock(), boot_id()
    status = StatusBoard(Status(unit=UNIT))
    diary = Diary(unit=UNIT, boot=boot, clock=clock, status=status)
    journal = Journal(
        folder / "journal.db", quota_bytes=QUOTA_BYTES, keep_ms=0, utc_ms=lambda: clock.now().at_ms, tombstone=diary.tombstone
    )
    diary.open(journal)
    uplink = Uplink(
        unit=UNIT,
        boot=boot,
        link=BrokerLink(local(port), UNIT, topics.unit_filters(UNIT)),
        journal=journal,
        reports=Reports(unit=UNIT, boot=boot, firmware="peers", journal=journal, clock=clock, status=status),
        diary=diary,
        clock=clock,
        status=status,
        settings=SETTINGS,
        bound_m=EVERY_FIX_M,
    )
    threading.Thread(target=_send, args=(uplink,), daemon=True).start()
    for line in sys.stdin:
        first, last = map(int, line.split())
        for start in range(first, last + 1, COMMIT_FIXES):
            journal.append(boot, [], [record.point(number) for number in range(start, min(start + COMMIT_FIXES, last + 1))])
        print("taken", flush=True)
    os._exit(0)


def _send(uplink: Uplink) -> None:
    """A thread that fails ends the process, as the daemon's do."""
    stop = threading.Event()
    try:
        while True:
            uplink.step(stop)
    except BaseException:  # noqa: BLE001  whatever it was: seen in the log, and by the end of the process
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
