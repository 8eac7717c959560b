"""The schema, made by steps with names; a step that was released is never changed, a new one is added below it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import groupby, islice
from operator import itemgetter

from fleet.store import stretches
from fleet.store.database import Database, StoreError
from mqtt.codec import TrackPoint

log = logging.getLogger(__name__)

OLD_FIXES = """SELECT boot, received_ms, tseq, t_ms, lat_e7, lon_e7, alt_m, speed_cms, course_cdeg, sats, hdop_e1 FROM fix
    WHERE journal = ? ORDER BY tseq"""
ROW_FIXES = 300  # as many as a unit sends in one batch


class NewerStoreError(StoreError):
    """A later version of this program made the store."""


def _first_tables(db: Database) -> None:
    """Units, their journals, and what they sent."""
    big, octets, identity = db.dialect.big, db.dialect.octets, db.dialect.identity
    for statement in (
        f"""CREATE TABLE unit (
            unit TEXT PRIMARY KEY, first_ms {big} NOT NULL, seen_ms {big} NOT NULL,
            log TEXT, session {big}, state TEXT)""",
        f"""CREATE TABLE newest (
            unit TEXT NOT NULL REFERENCES unit, kind TEXT NOT NULL, at_ms {big} NOT NULL, received_ms {big} NOT NULL,
            payload {octets} NOT NULL, PRIMARY KEY (unit, kind))""",
        f"""CREATE TABLE journal (
            journal {identity}, unit TEXT NOT NULL REFERENCES unit, log TEXT NOT NULL, first_ms {big} NOT NULL,
            records {big} NOT NULL DEFAULT 0, fixes {big} NOT NULL DEFAULT 0, UNIQUE (unit, log))""",
        f"""CREATE TABLE fix (
            journal {big} NOT NULL REFERENCES journal, tseq {big} NOT NULL, boot TEXT NOT NULL, t_ms {big} NOT NULL,
            lat_e7 {big} NOT NULL, lon_e7 {big} NOT NULL, alt_m {big}, speed_cms {big}, course_cdeg {big}, sats {big}, hdop_e1 {big},
            received_ms {big} NOT NULL, PRIMARY KEY (journal, tseq))""",
        "CREATE INDEX fix_by_time ON fix (journal, t_ms)",
        f"""CREATE TABLE record (
            journal {big} NOT NULL REFERENCES journal, series TEXT NOT NULL, number {big} NOT NULL, span {big} NOT NULL,
            kind TEXT NOT NULL, event TEXT, t_ms {big}, boot TEXT, mono_ms {big}, data TEXT, fault TEXT,
            received_ms {big} NOT NULL, payload {octets} NOT NULL, PRIMARY KEY (journal, series, number))""",
        "CREATE INDEX record_by_time ON record (journal, t_ms)",
        f"""CREATE TABLE coverage (
            journal {big} NOT NULL REFERENCES journal, series TEXT NOT NULL, first {big} NOT NULL, last {big} NOT NULL,
            PRIMARY KEY (journal, series, first))""",
        f"""CREATE TABLE ledger (
            journal {big} NOT NULL REFERENCES journal, series TEXT NOT NULL, at_ms {big} NOT NULL,
            issued {big} NOT NULL, receipted {big} NOT NULL, waiting {big} NOT NULL, dropped {big} NOT NULL,
            PRIMARY KEY (journal, series))""",
        f"""CREATE TABLE blob (
            unit TEXT NOT NULL REFERENCES unit, sha TEXT NOT NULL, at_byte {big} NOT NULL, received_ms {big} NOT NULL,
            payload {octets} NOT NULL, PRIMARY KEY (unit, sha, at_byte))""",
        f"""CREATE TABLE refused (
            topic TEXT NOT NULL, sha256 TEXT NOT NULL, reason TEXT NOT NULL, count {big} NOT NULL,
            first_ms {big} NOT NULL, last_ms {big} NOT NULL, payload {octets} NOT NULL, PRIMARY KEY (topic, sha256))""",
        "CREATE INDEX refused_by_time ON refused (last_ms)",
    ):
        db.execute(statement)


def _proofs(db: Database) -> None:
    """What is known of each signed record, and of each attachment whose pieces are in `blob`."""
    big = db.dialect.big
    for statement in (
        f"""CREATE TABLE pod (
            unit TEXT NOT NULL REFERENCES unit, link TEXT NOT NULL, journal {big} NOT NULL REFERENCES journal, number {big} NOT NULL,
            chain_seq {big}, id TEXT, stop TEXT, outcome TEXT, recipient TEXT, driver TEXT, t_ms {big}, corrects TEXT,
            verified_ms {big}, fault TEXT, rc TEXT, rc_jws TEXT, PRIMARY KEY (unit, link))""",
        "CREATE INDEX pod_by_number ON pod (journal, number)",
        "CREATE INDEX pod_by_id ON pod (id)",
        f"""CREATE TABLE attachment (
            unit TEXT NOT NULL REFERENCES unit, sha TEXT NOT NULL, sealed_bytes {big}, whole_ms {big}, PRIMARY KEY (unit, sha))""",
    ):
        db.execute(statement)


def _signers(db: Database) -> None:
    """Who signed what: also after a certificate was renewed, and where a unit's key signs in two places. What an attachment is."""
    big, octets = db.dialect.big, db.dialect.octets
    for statement in (
        "ALTER TABLE pod ADD COLUMN signer TEXT",
        f"ALTER TABLE pod ADD COLUMN payload {octets}",  # where another record has the number already
        f"ALTER TABLE pod ADD COLUMN received_ms {big}",
        "CREATE INDEX pod_by_chain ON pod (unit, signer, chain_seq)",
        "CREATE TABLE receiver (sha256 TEXT PRIMARY KEY, leaf TEXT NOT NULL, issuing TEXT NOT NULL)",
        "ALTER TABLE attachment ADD COLUMN sha256 TEXT",
        "ALTER TABLE attachment ADD COLUMN mime TEXT",
        f"ALTER TABLE attachment ADD COLUMN unnamed_bytes {big}",  # of pieces, while nothing has named it
        "CREATE INDEX attachment_unnamed ON attachment (unit) WHERE unnamed_bytes IS NOT NULL",
        "CREATE INDEX attachment_by_contents ON attachment (sha256)",
    ):
        db.execute(statement)


