"""What the uplink does for proofs besides sending their records: attachments piece by piece, and what receipts say of both."""

from __future__ import annotations

import logging

from firmware.diary import Diary
from firmware.evidence.attachments import Attachments
from firmware.evidence.book import BLOB, EvidenceBook
from firmware.journal import Journal, JournalFullError, Row, Series
from firmware.status import StatusBoard
from firmware.uplink.blobs import BlobLane, Chunk
from mqtt import messages

log = logging.getLogger(__name__)


class ProofPost:
    """The attachment lane with the journal and the chain behind it; the uplink's thread owns it."""

    def __init__(
        self, *, boot: str, journal: Journal, attachments: Attachments, evidence: EvidenceBook, diary: Diary, status: StatusBoard
    ) -> None:
        self.lane = BlobLane(attachments)
        self._boot = boot
        self._journal = journal
        self._attachments = attachments
        self._evidence = evidence
        self._diary = diary
        self._status = status
        self._issued_seen = -1
        self._whole = set[str]()  # attachments that the receiver holds, and that may not go yet

    def open(self, now_s: float, *, largest_bytes: int | None) -> None:
        """A session began."""
        self.lane.open(now_s, largest_bytes=largest_bytes)
        self._evidence.unsigned.open(now_s)

    def unsigned(self, now_s: float) -> Row | None:
        """A proof to send once more, so that the receiver signs for it."""
        return self._evidence.unsigned.offer(now_s)

    def next(self, now_s: float) -> Chunk | None:
        """The next piece of an attachment that may go out."""
        issued = self._journal.issued(Series.SEQ)
        if issued != self._issued_seen:  # an attachment waits from the commit on that names it, and that has a number
            self._issued_seen = issued
            self.lane.set_waiting([name for name in self._pieces() if name not in self._whole])
            self._count()
        chunk = self.lane.next(now_s)
        if self.lane.lost:
            self._tell_lost()
        return chunk

    def take(self, receipt: messages.Receipt, now_s: float) -> None:
        """Take the receiver's word for records and attachments: what it holds whole, and signed for, leaves the card."""
        self._evidence.take(receipt.proofs)
        self._evidence.unsigned.receipted()
        self._whole.update(self.lane.receipted(receipt.blobs, now_s))
        if self._whole:
            self._count()
            self._forget([name for name, piece in self._pieces().items() if name in self._whole and self._evidence.may_forget(name, piece)])

    def _pieces(self) -> dict[str, bytes]:
        """Why each attachment on the card is still there."""
        return {name.removeprefix(BLOB): piece for name, piece in self._journal.work(BLOB).items()}

    def _tell_lost(self) -> None:
        lost = list(self.lane.lost)
        self.lane.lost.clear()
        self._diary.note("attachment.lost", {"attachments": lost})
        self._forget(lost)

    def _forget(self, names: list[str]) -> None:
        """First the row, then the file: a file without a row is swept up at the next start."""
        if not names:
            return
        try:
            self._journal.append(self._boot, work=dict.fromkeys(BLOB + name for name in names))
        except JournalFullError as error:
            log.warning("%s; attachments that the receiver holds stay until the next start", error)
            return
        self._attachments.remove(names)
        self._whole.difference_update(names)
        self._count()

    def _count(self) -> None:
        self._status.change(blobs_waiting=self.lane.waiting)
