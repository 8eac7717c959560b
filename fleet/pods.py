"""Proofs as a fleet manager wants to see them: which are there, which are good, which photos still wait."""

from __future__ import annotations

import hashlib
import re
import ssl
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from fleet.dossier import see, signed_of, signer_of
from fleet.intake import SignedRecord, read
from fleet.notary import Notary
from fleet.rows import ProofRow, WaitingProof
from fleet.store import Store
from mqtt import topics
from mqtt.evidence import EvidenceError
from mqtt.evidence.chain import first_head, read_record
from mqtt.evidence.findings import Finding
from mqtt.evidence.receipt import Receipted, link_of_receipt
from mqtt.evidence.record import Record
from mqtt.evidence.stream import CLOCKS_APART_MS, check_stream
from mqtt.messages import utc_text

CHOICES = 5  # that are named
ID_START = re.compile(r"[0-9a-f][0-9a-f-]{3,63}")
Place = tuple[str, str | None, int | None]  # unit, certificate, number
RECHECK_BATCH = 100  # verdicts in one commit: a receiver that runs beside waits for no longer


class PodSight(msgspec.Struct, frozen=True, kw_only=True):
    """One proof."""

    t: str | None  # by the unit's clock
    received: str
    unit: str
    id: str | None
    number: int | None  # in the unit's chain
    stop: str | None
    outcome: str | None
    recipient: str | None
    driver: str | None
    corrects: str | None
    photo: str | None  # "there", "waiting"; None: it has none
    signature: str | None
    verified: bool | None  # None: nobody could check it yet
    fault: str | None  # why it is not good
    receipt: str | None  # when this receiver signed for it
    link: str
    remarks: list[str] = []  # what is odd about a good one


class PodNotFoundError(Exception):
    """No proof, or more than one, is meant; the sentence says which there are."""


def sights(store: Store, unit: str | None = None, stop: str | None = None) -> list[PodSight]:
    """Proofs in the order of their time."""
    rows = store.proofs(unit, stop)
    whole = {name: store.whole_attachments(name) for name in {row.unit for row in rows}}
    forks = _forks(store.proofs(unit) if stop else rows)
    return [_sight(row, whole[row.unit], _remarks(row, forks)) for row in rows]


def _forks(rows: Sequence[ProofRow]) -> set[Place]:
    """Places of chains at which more than one good record stands."""
    taken = Counter(_place(row) for row in rows if row.verified_ms is not None)
    return {place for place, count in taken.items() if count > 1}


def _place(row: ProofRow) -> Place:
    return row.unit, row.signer, row.chain_seq


def _remarks(row: ProofRow, forks: set[Place]) -> list[str]:
    """What a good signature does not make good."""
    if row.verified_ms is None:
        return []
    told = []
    if _place(row) in forks:
        told.append(f"another record of the unit has the number {row.chain_seq} too: its key or its card was copied, or set back")
    if row.t_ms is not None and row.t_ms > row.received_ms + CLOCKS_APART_MS:
        told.append("it says a time after it had come here: the unit's clock is wrong")
    return told


def _sight(row: ProofRow, whole: set[str], remarks: list[str]) -> PodSight:
    record = _record(row)
    return PodSight(
        t=None if row.t_ms is None else utc_text(row.t_ms),
        received=utc_text(row.received_ms),
        unit=row.unit,
        id=row.id,
        number=row.chain_seq,
        stop=row.stop,
        outcome=row.outcome,
        recipient=row.recipient,
        driver=row.driver,
        corrects=row.corrects,
        photo=_state(record, whole, {"photo", "defect"}),
        signature=_state(record, whole, {"signature"}),
        verified=True if row.verified_ms is not None else False if row.fault else None,
        fault=row.fault,
        receipt=_received(row),
        link=row.link,
        remarks=remarks,
    )


def _record(row: ProofRow) -> Record | None:
    try:
        return read_record(signed_of(row))
    except EvidenceError:
        return None


def _state(record: Record | None, whole: set[str], kinds: set[str]) -> str | None:
    wanted = [told for told in record.att if told.kind in kinds] if record else []
    if not wanted:
        return None
    return "there" if all(told.enc_sha256 in whole for told in wanted) else "waiting"


def _received(row: ProofRow) -> str | None:
    """The time in a receipt of our own making."""
    return None if row.rc is None else msgspec.json.decode(row.rc, type=Receipted).received


