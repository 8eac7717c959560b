"""A process of its own that owns a journal: says each number after `append` returned, until it is killed.

python -m tests.system.journal_child FOLDER write|full|open [PROOF_BYTES]
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from firmware.journal import JournalError, JournalFullError, Series
from mqtt.ranges import Ranges
from tests.journals import BOOT, event, open_journal, points, proof


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def write(folder: Path) -> None:
    """Append for ever, acknowledging now and then, as a daemon does."""
    chance = random.Random()
    journal = open_journal(folder)
    say("log", journal.log)
    while True:
        appended = journal.append(BOOT, [event(log=journal.log)] * chance.randrange(3), points(chance.randrange(12)))
        say("has", *appended.seqs, "|", *appended.tseqs)
        if chance.random() < 0.1:
            journal.acknowledge(Series.TSEQ, Ranges([(1, max(1, journal.issued(Series.TSEQ) // 2))]))
        if chance.random() < 0.05:
            journal.next_session(5)


def fill(folder: Path, proof_bytes: int) -> None:
    """Fill the disk with proofs, then say how the next small one fares."""
    journal = open_journal(folder)
    say("reserve", journal._commits._reserve.held)
    count = 0
    try:
        while True:
            journal.append(BOOT, [proof(proof_bytes)])
            count += 1
            if not journal._commits._reserve.held:
                say("released", count)
    except JournalFullError as error:
        say("full", count, error)
    say("small", journal.append(BOOT, [proof(300)]).seqs[0])
    journal.close()


def main(folder: Path, act: str, *more: str) -> int:
    try:
        match act:
            case "write":
                write(folder)
            case "full":
                fill(folder, int(more[0]))
            case _:
                open_journal(folder).close()
                say("opened")
    except JournalError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
