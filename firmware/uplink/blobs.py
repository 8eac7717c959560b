"""The attachment lane: which piece of which attachment goes next, after everything else. Knows no broker.

One piece is under way at a time, so that an event waits for 8 kB at most, also on a line of 64 kbit/s. Where a link was cut, the
receiver's word says from which byte to go on, and pieces become smaller: one that takes longer than the link lasts would never arrive.
An attachment is done with when the receiver says that it holds it whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from firmware.evidence.attachments import AttachmentError, Attachments
from mqtt.messages import BlobHeld
from mqtt.topics import BLOB_CHUNK_BYTES

FRAMING_BYTES = 200  # topic, properties and lengths of the largest publish
LEAST_BYTES = 512  # a broker that takes less than this is set up wrongly
LEAST_CHUNK_BYTES = 1_024  # half of what is sent is framing below it
GROWS_AFTER = 8  # pieces that arrived without a cut: growing sooner, every second piece would be cut on a link that lasts for two
RECEIPT_S = 10.0  # without a word for so long, the attachment is sent again from where the receiver stands
REFUSED_S = 3.0
LONGEST_S = 300.0


class Chunk(msgspec.Struct, frozen=True):
    """One publish."""

    name: str  # SHA-256 of the sealed attachment
    offset: int
    payload: bytes


class BlobLane:
    """Keeps its place in the oldest attachment that waits. Times are monotonic seconds."""

    def __init__(self, attachments: Attachments) -> None:
        self._attachments = attachments
        self._names: list[str] = []
        self._held: dict[str, int] = {}  # bytes that the receiver has of an attachment, as far as it said
        self._checked: set[str] = set()
        self._probing = True  # how far the receiver is, its first word in this session will say
        self._probe_sent = False
        self._probe_offset = 0
        self._offset = 0  # what is to go next of the first name
        self._under_way: tuple[int, Chunk] | None = None
        self._largest_bytes = BLOB_CHUNK_BYTES  # that the broker takes
        self._chunk_bytes = BLOB_CHUNK_BYTES  # that the link lasts for
        self._in_a_row = 0
        self._progress_s = 0.0
        self._patience_s = RECEIPT_S
        self._pause_s = REFUSED_S
        self._pause_until_s = 0.0
        self.lost: list[str] = []  # attachments that the card no longer holds whole: to be told, and then forgotten

    @property
    def waiting(self) -> int:
        """How many attachments the receiver does not hold whole."""
        return len(self._names)

    def open(self, now_s: float, *, largest_bytes: int | None) -> None:
        """A session began: nothing is under way."""
        if self._under_way is not None:  # the link did not last for it
            self._chunk_bytes, self._in_a_row = max(LEAST_CHUNK_BYTES, self._chunk_bytes // 2), 0
        self._under_way, self._probing = None, True
        self._largest_bytes = (
            BLOB_CHUNK_BYTES if largest_bytes is None else max(LEAST_BYTES, min(BLOB_CHUNK_BYTES, largest_bytes - FRAMING_BYTES))
        )
        self._progress_s = now_s
        self._pause_until_s = 0.0
        self._probe_sent = False
        if self._names and self._offset >= (self._attachments.size(self._names[0]) or 0):
            self._begin_anew()  # all of it was out, and the receiver's last word is missing

    def set_waiting(self, names: Sequence[str]) -> None:
        """These wait; new ones come last, what is under way goes on."""
        first, wanted = self._names[:1], [name for name in names if name not in self.lost]
        kept = [name for name in self._names if name in wanted]
        self._names = kept + [name for name in wanted if name not in kept]
        if self._names[:1] != first:
            self._begin_anew()

    def next(self, now_s: float) -> Chunk | None:
        """The next piece that may go out, None while there is none."""
        waits = self._under_way is not None or now_s < self._pause_until_s or (self._probing and self._probe_sent)
        if waits or not self._settle_on_first():
            return None
        name = self._names[0]
        try:
            payload = self._attachments.chunk(name, self._offset, min(self._chunk_bytes, self._largest_bytes))
        except AttachmentError:
            self._give_up(name)
            return None
        return Chunk(name, self._offset, payload) if payload else None  # all of it is out: the receiver has the word

    def sent(self, mid: int, chunk: Chunk, now_s: float) -> None:
        """A piece went out under this number."""
        self._under_way = (mid, chunk)
        if not self._probe_sent:
            self._probe_sent, self._probe_offset = True, chunk.offset
        self._progress_s = now_s

    def taken(self, mid: int, now_s: float) -> bool:
        """The broker has a publish; whether it was the piece under way."""
        chunk = self._answered(mid)
        if chunk is None:
            return False
        self._progress_s = now_s
        self._grow()
        if self._names[:1] == [chunk.name] and chunk.offset == self._offset:
            self._offset += len(chunk.payload)
        return True

    def refused(self, mid: int, now_s: float) -> bool:
        """The broker did not take a publish, or nobody subscribes; if it was ours: pause, ever longer, then try again."""
        if self._answered(mid) is None:
            return False
        self._probe_sent = False
        self._pause_until_s = now_s + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_S)
        return True

    def receipted(self, blobs: Mapping[str, BlobHeld], now_s: float) -> list[str]:
        """Take the receiver's word; the attachments that it now holds whole."""
        ours = {name: held for name, held in blobs.items() if name in self._names}
        for name, held in ours.items():
            before = self._held.get(name, 0)
            self._held[name] = held.upto
            lacks_before_probe = self._probing and held.upto < self._probe_offset  # the broker had it, and lost it
            if name == self._names[0] and (held.upto > self._offset or held.upto < before or lacks_before_probe):
                self._offset = held.upto  # it has more than we know, from before a restart; or less, from an old backup
        if ours:
            self._progress_s, self._patience_s, self._pause_s = now_s, RECEIPT_S, REFUSED_S
            self._probing = False
        whole = [name for name, held in ours.items() if held.whole]
        self.set_waiting([name for name in self._names if name not in whole])
        for name in whole:
            self._held.pop(name, None)
        return whole

    def overdue(self, now_s: float) -> bool:
        """True when all was sent and nobody speaks for it: the others get their turn, then it is sent once more, ever more patiently."""
        if self._under_way is not None or not self._names or now_s < self._pause_until_s or now_s - self._progress_s < self._patience_s:
            return False
        self._patience_s = min(self._patience_s * 2, LONGEST_S)
        self._progress_s = now_s
        self._names.append(self._names.pop(0))
        self._begin_anew()
        return True

    def silent_s(self, now_s: float) -> float:
        """For how long the broker has owed an answer."""
        return now_s - self._progress_s if self._under_way is not None else 0.0

    def _grow(self) -> None:
        self._in_a_row += 1
        if self._in_a_row >= GROWS_AFTER:
            self._chunk_bytes, self._in_a_row = min(BLOB_CHUNK_BYTES, self._chunk_bytes * 2), 0

    def _answered(self, mid: int) -> Chunk | None:
        if self._under_way is None or self._under_way[0] != mid:
            return None
        (_, chunk), self._under_way = self._under_way, None
        return chunk

    def _begin_anew(self) -> None:
        """From where the receiver stands. One that has every byte and not the whole has found that they do not fit: all over again."""
        self._probe_sent = False
        if not self._names:
            return
        held = self._held.get(self._names[0], 0)
        self._offset = held if held < (self._attachments.size(self._names[0]) or 0) else 0

    def _settle_on_first(self) -> bool:
        """Whether there is an attachment to send; what the card spoiled is looked at once, and given up."""
        while self._names and self._names[0] not in self._checked:
            if self._attachments.is_whole(self._names[0]):
                self._checked.add(self._names[0])
            else:
                self._give_up(self._names[0])
        return bool(self._names)

    def _give_up(self, name: str) -> None:
        self.lost.append(name)
        self.set_waiting([other for other in self._names if other != name])
