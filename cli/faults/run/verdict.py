"""What the fleet holds after the storm, against what was committed on the unit and answered to the driver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from cli.faults.run.forecast import UNIT
from cli.faults.run.memory import Memory, fix_digest, record_digest
from cli.faults.run.round import Round
from cli.faults.tally import EXAMPLES, Tally
from firmware.journal import Series
from fleet import dossier, pods
from fleet.config import FleetSettings
from fleet.notary import Notary
from fleet.rows import ProofRow
from fleet.store import Store, open_store
from fleet.store.keeping import CLONED
from mqtt import settings, topics
from mqtt.evidence import EvidenceError
from mqtt.messages import Event

ALL_OF_TIME = (0, 2**53)
EVERY_RECORD = 2**31
TAKEN = CLONED.partition("{")[2].partition("}")[2]  # how the receiver says that a number came with another content


class Found(msgspec.Struct):
    """Sentences by what they are: each is one record, proof, attachment or life that is not as it must be."""

    lost: list[str] = []
    stored_twice: list[str] = []
    corrupt: list[str] = []
    numbers_reused: list[str] = []
    tracebacks: list[str] = []

    def tally(self, *, seed: int, committed: int) -> Tally:
        """Counted, with the first few of each kind."""
        sentences = [sentence for kind in Tally.NEVER for sentence in getattr(self, kind)[:EXAMPLES]]
        counts: dict[str, Any] = {kind: len(getattr(self, kind)) for kind in Tally.NEVER}
        return Tally(harm="run", seed=seed, committed=committed, examples=sentences, **counts)


def judge(found: Found, fleet: Path, memory: Memory, driver: Round) -> dict[str, int]:
    """Add to `found` what the store of these settings lacks or has too much; how much it holds, by kind. Nobody else has it open."""
    config = settings.load(fleet, FleetSettings)
    assert config.evidence is not None
    found.corrupt += memory.damaged
    found.numbers_reused += memory.reused
    if len(memory.logs) > 1:
        found.lost.append(f"the unit began a new journal: {', '.join(sorted(memory.logs))}")
    store = open_store(config.store, writing=False)
    store.open()
    try:
        fixes, records = _fixes(store), _records(store)
        for series, held in ((Series.TSEQ, fixes), (Series.SEQ, records)):
            _compare(found, series, memory.held[series], held)
        redated = _judge_store(found, store, records)
        attachments = _judge_proofs(found, store, Notary(config.evidence), driver)
    finally:
        store.close()
    return {"fixes": len(fixes), "records": len(records), "proofs": len(driver.confirmed), "attachments": attachments, "redated": redated}


def _fixes(store: Store) -> dict[int, bytes]:
    return {point.tseq: fix_digest(point) for point in store.fixes(UNIT, *ALL_OF_TIME)}


def _records(store: Store) -> dict[int, bytes]:
    return {row.number: record_digest(row.kind, row.payload) for row in store.events(UNIT, EVERY_RECORD) if row.span == 1}


def _compare(found: Found, series: Series, committed: Mapping[int, bytes], held: Mapping[int, bytes]) -> None:
    """Every number from 1 to the highest that was committed: also those that no look saw must be there."""
    for number in range(1, max(committed, default=0) + 1):
        name = f"{series.value} {number}"
        if number not in held:
            found.lost.append(f"{name} was committed, and is not in the fleet's store")
        elif held[number] != committed.get(number, held[number]):
            found.corrupt.append(f"{name} in the fleet's store is not what was committed")


def _judge_store(found: Found, store: Store, records: Mapping[int, bytes]) -> int:
    """What was refused, and what is there twice; how many events came with two times, which is no fault (Journal.redate)."""
    counts = store.counts(UNIT)
    found.stored_twice += [f"{counts.stored_twice} records are stored under more than one number"] * counts.stored_twice
    redated = 0
    for row in store.refused():
        if not row.reason.endswith(TAKEN):
            found.corrupt.append(f"{row.topic} was refused by the receiver: {row.reason}")
        elif row.topic == topics.EVENT.topic(UNIT) and _is_redated(row.payload, records):
            redated += 1
        else:
            found.numbers_reused.append(f"{row.topic} came with a number that is taken: {row.payload[:200]!r}")
    return redated


def _is_redated(payload: bytes, records: Mapping[int, bytes]) -> bool:
    """Whether the event that is stored under its number is the same one."""
    event = msgspec.json.decode(payload, type=Event)
    return records.get(event.seq) == record_digest(topics.EVENT.kind, payload)


def _judge_proofs(found: Found, store: Store, notary: Notary, driver: Round) -> int:
    """Each confirmed stop has one good proof with all that it names; how many attachments are whole."""
    rows = store.proofs(UNIT)
    stops = Counter(row.stop for row in rows)
    found.lost += [
        f"the proof of stop {stop} was confirmed, and is not in the fleet's store" for stop in driver.confirmed if not stops[stop]
    ]
    found.stored_twice += [f"stop {stop} has {count} proofs" for stop, count in stops.items() if count > 1]
    found.lost += [f"a step was answered with ok, and the next one was not possible: {sentence}" for sentence in driver.refused]
    whole = sum(_attachments(found, store, notary, row) for row in rows)
    with suppress(EvidenceError):  # a record that is not good is told of above
        found.corrupt += [f"the chain: {one.text}" for stream in pods.streams(store, notary, UNIT) for one in stream.findings]
    return whole


def _attachments(found: Found, store: Store, notary: Notary, row: ProofRow) -> int:
    """How many of a proof's are whole: opened, and what the record answers for."""
    try:
        held = dossier.gather(store, notary, row).attachments
    except EvidenceError as error:
        found.corrupt.append(f"the proof of stop {row.stop} is not good: {error}")
        return 0
    found.lost += [f"the {one.told.kind} of stop {row.stop} is not in the fleet's store" for one in held if one.data is None]
    found.lost += [f"the proof of stop {row.stop} has no {kind}" for kind in _without(one.told.kind for one in held)]
    return sum(one.data is not None for one in held)


def _without(kinds: Iterator[str]) -> set[str]:
    return {"photo", "signature"} - set(kinds)
