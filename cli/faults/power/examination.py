"""One folder after a power cut: whether all is there that was promised, and the unit goes on without a number given twice."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from shutil import copyfile

import msgspec

from cli.faults.power.promise import Promise
from cli.faults.power.said import digest, point_digest
from cli.faults.power.unit import BEGAN_S, BOOT, UNIT, Keys, Now, Unit, load_keys
from cli.faults.tally import EXAMPLES, Tally
from firmware.day.proof import Proof
from firmware.evidence.book import BLOB
from firmware.journal import Row, Series
from firmware.journal.look import JournalLook
from firmware.journal.pressure import decode_points
from firmware.journal.reserve import RESERVE_BYTES
from firmware.uplink.outbox import Outbox, Shipment
from mqtt import codec, topics
from mqtt.codec import TrackPoint
from mqtt.evidence import EvidenceError
from mqtt.evidence.chain import link_of
from mqtt.evidence.record import Record
from mqtt.evidence.verify import verify_record
from mqtt.messages import Pod, utc_text
from mqtt.ranges import Ranges

NAMED = re.compile(rb'enc_sha256\\*"\s*:\s*\\*"([0-9a-f]{64})')  # in a record that stands inside a record, too
BESIDE = ("journal.db.numbers", "journal.db.chain")  # what keeps numbers from being used twice when the database is lost
LATER_S = 86_400.0


class Examination:
    """Of one folder, once."""

    def __init__(self, folder: Path, keys: Path, promise: Promise) -> None:
        self._folder = folder
        self._keys = cached_keys(keys)
        self._promise = promise
        self._sound: dict[Series, dict[int, str]] = {series: {} for series in Series}  # what was due, and is there as it was saved
        due = sum(len(promise.due(series)) for series in Series)
        self._tally = Tally(
            harm="power", states=1, committed=due, lost=0, stored_twice=0, corrupt=0, numbers_reused=promise.reused, tracebacks=0
        )

    def tally(self) -> Tally:
        """Open it as it is; then open what would be left of it without its database."""
        without = self._without_database()
        self._try(self._folder, self._check)
        if self._promise.log:
            self._try(without, self._check_numbers_alone)
        return self._tally

    def _try(self, folder: Path, check: Callable[[Unit], None]) -> None:
        """Start the unit on it; whatever it raises is counted."""
        try:
            unit = Unit(folder, self._keys, Now(BEGAN_S + LATER_S))
            try:
                check(unit)
            finally:
                unit.close()
        except Exception as error:  # noqa: BLE001  a unit that does not start is what is looked for
            self._count("tracebacks", f"the unit ended with {type(error).__name__}: {error}")

    def _check(self, unit: Unit) -> None:
        self._check_records(unit)
        self._check_pieces(unit)
        self._check_attachments(unit)
        self._check_sending(unit)
        self._go_on(unit)
        if unit.journal.salvaged is not None:
            self._tally.more["called_damaged"] = 1

    def _check_numbers_alone(self, unit: Unit) -> None:
        """Under a new name numbers begin anew, and are others."""
        if unit.journal.log == self._promise.log:
            self._go_on(unit)

    def _without_database(self) -> Path:
        """A folder with the files beside the database alone."""
        folder = self._folder / "without"
        folder.mkdir()
        for name in BESIDE:
            if (self._folder / name).exists():
                copyfile(self._folder / name, folder / name)
        with (folder / "reserve").open("wb") as file:  # there already: to take it would be most of the work
            file.truncate(RESERVE_BYTES)
        return folder

    # --- what must be there

    def _check_records(self, unit: Unit) -> None:
        with JournalLook(unit.journal.path) as look:
            found = list(look.rows())
            aside = look.aside
        rows = [row for row, good in found if good]
        if len(rows) < len(found):
            self._count("corrupt", f"{len(found) - len(rows)} rows do not fit their hash", len(found) - len(rows))
        if self._promise.log and unit.journal.log != self._promise.log:
            self._count("lost", f"the journal is called {unit.journal.log}, not {self._promise.log}")
        fixes = [fix for row in rows if row.kind == topics.TRACK.kind for fix in decode_points(row)]
        others = [row for row in rows if row.kind != topics.TRACK.kind]
        self._check_series(Series.TSEQ, [(fix.tseq, point_digest(fix)) for fix in fixes])
        self._check_series(Series.SEQ, [(row.number, digest(row.payload)) for row in others])
        self._check_aside(others, aside, unit)
        self._check_chain([row for row in others if row.kind == topics.POD.kind])

    def _check_series(self, series: Series, found: list[tuple[int, str]]) -> None:
        on_card, due = dict(found), self._promise.due(series)
        self._sound[series] = {number: content for number, content in due.items() if on_card.get(number) == content}
        self._count("stored_twice", f"{series} has numbers more than once", len(found) - len(on_card))
        lost = [number for number in due if number not in on_card]
        self._count("lost", f"{series} {_some(lost)} was saved and is not there", len(lost))
        changed = [number for number, content in due.items() if on_card.get(number, content) != content]
        self._count("corrupt", f"{series} {_some(changed)} is not what was saved", len(changed))

    def _check_aside(self, events: list[Row], on_shelf: int, unit: Unit) -> None:
        numbers = self._promise.aside[Series.SEQ]
        known = unit.journal.receipted(Series.SEQ)
        for row in events:
            known.add(row.number, row.last)
        missing = [number for number in numbers if number not in known]
        self._count("lost", f"nothing accounts for seq {_some(missing)}, which was set aside", len(missing))
        self._count("lost", f"{len(numbers)} records were set aside, {on_shelf} are on the shelf", max(0, len(numbers) - on_shelf))

    def _check_chain(self, proofs: list[Row]) -> None:
        """Each signed by the unit, each number once, each behind the one before."""
        signed = dict[int, tuple[Record, str]]()
        for row in proofs:
            pod = msgspec.json.decode(row.payload, type=Pod)
            record = verified(pod.rec, pod.jws, self._keys)
            if record is None:
                self._count("corrupt", f"the proof seq {row.number} does not fit its signature")
                continue
            if record.seq in signed:
                self._count("stored_twice", f"number {record.seq} of the chain is there twice")
            signed[record.seq] = record, link_of(pod.rec, pod.jws)
        for number, (record, _) in signed.items():
            before = signed.get(number - 1)
            if before and record.prev != before[1]:
                self._count("corrupt", f"number {number} of the chain does not name the one before it")

    def _check_pieces(self, unit: Unit) -> None:
        found = {name: digest(piece) for name, piece in unit.journal.work().items()}
        for name, may_be in self._promise.pieces.items():
            if found.get(name) not in may_be:
                self._count("lost", f"the piece {name} of the work in progress is not what was saved")

    def _check_attachments(self, unit: Unit) -> None:
        """Those that were called kept; and when the orphans are gone, those that anything names."""
        spoilt = self._check_whole(unit, self._promise.kept, "was kept")
        unit.settle()
        self._check_whole(unit, _named(unit) - self._promise.let_go - spoilt, "is named")

    def _check_whole(self, unit: Unit, names: set[str], why: str) -> set[str]:
        """Which of them are not as they were."""
        spoilt = {name for name in names if not unit.attachments.is_whole(name)}
        for name in sorted(spoilt):
            if unit.attachments.size(name) is None:
                self._count("lost", f"attachment {name[:8]} {why} and is not there")
            else:
                self._count("corrupt", f"attachment {name[:8]} {why} and is not whole")
        return spoilt

    def _check_sending(self, unit: Unit) -> None:
        """What nobody has goes to the link, and is what was saved; a receiver takes it at once."""
        sent: dict[Series, dict[int, str]] = {series: {} for series in Series}
        for shipment in _shipments(unit):
            if shipment.series is Series.TSEQ:
                fixes = codec.from_columns(codec.unpack(shipment.payload).cols)
                sent[Series.TSEQ] |= {fix.tseq: point_digest(fix) for fix in fixes}
            else:
                sent[Series.SEQ][shipment.first] = digest(shipment.payload)
        for series in Series:
            had = self._promise.receipted[series]
            due = {number: content for number, content in self._sound[series].items() if number not in had}
            unsent = [number for number in due if number not in sent[series]]
            self._count("lost", f"{series} {_some(unsent)} is never sent, and nobody has it", len(unsent))
            changed = [number for number, content in due.items() if sent[series].get(number, content) != content]
            self._count("corrupt", f"{series} {_some(changed)} is sent, and is not what was saved", len(changed))

    # --- what must not be given again

    def _go_on(self, unit: Unit) -> None:
        """One more record of each kind, one more proof, one more session."""
        entry = unit.book.write([_proof()])
        appended = unit.journal.append(BOOT, [unit.diary.draft("power.on"), *entry.drafts], [_fix()], work=entry.work)
        unit.book.written(entry)
        for series, numbers in ((Series.SEQ, appended.seqs), (Series.TSEQ, appended.tseqs)):
            self._check_new(series.value, numbers[0], self._promise.top(series))
        self._check_new("number of the chain", entry.head.seq, self._promise.chain)
        self._check_new("session", unit.journal.next_session(0), self._promise.session if unit.journal.path.parent == self._folder else 0)

    def _check_new(self, what: str, given: int, before: int) -> None:
        if given <= before:
            self._count("numbers_reused", f"{what} {given} was given again, after {before}")

    def _count(self, what: str, sentence: str, times: int = 1) -> None:
        if times:
            setattr(self._tally, what, getattr(self._tally, what) + times)
            self._tally.examples = [*self._tally.examples, sentence][:EXAMPLES]


@cache
def cached_keys(folder: Path) -> Keys:
    """Read once: thousands of folders are examined with the same keys."""
    return load_keys(folder)


@cache
def verified(rec: str, jws: str, keys: Keys) -> Record | None:
    """What a signed record says, None when its signature does not fit; each is checked once."""
    by = keys.authorities
    try:
        return verify_record(rec, jws, unit=keys.unit_pem, issuing=by.issuing, root=by.root, at=utc_text(round(time.time() * 1000)))
    except EvidenceError:
        return None


def _shipments(unit: Unit) -> Iterator[Shipment]:
    """All that the uplink sends when there is a link and a receiver that answers each publish."""
    outbox = Outbox(unit.journal, unit=UNIT, batch_s=0.0)
    outbox.open(0.0, window=1, largest_bytes=None)
    while shipment := outbox.next(0.0, all_now=True):
        outbox.sent(1, shipment, 0.0)
        yield shipment
        outbox.taken(1, 0.0)
        unit.journal.acknowledge(shipment.series, Ranges([(shipment.first, shipment.last)]))
        outbox.receipted(0.0)


def _named(unit: Unit) -> set[str]:
    """Every attachment that a piece or a record on the card names."""
    pieces = unit.journal.work()
    with JournalLook(unit.journal.path) as look:
        records = [row.payload for row, good in look.rows() if good and row.kind != topics.TRACK.kind]
    by_content = {name.decode() for content in (*pieces.values(), *records) for name in NAMED.findall(content)}
    return by_content | {name.removeprefix(BLOB) for name in pieces if name.startswith(BLOB)}


def _some(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:3])) + (f" and {len(numbers) - 3} more" if len(numbers) > 3 else "")  # noqa: PLR2004


def _fix() -> TrackPoint:
    return TrackPoint(tseq=0, t_ms=round((BEGAN_S + LATER_S) * 1000), lat_e7=510_543_210, lon_e7=37_250_000)


def _proof() -> Proof:
    return Proof(
        id="00000000-0000-4000-8000-000000000001", stop_id="s-0", job=None, service="delivery", run_n=1, outcome="delivered_to_recipient",
        reason=None, recipient=None, driver="d-1", items=(), at_ms=round((BEGAN_S + LATER_S) * 1000), mono_ms=0, boot=BOOT, src="gnss",
        err_ms=50, position=None, place_m=None,
    )  # fmt: skip
