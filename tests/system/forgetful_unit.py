"""A unit that says "taken" of what only its memory holds: what `faults peers` must see."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.faults.peers import record, unit
from cli.faults.peers.stage import FIRST
from firmware.journal import Appended, Draft, Journal
from mqtt.codec import TrackPoint


class ForgetfulJournal(Journal):
    """Commits the first fixes, and says so of the others too."""

    def append(
        self,
        boot: str,
        drafts: Sequence[Draft] = (),
        points: Sequence[TrackPoint] = (),
        odometer: str | None = None,
        work: Mapping[str, bytes | None] | None = None,
    ) -> Appended:
        if points and points[0].t_ms > record.point(FIRST).t_ms:
            return Appended([], [], 0)
        return super().append(boot, drafts, points, odometer, work)


if __name__ == "__main__":
    vars(unit)["Journal"] = ForgetfulJournal
    unit.main(Path(sys.argv[1]), int(sys.argv[2]))
