"""Each case lived through three starts, and what is on the card afterwards compared with the true time."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import msgspec
from rich.progress import Progress

from cli.faults.clock.drive import Time, Unit
from cli.faults.clock.wrong import Wrong, chosen
from cli.faults.power.unit import Keys, load_keys, make_keys
from cli.faults.scratch import scratch
from cli.faults.tally import EXAMPLES, Tally
from firmware.clock import GOOD_SOURCES
from firmware.journal import Row, Series
from firmware.journal.look import JournalLook
from firmware.journal.pressure import decode_points
from firmware.journal.reserve import RESERVE_BYTES
from mqtt import topics
from mqtt.evidence.chain import Signed, read_record
from mqtt.messages import Event, Pod

STARTS = 3
RIGHT_MS = 1_100  # a whole second of the serial line's burst, and rounding


class Record(msgspec.Struct, frozen=True):
    """An event or a proof as it stands on the card."""

    number: int
    kind: str
    boot: str
    mono_ms: int
    at_ms: int
    src: str
    chain: int = 0


def meet(*, cases: int, seed: int, progress: Progress) -> Tally:
    """Live through so many cases."""
    begun_s = time.monotonic()
    total = Tally(harm="clock", seed=seed, faults=0)
    marks = Counter[str]()
    with scratch("clock") as folder:
        make_keys(folder / "keys")
        keys = load_keys(folder / "keys")
        for wrong in progress.track(chosen(cases, seed), description="wrong times"):
            case = Case(folder / "unit", keys, wrong)
            total.add(case.lived())
            marks.update(case.marks)
            shutil.rmtree(folder / "unit")
    total.more = {"dated_by": dict(marks)}
    total.seconds = round(time.monotonic() - begun_s, 1)
    return total


class Case:
    """One case, and what came of it."""

    def __init__(self, folder: Path, keys: Keys, wrong: Wrong) -> None:
        self._folder = folder
        self._keys = keys
        self._wrong = wrong
        self._times = dict[str, Time]()
        self._tally = Tally(
            harm="clock", faults=1, states=STARTS, committed=0, lost=0, stored_twice=0, corrupt=0, numbers_reused=0, tracebacks=0
        )
        self.marks = Counter[str]()

    def lived(self) -> Tally:
        """Three starts of the unit, one after the other; then every record is looked at."""
        self._folder.mkdir()
        with (self._folder / "reserve").open("wb") as file:  # there already: to take it would be most of the work
            file.truncate(RESERVE_BYTES)
        sessions, before = list[int](), dict[tuple[Series, int], bytes]()
        for start in range(STARTS):
            try:
                sessions.append(self._start(start))
            except Exception as error:  # noqa: BLE001  whatever it raises, a daemon would have ended with it
                self._count("tracebacks", f"start {start + 1} ended with {type(error).__name__}: {error}")
            after = {(_series(row), row.number): row.payload for row in self._rows()}
            self._count("lost", "records are gone", sum(key not in after for key in before))
            self._count("numbers_reused", "records are others than before", sum(after.get(key, old) != old for key, old in before.items()))
            before = after
        self._count("numbers_reused", f"sessions {sessions}", sum(later <= earlier for earlier, later in pairwise(sessions)))
        self._tally.committed = len(before)
        self._check_fixes()
        self._check_records([_record(row) for row in self._rows() if row.kind != topics.TRACK.kind])
        return self._tally

    def _start(self, start: int) -> int:
        unit = Unit(self._folder, self._keys, self._wrong, start)
        self._times[unit.boot] = unit.time
        try:
            return unit.drive()
        finally:
            unit.journal.close()

    def _check_fixes(self) -> None:
        """In order, each at the time it had, none twice."""
        for boot, of_boot in self._times.items():
            fixes = [fix for row in self._rows() if row.kind == topics.TRACK.kind and row.boot == boot for fix in decode_points(row)]
            disorder = sum(later.t_ms <= earlier.t_ms for earlier, later in pairwise(fixes))
            self._count("corrupt", "fixes are not in order", disorder)
            first_ms, last_ms = (of_boot.true_s(mono_s) * 1000 for mono_s in (0.0, of_boot.mono_s))
            astray = [fix for fix in fixes if not first_ms - RIGHT_MS <= fix.t_ms <= last_ms + RIGHT_MS]
            self._count("corrupt", f"fixes are dated wrongly, {astray[0].t_ms if astray else 0}", len(astray))

    def _check_records(self, records: list[Record]) -> None:
        """In the order of their numbers; dated rightly, or marked as unsure."""
        for boot, of_boot in self._times.items():
            own = [record for record in records if record.boot == boot]
            for kind in (topics.EVENT.kind, topics.POD.kind):
                of_kind = [record for record in own if record.kind == kind]
                disorder = sum(later.mono_ms < earlier.mono_ms for earlier, later in pairwise(of_kind))
                self._count("corrupt", f"{kind}s are not in order", disorder)
            for record in own:
                self.marks[record.src] += 1
                error_ms = abs(record.at_ms - of_boot.true_s(record.mono_ms / 1000) * 1000)
                if record.src in GOOD_SOURCES and error_ms > RIGHT_MS:
                    self._count("corrupt", f"{record.kind} {record.number} is wrong by {error_ms:.0f} ms and says {record.src}")
            self._check_redated(own)
        chain = [record.chain for record in records if record.kind == topics.POD.kind]
        self._count("numbers_reused", f"the chain is {chain[:20]}", sum(later != earlier + 1 for earlier, later in pairwise(chain)))

    def _check_redated(self, own: list[Record]) -> None:
        """Once the time was known, no event of that start is left with an unsure one."""
        events = [record for record in own if record.kind == topics.EVENT.kind]
        proofs = [record for record in own if record.kind == topics.POD.kind]
        if proofs and proofs[-1].src in GOOD_SOURCES:
            left = [record.number for record in events if record.src not in GOOD_SOURCES and record.mono_ms < proofs[-1].mono_ms]
            self._count("corrupt", f"events {left[:3]} were never given the time that became known", len(left))

    def _rows(self) -> list[Row]:
        with JournalLook(self._folder / "journal.db") as look:
            return [row for row, good in look.rows() if good]

    def _count(self, field: str, sentence: str, times: int = 1) -> None:
        if times:
            setattr(self._tally, field, getattr(self._tally, field) + times)
            self._tally.examples = [*self._tally.examples, f"{self._wrong}: {sentence}"][:EXAMPLES]


def _series(row: Row) -> Series:
    return Series.TSEQ if row.kind == topics.TRACK.kind else Series.SEQ


def _record(row: Row) -> Record:
    if row.kind == topics.EVENT.kind:
        event = msgspec.json.decode(row.payload, type=Event)
        return Record(row.number, row.kind, event.boot, event.mono_ms, _ms(event.t), event.src)
    pod = msgspec.json.decode(row.payload, type=Pod)
    told = read_record(Signed(rec=pod.rec, jws=pod.jws))
    return Record(row.number, row.kind, row.boot, told.t.mono_ms, _ms(told.t.wall), told.t.src, told.seq)


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
