"""The history lane: what to send next, oldest first; what is under way; what to send again. Knows no broker."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from firmware.journal import Journal, Row, Series
from firmware.journal.batches import Batch
from firmware.journal.schema import LONGEST_BATCH
from firmware.uplink.packing import batches, pack
from firmware.uplink.sieve import Sieve
from mqtt import codec, messages, topics
from mqtt.ranges import Ranges, Span
from mqtt.topics import Channel

FIXES_A_BATCH = LONGEST_BATCH  # framing is 235 bytes a publish: below one a fix here
UNRECEIPTED_LIMIT = 50  # batches that the broker took and the receiver has not spoken for
RECEIPT_S = 10.0  # without any progress for so long, what was sent is sent again
LONGEST_RECEIPT_S = 300.0
PARKED_BATCH_S = 300.0  # a heart-beat each: more often would cost its framing for nothing
REFUSED_S = 3.0  # the first pause after a refusal: a receiver that is just being started is soon there
LEAST_BYTES = 1_024  # a broker that takes less than this is set up wrongly: no record is given up for its sake
DENIALS = 3  # refusals of the same record, one at a time, after which it is set aside


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """One publish of numbered records."""

    series: Series
    first: int
    last: int
    channel: Channel
    payload: bytes
    stored: bool = True  # False: made up to account for numbers that are gone


class Outbox:
    """Keeps the window. Times are monotonic seconds."""

    def __init__(self, journal: Journal, *, unit: str, batch_s: float, bound_m: float = 0.0) -> None:
        self._journal = journal
        self._unit = unit
        self._batch_s = batch_s
        self._sieve = Sieve(bound_m)
        self._parked_batch_s = max(batch_s, PARKED_BATCH_S) if bound_m > 0 else batch_s
        self._sent = {series: Ranges() for series in Series}
        self._under_way: dict[int, Shipment] = {}
        self._left_s: dict[Shipment, float] = {}  # when what is not receipted yet went out
        self._window = 1
        self._largest_bytes: int | None = None
        self._patience_s = RECEIPT_S
        self._probing = False  # one at a time, until a receipt says that somebody stores
        self._progress_s = 0.0
        self._pause_s = REFUSED_S
        self._pause_until_s = 0.0
        self._track_sent_s: float | None = None
        self._made_up: list[Shipment] = []
        self._suspect: tuple[Series, int] | None = None
        self._suspicions = 0
        self._made_for = f"{unit} {journal.log} {bound_m:g}"
        self._packed_to = journal.packed_to()

    def prepare(self) -> bool:
        """Pack one whole batch ahead, while there is nothing better to do, and keep it in the journal; False when there is none to pack.

        A backlog of hours then leaves as fast as the link takes it. It takes about 5 bytes of the quota a fix, where every fix is sent.
        """
        if self._journal.issued(Series.TSEQ) - self._packed_to < FIXES_A_BATCH:
            return False
        done = Ranges([(1, self._packed_to)] if self._packed_to else [])
        waiting = self._journal.waiting(Series.TSEQ, done, FIXES_A_BATCH)
        if sum(row.span for row in waiting) < FIXES_A_BATCH:
            return False
        rows = _first_batch(waiting)
        whole = self._pack(rows)
        self._packed_to = whole.last
        batch = Batch(number=whole.first, span=whole.last - whole.first + 1, made_for=self._made_for, payload=whole.payload)
        return self._journal.keep_batch(batch, rows)

    def open(self, now_s: float, *, window: int, largest_bytes: int | None) -> None:
        """A session began: nothing is under way."""
        self._forget_all()
        self._window = max(1, window)
        self._probing = True  # the receiver answers a birth: until then history would only go twice
        self._largest_bytes = largest_bytes
        self._progress_s = now_s
        self._pause_until_s = 0.0

    def next(self, now_s: float, *, all_now: bool = False, parked: bool = False) -> Shipment | None:
        """The next publish that may go out, None while there is none. Parked, batches are as far apart as heart-beats."""
        if now_s < self._pause_until_s or len(self._under_way) >= (1 if self._careful else self._window):
            return None
        if self._unreceipted() >= (1 if self._careful else UNRECEIPTED_LIMIT):
            return None
        if self._made_up:
            return self._made_up.pop(0)
        return (
            self._next_record()
            or self._next_packed()
            or self._next_batch(now_s, all_now=all_now, batch_s=self._parked_batch_s if parked else self._batch_s)
        )

    def sent(self, mid: int, shipment: Shipment, now_s: float) -> None:
        """A shipment went out under this number."""
        if not self._under_way and not self._unreceipted():
            self._progress_s = now_s
        self._under_way[mid] = shipment
        self._left_s[shipment] = now_s
        self._sent[shipment.series].add(shipment.first, shipment.last)
        if shipment.series is Series.TSEQ:
            self._track_sent_s = now_s

    def taken(self, mid: int, now_s: float) -> Shipment | None:
        """The broker has it; the shipment, None when it was none of ours."""
        shipment = self._under_way.pop(mid, None)
        if shipment is not None:  # a live position says nothing: it counts as taken as soon as it has left
            self._progress_s = now_s
        return shipment

    def refused(self, mid: int, now_s: float) -> Shipment | None:
        """The broker did not take it, or nobody subscribes: pause, then try again."""
        shipment = self._under_way.pop(mid, None)
        if shipment is not None:
            self._left_s.pop(shipment, None)
            self._sent[shipment.series].remove(shipment.first, shipment.last)
            self._pause(now_s)
        return shipment

    def receipted(self, now_s: float) -> None:
        """A receipt made progress."""
        self._progress_s = now_s
        self._patience_s, self._pause_s = RECEIPT_S, REFUSED_S
        self._probing = False
        self._suspect, self._suspicions = None, 0
        self._send_overtaken_again(now_s)

    def forget_sent(self, series: Series, missing: Sequence[Span]) -> None:
        """The receiver lost these: they may go out once more."""
        for first, last in missing:
            self._sent[series].remove(first, last)

    def account_for(self, log: str, boot: str, series: Series, gone: Sequence[Span], tombstones: Sequence[bytes]) -> None:
        """Answer for numbers that the receiver misses and that are here no longer."""
        waiting = {(shipment.series, shipment.first) for shipment in self._made_up}
        for (first, last), payload in zip(gone, tombstones, strict=True):
            if (series, first) in waiting:
                continue
            if series is Series.SEQ:
                self._made_up.append(Shipment(series=series, first=first, last=last, channel=topics.EVENT, payload=payload, stored=False))
            else:
                batch = messages.Track(unit=self._unit, boot=boot, log=log, tseq=first, span=last - first + 1, cols=codec.to_columns([]))
                packed = codec.pack(batch)
                self._made_up.append(Shipment(series=series, first=first, last=last, channel=topics.TRACK, payload=packed, stored=False))

    def has_unsent_records(self) -> bool:
        """Whether an event or a proof waits that did not go out in this session."""
        return bool(self._journal.waiting(Series.SEQ, self._sent[Series.SEQ], 1))

    def overdue(self, now_s: float) -> bool:
        """True when what the broker took stays without a receipt: it will be sent again, one at a time, ever more patiently."""
        if self._under_way or not self._unreceipted() or now_s - self._progress_s < self._patience_s:
            return False
        self._forget_all()
        self._probing = True
        self._patience_s = min(self._patience_s * 2, LONGEST_RECEIPT_S)
        self._progress_s = now_s
        return True

    def silent_s(self, now_s: float) -> float:
        """For how long the broker has owed an answer."""
        return now_s - self._progress_s if self._under_way else 0.0

    def suspect_head(self, *, broker_answered: bool) -> Shipment | None:
        """The broker ended the session. The record to set aside, when alone it ends every session of a broker that answers otherwise."""
        head = min(self._under_way.values(), key=lambda shipment: shipment.first, default=None)
        if head is None or not broker_answered:
            return None
        same = self._suspect == (head.series, head.first)
        self._suspect = (head.series, head.first)
        self._suspicions = self._suspicions + 1 if same else 1
        if self._suspicions < DENIALS:
            return None
        self._suspect, self._suspicions = None, 0
        return head

    @property
    def _careful(self) -> bool:
        return self._probing or self._suspect is not None

    def _forget_all(self) -> None:
        self._under_way.clear()
        self._left_s.clear()
        self._sent = {series: Ranges() for series in Series}

    def _send_overtaken_again(self, now_s: float) -> None:
        """What went out long ago, while the receiver speaks for later ones, was lost on the way: a broker with a full queue does that."""
        for series in Series:
            receipted = self._journal.receipted(series)
            for shipment, left_s in [(one, left_s) for one, left_s in self._left_s.items() if one.series is series]:
                if receipted.covers(shipment.first, shipment.last):
                    del self._left_s[shipment]
                elif receipted.top > shipment.last and now_s - left_s >= RECEIPT_S:
                    del self._left_s[shipment]
                    self._sent[series].remove(shipment.first, shipment.last)

    def _pause(self, now_s: float) -> None:
        self._probing = True
        if now_s < self._pause_until_s:
            return  # the rest of the window, refused with the first
        self._pause_until_s = now_s + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_RECEIPT_S)

    def _unreceipted(self) -> int:
        """Batches' worth of numbers that were sent and not receipted."""
        return self._open_numbers(Series.SEQ) + -(-self._open_numbers(Series.TSEQ) // FIXES_A_BATCH)

    def _open_numbers(self, series: Series) -> int:
        return self._journal.open_count(series, self._sent[series])

    def _next_record(self) -> Shipment | None:
        for row in self._journal.waiting(Series.SEQ, self._sent[Series.SEQ], 1):
            channel = topics.BY_NAME.get(f"up/{row.kind}", topics.EVENT)
            if self._too_large(len(row.payload)):
                self._journal.set_aside(Series.SEQ, row.number, f"its {len(row.payload)} bytes are more than the broker takes")
                return self._next_record()
            return Shipment(series=Series.SEQ, first=row.number, last=row.last, channel=channel, payload=row.payload)
        return None

    def _next_packed(self) -> Shipment | None:
        """The next batch of the track when it was packed ahead; not while one of its rows may be poison, and its rows go one by one."""
        batch = None if self._suspect else self._journal.next_batch(self._sent[Series.TSEQ], self._made_for)
        if batch is None or self._too_large(len(batch.payload)):
            return None
        return Shipment(series=Series.TSEQ, first=batch.number, last=batch.last, channel=topics.TRACK, payload=batch.payload)

    def _next_batch(self, now_s: float, *, all_now: bool, batch_s: float) -> Shipment | None:
        unsent = self._journal.waiting_count(Series.TSEQ) - self._open_numbers(Series.TSEQ)
        if unsent <= 0 or not (all_now or unsent >= FIXES_A_BATCH or self._in_time(now_s, batch_s)):
            return None
        rows = _first_batch(self._journal.waiting(Series.TSEQ, self._sent[Series.TSEQ], 1 if self._suspect else FIXES_A_BATCH))
        while rows:
            shipment = self._pack(rows)
            if not self._too_large(len(shipment.payload)):
                return shipment
            if len(rows) == 1:
                self._journal.set_aside(Series.TSEQ, rows[0].number, f"its {len(shipment.payload)} bytes are more than the broker takes")
            rows = rows[: len(rows) // 2]
        return None

    def _in_time(self, now_s: float, batch_s: float) -> bool:
        """On line a batch goes out every `batch_s`; what is older than that, the end of a backlog, need not wait again."""
        if self._track_sent_s is None or now_s - self._track_sent_s >= batch_s:
            return True
        oldest = self._journal.waiting(Series.TSEQ, self._sent[Series.TSEQ], 1)
        return bool(oldest) and self._journal.age_s(oldest[0]) >= batch_s

    def _pack(self, rows: Sequence[Row]) -> Shipment:
        payload = pack(rows, self._unit, self._journal.log, self._sieve.sift)
        return Shipment(series=Series.TSEQ, first=rows[0].number, last=rows[-1].last, channel=topics.TRACK, payload=payload)

    def _too_large(self, payload_bytes: int) -> bool:
        framing = 200  # topic, properties and lengths of the largest publish
        return self._largest_bytes is not None and payload_bytes + framing > max(self._largest_bytes, LEAST_BYTES)


def _first_batch(rows: Sequence[Row]) -> list[Row]:
    """The rows from the head on that one message can hold."""
    return next(batches(rows, FIXES_A_BATCH), [])
