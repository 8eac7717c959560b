"""Signed records and the verdict on each: stored once by their link, receipted once."""

from __future__ import annotations

from fleet.intake import Record, Series
from fleet.proofs import Chain, Checked
from fleet.rows import ProofRow, WaitingProof
from fleet.store.database import Database, Row
from mqtt.evidence.certificates import sha256_of
from mqtt.messages import SignedReceipt

# A good verdict stays; one that was not good may become it, when the unit's certificate has come. The first receipt stays.
WRITE = """INSERT INTO pod (unit, link, journal, number, chain_seq, id, stop, outcome, recipient, driver, t_ms, corrects,
        verified_ms, fault, rc, rc_jws, signer, payload, received_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (unit, link) DO UPDATE SET
        verified_ms = coalesce(pod.verified_ms, excluded.verified_ms),
        fault = CASE WHEN coalesce(pod.verified_ms, excluded.verified_ms) IS NULL THEN coalesce(excluded.fault, pod.fault) END,
        rc = coalesce(pod.rc, excluded.rc), rc_jws = coalesce(pod.rc_jws, excluded.rc_jws)
    WHERE pod.rc IS NULL"""
ROWS = """SELECT p.unit, p.link, p.chain_seq, p.id, p.stop, p.outcome, p.recipient, p.driver, p.t_ms, p.corrects, p.verified_ms, p.fault,
        p.rc, p.rc_jws, p.signer, coalesce(p.received_ms, r.received_ms), coalesce(p.payload, r.payload)
    FROM pod p JOIN record r ON r.journal = p.journal AND r.series = 'seq' AND r.number = p.number"""
ORDER = " ORDER BY coalesce(p.t_ms, r.received_ms), p.unit, p.chain_seq, p.link"
UNCHECKED = """SELECT j.unit, j.log, r.number, coalesce(p.received_ms, r.received_ms), coalesce(p.payload, r.payload)
    FROM record r JOIN journal j ON j.journal = r.journal LEFT JOIN pod p ON p.journal = r.journal AND p.number = r.number
    WHERE r.kind = 'pod' AND r.series = 'seq' AND (p.link IS NULL OR p.verified_ms IS NULL OR p.rc IS NULL) AND (? OR j.unit = ?)
    ORDER BY j.unit, r.journal, r.number"""


KEEP_RECEIVER = "INSERT INTO receiver (sha256, leaf, issuing) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
NEWEST_SIGNER = """SELECT p.signer FROM pod p JOIN record r ON r.journal = p.journal AND r.series = 'seq' AND r.number = p.number
    WHERE p.unit = ? AND p.verified_ms IS NOT NULL AND p.signer IS NOT NULL
    ORDER BY coalesce(p.received_ms, r.received_ms) DESC, p.chain_seq DESC LIMIT 1"""
NEWEST_RECEIPT = "SELECT rc, rc_jws FROM pod WHERE unit = ? AND signer = ? AND rc IS NOT NULL ORDER BY chain_seq DESC LIMIT 1"


def write(db: Database, checked: Checked, journal: int, at_ms: int, *, aside: bool = False) -> SignedReceipt | None:
    """Write a verdict, or see that it is there; the record's one receipt. `aside`: another record is kept under its number."""
    claims, receipt, by = checked.claims, checked.receipt, checked.by
    if by is not None:
        db.execute(KEEP_RECEIVER, (sha256_of(by.leaf), by.leaf.decode(), by.issuing.decode()))
    db.execute(
        WRITE,
        (checked.unit, checked.link, journal, checked.record.number, claims.chain_seq, claims.id, claims.stop, claims.outcome,
         claims.recipient, claims.driver, claims.t_ms, claims.corrects, at_ms if checked.good else None, checked.fault,
         receipt.rc if receipt else None, receipt.jws if receipt else None, checked.signer,
         checked.record.payload if aside else None, at_ms if aside else None),
    )  # fmt: skip
    ((rc, jws),) = db.query("SELECT rc, rc_jws FROM pod WHERE unit = ? AND link = ?", (checked.unit, checked.link))
    return None if rc is None else SignedReceipt(rc=rc, jws=jws)


def receivers(db: Database) -> dict[str, Chain]:
    """Who has signed receipts that are here, by the SHA-256 of the certificate."""
    found = db.query("SELECT sha256, leaf, issuing FROM receiver")
    return {sha256: Chain(leaf=leaf.encode(), issuing=issuing.encode()) for sha256, leaf, issuing in found}


def newest_receipt(db: Database, unit: str) -> SignedReceipt | None:
    """The receipt furthest on in the chain that the unit wrote last: a new certificate has begun a new chain."""
    newest = db.query(NEWEST_SIGNER, (unit,))
    found = db.query(NEWEST_RECEIPT, (unit, newest[0][0])) if newest else []
    return SignedReceipt(rc=found[0][0], jws=found[0][1]) if found else None


def holds(db: Database, journal: int, record: Record) -> bool:
    """Whether the record under this number is this one: a copied card's is not."""
    sql = "SELECT payload FROM record WHERE journal = ? AND series = ? AND number = ?"
    ((payload,),) = db.query(sql, (journal, Series.SEQ, record.number))
    return bytes(payload) == record.payload


def rows(db: Database, unit: str | None, stop: str | None) -> list[ProofRow]:
    """Proofs in the order of their time, of one unit, of one stop, or all."""
    found = db.query(ROWS + " WHERE (? OR p.unit = ?) AND (? OR p.stop = ?)" + ORDER, (unit is None, unit, stop is None, stop))
    return [_row(row) for row in found]


def by_id(db: Database, start: str) -> list[ProofRow]:
    """Proofs whose id or link begins like this: hexadecimal digits and hyphens, which mean nothing else to LIKE."""
    return [_row(row) for row in db.query(ROWS + " WHERE p.id LIKE ? OR p.link LIKE ?" + ORDER, (start + "%", start + "%"))]


def waiting(db: Database, unit: str | None) -> list[WaitingProof]:
    """Records that nobody has yet found good and receipted."""
    found = db.query(UNCHECKED, (unit is None, unit))
    return [WaitingProof(**dict(zip(WaitingProof.__struct_fields__, row, strict=True))) for row in found]


def receipts(db: Database, unit: str) -> list[SignedReceipt]:
    """What was signed for one unit, in the order of its chain."""
    found = db.query("SELECT rc, rc_jws FROM pod WHERE unit = ? AND rc IS NOT NULL ORDER BY chain_seq, link", (unit,))
    return [SignedReceipt(rc=rc, jws=jws) for rc, jws in found]


def whole(db: Database, unit: str) -> set[str]:
    """The attachments of a unit that are there, by the SHA-256 of what was sent."""
    return {sha for (sha,) in db.query("SELECT sha FROM attachment WHERE unit = ? AND whole_ms IS NOT NULL", (unit,))}


def _row(row: Row) -> ProofRow:
    return ProofRow(**dict(zip(ProofRow.__struct_fields__, row, strict=True)))
