"""What the fleet holds after all the sending, against what was committed on the units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from typing import ClassVar

import msgspec

from cli.faults.tally import EXAMPLES, Tally
from cli.road.town import Town
from firmware.journal import Series
from fleet.store import Store
from mqtt.evidence import EvidenceError
from mqtt.evidence.sealing import unseal
from mqtt.topics import BLOB_CHUNK_BYTES

EVERY_RECORD = 2**31
ALL_OF_TIME = (0, 2**53)
GONE = "storage.dropped"  # what the unit says of a number whose record it has no longer


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How the sending over one road went."""

    road: str
    unit: str
    photos: Mapping[str, str]  # SHA-256 of what was taken, by the name of what is sent
    committed: Mapping[Series, int]  # the last number of each series
    cuts: int
    sessions: int  # that the unit had with the broker: each but the last was lost
    pieces: int  # of attachments, that went out
    again_bytes: int  # of them, that had gone out before
    took_s: float | None  # None: not everything arrived in time
    failure: str | None  # why the unit's uplink ended


class LinkTally(Tally, kw_only=True, omit_defaults=True):
    """Counts of this harm: it has a promise of its own."""

    again_bytes: int = 0  # of attachments, that went out more than once
    wasteful: int | None = None  # roads on which they were more than one piece of the largest size for each session that was lost

    NEVER: ClassVar[tuple[str, ...]] = (*Tally.NEVER, "wasteful")


def judge(outcomes: Sequence[Outcome], town: Town) -> LinkTally:
    """The counts of all roads together; in `more` how each went."""
    seal_key = (town.keys / "receiver" / "seal.key").read_bytes()
    found: dict[str, list[str]] = {name: [] for name in LinkTally.NEVER}
    found["tracebacks"] = ["a program of the town ended with a traceback"] * town.logs.count("Traceback (most recent call last)")
    with closing(town.store()) as store:
        for outcome in outcomes:
            found["lost"] += _lost(outcome, store)
            found["corrupt"] += _corrupt(outcome, store, seal_key)
            found["stored_twice"] += [f"{outcome.unit}: stored twice"] * store.counts(outcome.unit).stored_twice
            found["tracebacks"] += [outcome.failure] if outcome.failure else []
            found["wasteful"] += _wasteful(outcome)
    return LinkTally(
        harm="link",
        faults=sum(outcome.cuts for outcome in outcomes),
        committed=sum(sum(outcome.committed.values()) + len(outcome.photos) for outcome in outcomes),
        lost=len(found["lost"]),
        stored_twice=len(found["stored_twice"]),
        corrupt=len(found["corrupt"]),
        tracebacks=len(found["tracebacks"]),
        again_bytes=sum(outcome.again_bytes for outcome in outcomes),
        wasteful=len(found["wasteful"]),
        more={"roads": {outcome.road: _told(outcome) for outcome in outcomes}},
        examples=[sentence for sentences in found.values() for sentence in sentences][:EXAMPLES],
    )


def _lost(outcome: Outcome, store: Store) -> list[str]:
    records = {row.number for row in store.events(outcome.unit, EVERY_RECORD) if row.event != GONE}
    fixes = {point.tseq for point in store.fixes(outcome.unit, *ALL_OF_TIME)}
    told = f"on the road that is {outcome.road}"
    gone = [f"record {number} {told}" for number in range(1, outcome.committed[Series.SEQ] + 1) if number not in records]
    gone += [f"fix {number} {told}" for number in range(1, outcome.committed[Series.TSEQ] + 1) if number not in fixes]
    return gone + [f"attachment {name} {told}" for name in outcome.photos if store.sealed_attachment(outcome.unit, name) is None]


def _corrupt(outcome: Outcome, store: Store, seal_key: bytes) -> list[str]:
    bad = [f"proof {row.chain_seq} of {outcome.unit}" for row in store.proofs(outcome.unit) if row.verified_ms is None]
    for name, wanted in outcome.photos.items():
        sealed = store.sealed_attachment(outcome.unit, name)
        if sealed is not None and _opened_sha(seal_key, sealed) != wanted:
            bad.append(f"attachment {name} of {outcome.unit}")
    return bad


def _opened_sha(seal_key: bytes, sealed: bytes) -> str | None:
    try:
        return sha256(unseal(seal_key, sealed)).hexdigest()
    except EvidenceError:
        return None


def _wasteful(outcome: Outcome) -> list[str]:
    if outcome.again_bytes <= max(0, outcome.sessions - 1) * BLOB_CHUNK_BYTES:
        return []
    return [f"{outcome.again_bytes} bytes went out again over {outcome.sessions} sessions on the road that is {outcome.road}"]


def _told(outcome: Outcome) -> dict[str, float | None]:
    return {
        "s": outcome.took_s and round(outcome.took_s, 1),
        "cuts": outcome.cuts,
        "sessions": outcome.sessions,
        "pieces": outcome.pieces,
        "again_bytes": outcome.again_bytes,
    }