def find(store: Store, name: str) -> ProofRow:
    """The proof of an id or link, of the beginning of one, or the newest of UNIT/STOP; PodNotFoundError tells what else there is."""
    unit, slash, stop = name.partition("/")
    if slash:
        rows = store.proofs(unit, stop) if topics.UNIT.fullmatch(unit) else []
        hint = "roadproof fleet pods shows what there is"
    else:
        rows = store.proofs_by_id(name.lower()) if ID_START.fullmatch(name.lower()) else []
        hint = "give an id, four or more of its first characters, or UNIT/STOP"
    rows = [row for row in rows if row.verified_ms is not None] or rows  # a forged copy must not stand in the way
    if not rows:
        raise PodNotFoundError(f"there is no proof {name}; {hint}")
    if len(rows) > 1 and not slash:
        raise PodNotFoundError(f"{len(rows)} proofs begin with {name}: {_choice(rows)}{' ...' if len(rows) > CHOICES else ''}")
    return max(rows, key=lambda row: (row.received_ms, row.chain_seq or 0))  # not by the unit's clock: it could make a record the newest


def _choice(rows: Sequence[ProofRow]) -> str:
    """What to type instead: the id, or the link where two records claim the same id."""
    taken = Counter(row.id for row in rows)
    names = [row.id if row.id and taken[row.id] == 1 else f"{row.link[:16]} ({row.unit}, number {row.chain_seq})" for row in rows]
    return ", ".join(names[:CHOICES])


def recheck(store: Store, notary: Notary, unit: str | None, now_ms: int) -> tuple[int, int]:
    """Check again what was not found good, or has no receipt: how many were looked at, and how many are good now."""
    waiting = store.waiting_proofs(unit)
    good = 0
    for at in range(0, len(waiting), RECHECK_BATCH):
        checked = [notary.check(signed, now_ms) for row in waiting[at : at + RECHECK_BATCH] if (signed := _signed(row)) is not None]
        store.settle(checked, now_ms)
        good += sum(one.good for one in checked)
    return len(waiting), good


def _signed(row: WaitingProof) -> SignedRecord | None:
    """A stored message read again; None when it breaks the contract."""
    (item,) = read(topics.POD.topic(row.unit), row.payload, row.received_ms)
    return item if isinstance(item, SignedRecord) else None


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One chain of a unit: a certificate begins it, so a unit with a new certificate has a new one."""

    certificate_sha256: str
    records: int
    findings: list[Finding]


def streams(store: Store, notary: Notary, unit: str) -> list[Stream]:
    """What is wrong with the good records of a unit as chains: gap, swap, repeat, cut tail."""
    receipts, faults = _receipts(store, notary, unit)
    chains: dict[bytes, list[ProofRow]] = {}
    for row in store.proofs(unit):
        if row.verified_ms is not None:
            chains.setdefault(see(notary, row).chain.leaf, []).append(row)
    found = [_stream(certificate, rows, receipts, alone=len(chains) == 1) for certificate, rows in chains.items()]
    return [*found, Stream(certificate_sha256="", records=0, findings=faults)] if faults else found


def _stream(certificate: bytes, rows: list[ProofRow], receipts: Mapping[str, Receipted], *, alone: bool) -> Stream:
    der = ssl.PEM_cert_to_DER_cert(certificate.decode())
    ordered = sorted(rows, key=lambda row: (row.chain_seq or 0, row.received_ms))
    links = {row.link for row in rows}
    own = [receipt for receipt in receipts.values() if alone or receipt.link in links]
    return Stream(
        certificate_sha256=hashlib.sha256(der).hexdigest(),
        records=len(rows),
        findings=check_stream([signed_of(row) for row in ordered], own, first_head(der), receipts),
    )


def _receipts(store: Store, notary: Notary, unit: str) -> tuple[dict[str, Receipted], list[Finding]]:
    """What was signed for, by the receipt's link, also where the record itself is gone: so a cut tail shows. And which do not hold."""
    receivers = store.receivers()
    good, faults = dict[str, Receipted](), list[Finding]()
    for one in store.receipts(unit):
        try:
            good[link_of_receipt(one)] = notary.read_receipt(one, signer_of(notary, receivers, one))
        except EvidenceError as error:
            faults.append(Finding(level="bad", about="receipt", text=f"a receipt in the store does not hold: {error}"))
    return good, faults
