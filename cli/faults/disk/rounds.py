"""One full card after the other, in a process that has a small file system of its own.

python -m cli.faults.disk.rounds FOLDER KEYS --seed N --sizes N

FOLDER becomes the file system; it vanishes with the process. Each size: a day is lived in a child that ends as a kill would end it; then
the unit is started on the full card; then there is room again, and every promise is looked at. Says a line of JSON, a Tally, after each.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import subprocess
import traceback
from pathlib import Path

import msgspec

from cli.faults.disk import cramped
from cli.faults.disk.cramped import PAGE_BYTES, Pipe, Told
from cli.faults.power.day import RESERVED_HERE
from cli.faults.power.examination import Examination
from cli.faults.power.promise import Promise
from cli.faults.power.unit import BEGAN_S, Keys, Now, Unit, load_keys
from cli.faults.tally import Tally
from firmware.journal import Series
from firmware.journal.look import JournalLook
from firmware.journal.numbers import BLOCK
from firmware.journal.pressure import decode_points
from mqtt import topics
from mqtt.ranges import Ranges

CARD_MB = 64
SPREAD_PAGES = 500  # the rooms that are left: none to two megabytes
LATER_S = 40_000.0
TOLD = b"told "


def main() -> None:
    """Mount, and go through the sizes."""
    parser = argparse.ArgumentParser(prog="python -m cli.faults.disk.rounds", description="A card that is full, at every size.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("keys", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--sizes", type=int, required=True)
    arguments = parser.parse_args()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={CARD_MB}m", "none", str(arguments.folder)], check=True)
    logging.disable(logging.CRITICAL)  # what the unit says of each of so many full cards is no news
    BLOCK.update(RESERVED_HERE)
    keys = load_keys(arguments.keys)
    step_pages = max(1, SPREAD_PAGES // arguments.sizes)
    for size in range(arguments.sizes):
        tally = one(arguments.folder / f"size-{size}", keys, arguments.keys, arguments.seed + size, size * step_pages * PAGE_BYTES)
        print(msgspec.json.encode(tally).decode(), flush=True)


def one(folder: Path, keys: Keys, keys_folder: Path, seed: int, free_bytes: int) -> Tally:
    """One day on a card with so many bytes left; the folder and what filled the card are gone afterwards."""
    folder.mkdir()
    tally = Tally(harm="disk", faults=1, states=0, committed=0, lost=0, corrupt=0, stored_twice=0, numbers_reused=0, tracebacks=0)
    promise = Promise()
    told = lived(folder, keys, seed, free_bytes, promise)
    if isinstance(told, str):
        _count(tally, "tracebacks", f"with {free_bytes} bytes left the day ended with {told}")
        told = Told()
    if told.proofs_refused:
        _count(tally, "lost", f"with {free_bytes} bytes left {told.proofs_refused} proofs without a picture were refused: {told.sentences}")
    _start_on_full_card(folder, keys, free_bytes, tally)
    folder.with_name("ballast").unlink(missing_ok=True)
    dropped = _allow_what_was_dropped(folder, keys, promise, frozenset(told.proofs), tally)
    tally.add(Examination(folder, keys_folder, promise.after_start()).tally())
    tally.more = {
        "proofs_on_a_full_card": len(told.proofs), "pictures_refused": told.pictures_refused, "records_refused": told.records_refused,
        "dropped_and_counted": dropped, "sentences": told.sentences,
    }  # fmt: skip
    shutil.rmtree(folder)
    return tally


def lived(folder: Path, keys: Keys, seed: int, free_bytes: int, promise: Promise) -> Told | str:
    """The day in a child of this process, which ends without closing anything; the error's words when it ended with one."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            _live_and_tell(folder, keys, seed, free_bytes, write)
        finally:
            os._exit(0)  # also when nobody listens any more: what the parent would do next is not for its child to do
    os.close(write)
    told: Told | str = "silence"
    with os.fdopen(read, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith(TOLD.decode()):
                told = msgspec.json.decode(line.removeprefix(TOLD.decode()), type=Told | str)
            else:
                promise.hear(line)
    os.waitpid(child, 0)
    return told


def _live_and_tell(folder: Path, keys: Keys, seed: int, free_bytes: int, write: int) -> None:
    try:
        said = TOLD + msgspec.json.encode(cramped.live(folder, keys, seed, free_bytes, Pipe(write)))
    except BaseException:  # noqa: BLE001  the parent counts it
        said = TOLD + msgspec.json.encode(traceback.format_exc()[-1_000:])
    with os.fdopen(write, "wb") as file:
        file.write(said)


def _start_on_full_card(folder: Path, keys: Keys, free_bytes: int, tally: Tally) -> None:
    """As the daemon starts after the kill, with no more room than there was."""
    try:
        unit = Unit(folder, keys, Now(BEGAN_S + LATER_S))
        try:
            unit.settle()
        finally:
            unit.close()
    except Exception as error:  # noqa: BLE001  a unit that does not start is what is looked for
        _count(tally, "lost", f"with {free_bytes} bytes left the unit does not start again: {type(error).__name__}: {error}")


def _allow_what_was_dropped(folder: Path, keys: Keys, promise: Promise, proofs: frozenset[int], tally: Tally) -> int:
    """Fixes and events may give way on a full card, if they were counted and their numbers are accounted for; how many did."""
    unit = Unit(folder, keys, Now(BEGAN_S + LATER_S))
    dropped = unit.journal.dropped
    allowed = {Series.SEQ: dropped.seq, Series.TSEQ: dropped.tseq}
    known = {series: unit.journal.receipted(series) for series in Series}
    issued = {series: unit.journal.issued(series) for series in Series}
    unit.close()
    present: dict[Series, set[int]] = {series: set() for series in Series}
    with JournalLook(folder / "journal.db") as look:
        for row, good in look.rows():
            series = Series.TSEQ if row.kind == topics.TRACK.kind else Series.SEQ
            known[series].add(row.number, row.last)
            if good and series is Series.TSEQ:
                present[series].update(point.tseq for point in decode_points(row))
            elif good and row.span == 1:
                present[series].add(row.number)
    for series in Series:
        missing = [number for number in promise.due(series) if number not in present[series]]
        unaccounted = known[series].missing(1, issued[series])
        if missing and (len(missing) > allowed[series] or (proofs & set(missing) and series is Series.SEQ) or unaccounted):
            _count(
                tally, "lost", f"{len(missing)} of {series} are gone, {allowed[series]} were counted, nothing accounts for {unaccounted}"
            )
        _let_go(promise, series, missing)
    return sum(allowed.values())


def _let_go(promise: Promise, series: Series, numbers: list[int]) -> None:
    gone: Ranges = promise.gone[series]
    for number in numbers:
        gone.add(number, number)


def _count(tally: Tally, field: str, sentence: str) -> None:
    setattr(tally, field, getattr(tally, field) + 1)
    tally.examples.append(sentence)


if __name__ == "__main__":
    main()
