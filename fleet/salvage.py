"""What a dead unit left behind goes the way of what a living one sends: read, checked, stored. Without a broker, and nobody is answered."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from fleet.intake import Refused, SignedRecord, read, sentence
from fleet.notary import Notary
from fleet.proofs import Checked, Storable
from fleet.rows import Kept
from fleet.store import Store, UnstorableError

BATCH_LIMIT = 200  # messages in one commit

Message = tuple[str, bytes]  # topic and payload


class Landed(msgspec.Struct, kw_only=True):
    """What came of it so far."""

    new: int = 0  # records and fixes that the fleet did not have
    held: int = 0
    proofs: int = 0  # signed records among them, new or held
    good: int = 0  # of the proofs
    refused: int = 0  # messages that were kept aside
    faults: list[str] = []  # why proofs were not found good, each once


class Salvage:
    """Takes messages; StoreError when the store is away: what was stored stays, and the rest may be sent again from the start."""

    def __init__(self, store: Store, notary: Notary | None) -> None:
        self._store = store
        self._notary = notary
        self._batch: list[Message] = []
        self.landed = Landed()

    def take(self, topic: str, payload: bytes) -> None:
        """One message of a unit; stored with the next whole batch."""
        self._batch.append((topic, payload))
        if len(self._batch) >= BATCH_LIMIT:
            self.flush()

    def flush(self) -> None:
        """Store what was taken."""
        batch, self._batch = self._batch, []
        if batch:
            self._count(self._stored(batch, time.time_ns() // 1_000_000))

    def attach(self, pieces: Sequence[Message]) -> None:
        """All pieces of an attachment in one commit; they are no records."""
        at_ms = time.time_ns() // 1_000_000
        self.landed.refused += self._stored(pieces, at_ms).refused

    def _stored(self, batch: Sequence[Message], at_ms: int) -> Kept:
        taken = [(message, self._read(*message, at_ms)) for message in batch]
        try:
            return self._store.keep([item for _, items in taken for item in items], at_ms, heard=False)
        except UnstorableError:  # one of them is poison to the database: the others must not suffer for it
            total = Kept()
            for message, items in taken:
                total = total.plus(self._stored_alone(message, items, at_ms))
            return total

    def _stored_alone(self, message: Message, items: Sequence[Storable], at_ms: int) -> Kept:
        try:
            return self._store.keep(items, at_ms, heard=False)
        except UnstorableError as error:
            topic, payload = message
            return self._store.keep([Refused(topic=topic, payload=payload, reason=sentence(error))], at_ms, heard=False)

    def _read(self, topic: str, payload: bytes, at_ms: int) -> list[Storable]:
        return [self._checked(item, at_ms) if isinstance(item, SignedRecord) else item for item in read(topic, payload, at_ms)]

    def _checked(self, signed: SignedRecord, at_ms: int) -> Storable:
        self.landed.proofs += 1
        if self._notary is None:
            return signed
        found = self._notary.check(signed, at_ms)
        self._judge(found)
        return found

    def _judge(self, found: Checked) -> None:
        self.landed.good += found.good
        if found.fault and found.fault not in self.landed.faults:
            self.landed.faults.append(found.fault)

    def _count(self, kept: Kept) -> None:
        self.landed.new += kept.stored
        self.landed.held += kept.repeated
        self.landed.refused += kept.refused