def _stretches(db: Database) -> None:
    """A batch of the track in one row, deflated as it came, instead of a row a fix."""
    big, octets = db.dialect.big, db.dialect.octets
    for statement in (
        f"""CREATE TABLE stretch (
            journal {big} NOT NULL REFERENCES journal, first {big} NOT NULL, last {big} NOT NULL, fixes {big} NOT NULL,
            first_ms {big} NOT NULL, last_ms {big} NOT NULL, boot TEXT NOT NULL, received_ms {big} NOT NULL,
            payload {octets} NOT NULL, PRIMARY KEY (journal, first))""",
        "CREATE INDEX stretch_by_last ON stretch (journal, last, first)",
        "CREATE INDEX stretch_by_time ON stretch (journal, last_ms, first_ms)",
    ):
        db.execute(statement)
    if db.dialect.table_lock:  # a receiver of the version before would write into it, and say so to the unit, after it was read here
        db.execute(db.dialect.table_lock.format(table="fix"))
    for journal, unit, name in db.query("SELECT journal, unit, log FROM journal"):
        for boot, received_ms, points in _old_fixes(db, journal):
            stretches.write(db, journal, stretches.packed(unit, name, boot, points), received_ms)
    db.execute("DROP TABLE fix")


def _unfinished(db: Database) -> None:
    """Which attachments are still to come is asked at every health of a unit."""
    db.execute("CREATE INDEX attachment_unfinished ON attachment (unit, sha) WHERE sealed_bytes IS NOT NULL AND whole_ms IS NULL")


def _old_fixes(db: Database, journal: int) -> Iterator[tuple[str, int, list[TrackPoint]]]:
    """The fixes of a journal as they were stored one a row, in stretches of one start and one commit."""
    with closing(db.stream(OLD_FIXES, (journal,))) as rows:  # one query: page by page, PostgreSQL may sort all of them for each
        for (boot, received_ms), part in groupby(rows, key=itemgetter(0, 1)):
            while points := [TrackPoint(*row[2:]) for row in islice(part, ROW_FIXES)]:
                yield boot, received_ms, points


STEPS: tuple[Callable[[Database], None], ...] = (_first_tables, _proofs, _signers, _stretches, _unfinished)
NAMES = tuple(step.__name__.strip("_") for step in STEPS)


def bring_up_to_date(db: Database, at_ms: int) -> None:
    """Take every step that this store has not seen yet, in one transaction; StoreError when it is of a newer version."""
    with db.transaction():
        if db.dialect.schema_lock:
            db.query(db.dialect.schema_lock)
        db.execute(f"CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, at_ms {db.dialect.big} NOT NULL)")
        taken = _taken(db)
        if taken and taken != set(NAMES):
            log.info("the store %s is brought up to date; with millions of fixes that takes minutes", db.place)
        for name, step in zip(NAMES, STEPS, strict=True):
            if name not in taken:
                step(db)
                db.execute("INSERT INTO migration (name, at_ms) VALUES (?, ?)", (name, at_ms))


def _taken(db: Database) -> set[str]:
    taken = {name for (name,) in db.query("SELECT name FROM migration")}
    unknown = sorted(taken - set(NAMES))
    if unknown:
        raise NewerStoreError(f"the store {db.place} was made by a newer version of roadproof (step {unknown[0]}); update this one")
    return taken


def check_version(db: Database) -> None:
    """StoreError when the store's schema is not this version's; changes nothing."""
    try:
        taken = _taken(db)
    except NewerStoreError:
        raise
    except StoreError:
        raise StoreError(f"{db.place} holds no fleet store yet; start the receiver on it first") from None
    if taken != set(NAMES):
        raise StoreError(f"the store {db.place} is of an older version; start the new receiver on it once")
