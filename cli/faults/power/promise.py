"""What the unit has promised by a moment, heard line by line; and whether a folder still keeps it.

Published for the other harms: `Promise.hear`, `Promise.copy`, `Promise.after_start`, `broken`.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Self

import msgspec

from cli.faults.power.said import Said
from cli.faults.tally import Tally
from firmware.evidence.book import BLOB
from firmware.journal import Series
from mqtt.ranges import Ranges

OF_THE_DAEMON = ("face", "day", "load")  # pieces that a terminal rewrites at its start without being asked


class Promise:
    """Everything that must hold from now on, whenever the power goes."""

    def __init__(self) -> None:
        self.log = ""  # the journal's name, empty as long as nothing was saved
        self.given: dict[Series, dict[int, str]] = {series: {} for series in Series}  # every number, and the content it was given to
        self.receipted = {series: Ranges() for series in Series}  # the receiver may count as holding these
        self.gone = {series: Ranges() for series in Series}  # these may have left the card, or their place
        self.aside: dict[Series, set[int]] = {series: set() for series in Series}
        self.pieces: dict[str, set[str | None]] = {}  # what each may be; None: not there
        self.kept = set[str]()  # attachments that must be on the card, named or not
        self.let_go = set[str]()  # attachments that may be missing
        self.chain = 0
        self.session = 0
        self.reused = 0  # numbers that were said to be saved twice

    def hear(self, line: str) -> None:
        """Take one line of the day."""
        said = msgspec.json.decode(line, type=Said)
        self.log = said.log if said.log and any(said.saved.values()) else self.log
        for name, saved in said.saved.items():
            given = self.given[Series(name)]
            self.reused += sum(number in given for number in saved)
            given |= saved
        for name, content in said.trying.items():
            self.pieces.setdefault(name, {None}).add(content)
        self.pieces |= {name: {content} for name, content in said.pieces.items()}
        for told, heard in ((said.receipted, self.receipted), (said.may_go, self.gone)):
            for name, spans in told.items():
                for first, last in spans:
                    heard[Series(name)].add(first, last)
        for name, numbers in said.aside.items():
            self.aside[Series(name)].update(numbers)
        self.kept.update(said.kept)
        self.kept.difference_update(said.attachments_may_go)
        self.let_go.update(said.attachments_may_go)
        self.chain = max(self.chain, said.chain)
        self.session = max(self.session, said.session)

    def due(self, series: Series) -> dict[int, str]:
        """The records that must be on the card, by number, with their content."""
        return {number: content for number, content in self.given[series].items() if number not in self.gone[series]}

    def top(self, series: Series) -> int:
        """The highest number that was given to a record."""
        return max(self.given[series], default=0)

    def copy(self) -> Self:
        """The same, independent of what is heard from now on."""
        return deepcopy(self)

    def after_start(self) -> Self:
        """What must still hold when a daemon has run on the folder: it sweeps up what nothing names, and draws its page.

        A photo that was let go of, and whose file the cut left, it sends once more where the receipt of its record was cut off as well.
        """
        left = self.copy()
        left.kept.clear()
        left.pieces = {
            name: content
            for name, content in left.pieces.items()
            if name not in OF_THE_DAEMON and not (name.startswith(BLOB) and None in content)
        }
        return left


def broken(folder: Path, keys: Path, promise: Promise) -> Tally:
    """Open the folder as the daemon does at its start, check every promise, and go on with one record of each kind.

    The folder must belong to nobody and be a throw-away copy: it is written to. `committed` of the tally is what had to be there.
    """
    from cli.faults.power.examination import Examination

    return Examination(folder, keys, promise).tally()
