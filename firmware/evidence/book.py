"""The unit's own chain of signed records: every proof becomes one, in the commit that takes it from the driver's work.

Where the chain ends is written twice: as a piece of work in the same commit as the record, and before that commit in a file beside the
journal. A journal that is lost or salvaged goes on from the file, so that no number of the chain is signed twice; what the loss took
shows as a gap. docs/decisions/0012-the-chain-ends-in-two-places.md
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from firmware.day.proof import Cash, Proof, Where
from firmware.evidence.receivers import Authorities, Receivers
from firmware.evidence.unsigned import Unsigned, UnsignedProofs
from firmware.journal import Draft, Journal, JournalFullError
from mqtt import messages, topics
from mqtt.durable import write_durably
from mqtt.evidence import EvidenceError, record
from mqtt.evidence.chain import Head, Sealed, first_head, seal_record
from mqtt.evidence.jws import Signer
from mqtt.evidence.receipt import Receipted, link_of_receipt

log = logging.getLogger(__name__)

CHAIN, AFTER, BLOB, UNSEALED = "chain", "after", "blob:", "unsealed:"  # pieces of work that are not the day's
PIECES = (CHAIN, AFTER, BLOB, UNSEALED)
BY_EVENT, FOUND, SIGNED = b"event", b"found", b"signed"  # why an attachment waits, where not for a proof: then it is the proof's id
Kind = TypeVar("Kind")


class Teller(Protocol):
    """Who writes the unit's events."""

    def note(self, event: str, data: dict[str, Any] | None = None) -> None:
        """Write an event now."""


class Entry(msgspec.Struct, frozen=True):
    """Proofs as they go into one commit."""

    drafts: list[Draft]
    work: dict[str, bytes | None]
    head: Head
    made: dict[str, Unsigned] = {}  # by their links, filled when the drafts get their numbers
    refused: list[tuple[str, str]] = []  # id of a proof that cannot be a record, and why: it is kept as a piece of work instead
    unsealed: dict[str, Proof | None] = {}  # such proofs by their ids; None: it has become a record after all


class _Side(msgspec.Struct, frozen=True):
    """The file beside the journal: the commit under way goes from one head to the other."""

    base: Head
    head: Head


class _After(msgspec.Struct, frozen=True):
    """The newest verified receipt."""

    seq: int
    link: str


