"""What the uplink does for proofs besides sending their records: attachments piece by piece, and what receipts say of both.

An attachment that the receiver holds stays on the card as long as a receipted record does (`journal.keep_hours`), for a receiver that is
set back to an old backup; earlier it goes only where the card runs out of room.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence

from firmware.diary import Diary
from firmware.evidence.attachments import Attachments
from firmware.evidence.book import BLOB, SIGNED, EvidenceBook
from firmware.journal import Journal, JournalFullError, Row, Series
from firmware.status import StatusBoard
from firmware.uplink.blobs import BlobLane, Chunk
from mqtt import messages

log = logging.getLogger(__name__)

HELD = b"held:"  # begins the piece of an attachment that the receiver holds; since when follows, milliseconds UTC
ROOM_BYTES = 100_000_000  # with less free on the card, nothing stays that the receiver holds
SWEEP_MS = 60_000


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class ProofPost:
    """The attachment lane with the journal and the chain behind it; the uplink's thread owns it.

    `keep_ms`: how long an attachment stays that the receiver holds.
    """

    def __init__(
        self,
        *,
        boot: str,
        journal: Journal,
        attachments: Attachments,
        evidence: EvidenceBook,
        diary: Diary,
        status: StatusBoard,
        keep_ms: int = 0,
        utc_ms: Callable[[], int] = _now_ms,
    ) -> None:
        self.lane = BlobLane(attachments)
        self._boot = boot
        self._journal = journal
        self._attachments = attachments
        self._evidence = evidence
        self._diary = diary
        self._status = status
        self._keep_ms = keep_ms
        self._utc_ms = utc_ms
        self._swept_ms = 0
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
            self._sweep()
            self._set_waiting()
        chunk = self.lane.next(now_s)
        if self.lane.lost:
            self._tell_lost()
        return chunk

    def take(self, receipt: messages.Receipt, now_s: float) -> None:
        """Take the receiver's word for records and attachments: what it holds whole, and signed for, leaves the card."""
        self._evidence.take(receipt.proofs)
        self._evidence.unsigned.receipted()
        if receipt.blobs:
            self._bring_back(receipt.blobs)
        self._whole.update(self.lane.receipted(receipt.blobs, now_s))
        if self._whole:
            self._count()
            self._let_go([name for name, piece in self._pieces().items() if name in self._whole and self._evidence.may_forget(name, piece)])

    def _pieces(self) -> dict[str, bytes]:
        """Why each attachment on the card is still there."""
        return {name.removeprefix(BLOB): piece for name, piece in self._journal.work(BLOB).items()}

    def _set_waiting(self) -> None:
        self.lane.set_waiting([name for name, piece in self._pieces().items() if name not in self._whole and not piece.startswith(HELD)])
        self._count()

    def _bring_back(self, told: Mapping[str, messages.BlobHeld]) -> None:
        """What the receiver held once and holds no longer, an old backup was restored, waits once more."""
        lost = [name for name, piece in self._pieces().items() if name in told and not told[name].whole and piece.startswith(HELD)]
        if lost and self._note(dict.fromkeys(lost, SIGNED)):
            log.warning("the receiver lost %d attachments and gets them again", len(lost))
            self._set_waiting()

    def _let_go(self, names: Sequence[str]) -> None:
        """The receiver holds these, and signed for what names them."""
        if not self._keep_ms or self._is_short_of_room():
            self._forget(names)
        elif names and self._note(dict.fromkeys(names, HELD + str(self._utc_ms()).encode())):
            self._whole.difference_update(names)
            self._count()

    def _sweep(self) -> None:
        """Forget what was kept for long enough, now and then."""
        now_ms = self._utc_ms()
        if abs(now_ms - self._swept_ms) < SWEEP_MS:
            return
        self._swept_ms = now_ms
        held = {name: int(piece.removeprefix(HELD)) for name, piece in self._pieces().items() if piece.startswith(HELD)}
        is_short = self._is_short_of_room()
        self._forget([name for name, since_ms in held.items() if is_short or since_ms <= now_ms - self._keep_ms])

    def _is_short_of_room(self) -> bool:
        return shutil.disk_usage(self._journal.path.parent).free < ROOM_BYTES

    def _note(self, pieces: Mapping[str, bytes | None]) -> bool:
        """Write why attachments are here, None: they go; False on a full card."""
        try:
            self._journal.append(self._boot, work={BLOB + name: piece for name, piece in pieces.items()})
        except JournalFullError as error:
            log.warning("%s; attachments that the receiver holds stay until the next start", error)
            return False
        return True

    def _tell_lost(self) -> None:
        lost = list(self.lane.lost)
        self.lane.lost.clear()
        self._diary.note("attachment.lost", {"attachments": lost})
        self._forget(lost)

    def _forget(self, names: Sequence[str]) -> None:
        """First the row, then the file: a file without a row is swept up at the next start."""
        if not names or not self._note(dict.fromkeys(names)):
            return
        self._attachments.remove(names)
        self._whole.difference_update(names)
        self._count()

    def _count(self) -> None:
        self._status.change(blobs_waiting=self.lane.waiting)
