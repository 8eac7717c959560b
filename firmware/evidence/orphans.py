"""Attachment files that nothing names: a power cut between file and commit, or a proof that was dropped, leaves one."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from firmware.evidence.attachments import Attachments
from firmware.evidence.book import BLOB
from firmware.journal import Journal, Series
from mqtt import topics
from mqtt.ranges import Ranges

log = logging.getLogger(__name__)


def settle_orphans(boot: str, journal: Journal, attachments: Attachments, pieces: Mapping[str, bytes]) -> None:
    """At the start: remove the files that no piece of work and no waiting record names; after damage to the journal, send them instead."""
    named = b"\n".join([*(name.encode() for name in pieces if name.startswith(BLOB)), *pieces.values()])
    orphans = [name for name in attachments.names() if name.encode() not in named]
    if not orphans:
        return
    unsent = b"\n".join(_waiting_records(journal))
    found = [name for name in orphans if journal.salvaged is not None or name.encode() in unsent]
    journal.append(boot, work={BLOB + name: b"found" for name in found})
    attachments.remove(name for name in orphans if name not in found)
    log.info("%d pictures of dropped proofs were removed, %d are sent after all", len(orphans) - len(found), len(found))


def _waiting_records(journal: Journal) -> list[bytes]:
    """Proofs and events that the receiver does not hold."""
    waiting = journal.waiting(Series.SEQ, Ranges(), max(1, journal.waiting_count(Series.SEQ)))
    return [row.payload for row in waiting if row.kind in {topics.POD.kind, topics.EVENT.kind}]