class EvidenceBook:
    """Signs, and remembers where the chain ends. `write` and `written` belong to the thread that commits; `take` may be any."""

    def __init__(
        self, *, unit: str, boot: str, firmware: str, signer: Signer, authorities: Authorities, journal: Journal, diary: Teller
    ) -> None:
        self._unit = unit
        self._boot = boot
        self._firmware = firmware
        self._signer = signer
        self._receivers = Receivers(authorities)
        self._journal = journal
        self.unsigned = UnsignedProofs(journal)
        self._side = journal.path.with_name(journal.path.name + ".chain")
        self._ahead: Head | None = None  # what a receipt says, when it is further than this unit remembers
        self._diary = diary
        self._after = _read(journal.work(AFTER).get(AFTER), _After) or _After(0, "")
        self._head = self._where_it_ends(_read(journal.work(CHAIN).get(CHAIN), Head))
        kept = [_read(piece, Proof) for piece in journal.work(UNSEALED).values()]
        self._unsealed = {proof.id: proof for proof in kept if proof is not None}

    @property
    def head(self) -> Head:
        """Where the chain ends."""
        return self._head

    def write(self, proofs: Sequence[Proof]) -> Entry:
        """Sign these proofs behind the chain's end. They are in the chain once the entry is committed: then call `written`.

        Those that could not be signed before are tried again first: a key in hardware may have been out of reach.
        """
        if not proofs:
            return Entry([], {}, self._head)
        ahead = self._ahead
        base = head = ahead if ahead and ahead.seq > self._head.seq else self._head
        drafts, refused = list[Draft](), list[tuple[str, str]]()
        work: dict[str, bytes | None] = {}
        made, unsealed = dict[str, Unsigned](), dict[str, Proof | None]()
        for proof in [*self._unsealed.values(), *proofs]:
            try:
                sealed = seal_record(self._record(proof), head, self._signer)
            except EvidenceError as error:
                if proof.id not in self._unsealed:
                    log.error("the proof of stop %s cannot be a record: %s; it is kept on the unit", proof.stop_id, error)  # noqa: TRY400
                    refused.append((proof.id, str(error)))
                    work[UNSEALED + proof.id], unsealed[proof.id] = msgspec.json.encode(proof), proof
                continue
            if proof.id in self._unsealed:
                work[UNSEALED + proof.id] = unsealed[proof.id] = None
            head = sealed.head
            drafts.append(self._draft(sealed, frozenset(one.enc_sha256 for one in proof.attachments), made))
            work |= {BLOB + one.enc_sha256: proof.id.encode() for one in proof.attachments}
        if drafts:
            work[CHAIN] = msgspec.json.encode(head)
            self._note_beside(_Side(base=base, head=head))
        return Entry(drafts, work, head, made, refused, unsealed)

    def written(self, entry: Entry) -> None:
        """The entry is on the card."""
        self._head = entry.head
        self.unsigned.add(entry.made)
        for name, proof in entry.unsealed.items():
            self._unsealed.pop(name, None) if proof is None else self._unsealed.update({name: proof})

    def may_forget(self, attachment: str, waits_for: bytes) -> bool:
        """Whether an attachment that the receiver holds may leave the card: the receiver signed for the record that names it.

        A picture that an event names may go: nobody signs for events.
        """
        return waits_for in {BY_EVENT, FOUND, SIGNED} and not self.unsigned.names(attachment)

    def take(self, receipts: Sequence[messages.SignedReceipt]) -> None:
        """Check what the receiver signed; the newest good one is what later records name as held before them."""
        good = [(found, signed) for signed in receipts if (found := self._checked(signed))]
        if not good:
            return
        newest, signed = max(good, key=lambda one: one[0].seq)
        if newest.seq > self._head.seq:
            self._ahead = Head(seq=newest.seq, link=newest.link)
            self._diary.note("evidence.chain_resumed", {"seq": newest.seq, "from": "receipt"})
        work = dict[str, bytes | None]()
        if newest.seq > self._after.seq:
            self._after = _After(newest.seq, link_of_receipt(signed))
            work[AFTER] = msgspec.json.encode(self._after)
        self._let_go({receipted.link for receipted, _ in good if self.unsigned.get(receipted.link)}, work)

    def _let_go(self, links: set[str], work: dict[str, bytes | None]) -> None:
        """Note that these records are signed for, and whatever else is to be noted, in one commit."""
        proofs = [proof for link in links if (proof := self.unsigned.get(link))]
        named = {BLOB + name for proof in proofs for name in proof.attachments}
        work = work | {name: SIGNED for name in self._journal.work(BLOB) if name in named} if named else work
        try:
            if work:
                self._journal.append(self._boot, work=work)
        except JournalFullError as error:
            log.warning("%s; the newest receipt is remembered until the next start only, and what it covers stays", error)
            return
        for link in links:
            self.unsigned.signed(link)

    def _checked(self, signed: messages.SignedReceipt) -> Receipted | None:
        try:
            if names := self._receivers.renewed_for(signed):
                self._diary.note("evidence.receivers", {"sha256": names})
            found = self._receivers.check(signed)
        except EvidenceError as error:
            log.warning("a signed receipt is passed over: %s", error)
            return None
        if found.unit != self._unit:
            log.warning("a signed receipt is for unit %s and is passed over", found.unit)
            return None
        return found

    def _where_it_ends(self, kept: Head | None) -> Head:
        """What the journal says; the file, where the journal knows less than was signed."""
        side = _read(_content(self._side), _Side)
        if kept is not None and (side is None or side.head.seq <= kept.seq):
            return kept
        if kept is not None and side is not None and side.base == kept and self._journal.salvaged is None:
            return kept  # the power went between the file and the commit: what the file announces was never sent
        if side is not None:
            self._diary.note("evidence.chain_resumed", {"seq": side.head.seq, "from": "file"})
            return side.head
        self._diary.note("evidence.chain_begun")
        return first_head(self._signer.certificate_der)

    def _note_beside(self, side: _Side) -> None:
        try:
            write_durably(self._side, msgspec.json.encode(side))
        except OSError as error:
            log.warning("%s cannot be written (%s); until it can, the journal alone knows where the chain ends", self._side, error.strerror)

    def _draft(self, sealed: Sealed, attachments: frozenset[str], made: dict[str, Unsigned]) -> Draft:
        name = self._journal.log

        def make(number: int) -> bytes:
            made[sealed.link] = Unsigned(number, attachments)
            pod = messages.Pod(unit=self._unit, boot=self._boot, log=name, seq=number, rec=sealed.rec, jws=sealed.jws)
            return messages.encode(pod)

        return Draft(topics.POD.kind, make)

    def _record(self, proof: Proof) -> record.Record:
        when: Any = proof.src
        outcome: Any = proof.outcome  # seal_record refuses what the contract does not know
        return record.Record(
            unit=self._unit,
            boot=proof.boot,
            id=proof.id,
            job=proof.job,
            stop=proof.stop_id,
            outcome=outcome,
            reason=proof.reason,
            recipient=None if proof.recipient is None else record.Recipient(**_fields(proof.recipient)),
            driver=proof.driver,
            items=tuple(record.Item(**_fields(item)) for item in proof.items),
            t=record.When(
                wall=messages.utc_text(proof.at_ms), mono_ms=proof.mono_ms, src=when, err_ms=proof.err_ms, after=self._after.link or None
            ),
            pos=None if proof.position is None else _where(proof.position),
            att=tuple(record.Attachment(**_fields(one)) for one in proof.attachments),
            fw=self._firmware,
            flags=tuple(sorted(set(proof.flags))),
            cash=None if proof.cash is None else _cash(proof.cash),
            corrects=proof.corrects,
            rating=proof.rating,
            note=proof.note,
            place_m=proof.place_m,
            service=proof.service,
            run_n=proof.run_n,
        )


def _fields(part: msgspec.Struct) -> dict[str, Any]:
    """A part of a proof that has the same fields in a record."""
    return msgspec.structs.asdict(part)


def _where(where: Where) -> record.Where:
    return record.Where(
        lat_e7=round(where.lat_deg * 1e7),
        lon_e7=round(where.lon_deg * 1e7),
        acc_m=None if where.accuracy_m is None else round(where.accuracy_m),
        fix=where.fix,
        sats=where.sats,
        age_ms=where.age_ms,
    )


def _cash(cash: Cash) -> record.Cash:
    return record.Cash(
        amount=cash.amount, taken=cash.taken, change=cash.change, currency=cash.currency, method=cash.method, reference=cash.reference
    )


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _read(row: bytes | None, kind: type[Kind]) -> Kind | None:
    if row is None:
        return None
    try:
        return msgspec.json.decode(row, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
