"""Journal to broker in two lanes, receipt to delete, broker to the unit."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING

from firmware.clock import Clock
from firmware.config import UplinkSettings
from firmware.diary import Diary
from firmware.driving.trip import TripState
from firmware.journal import Journal, Series
from firmware.status import StatusBoard
from firmware.uplink.live import LiveSchedule
from firmware.uplink.outbox import Outbox, Shipment
from firmware.uplink.reports import Reports
from mqtt import messages, topics
from mqtt.backoff import Backoff
from mqtt.link import BrokerLink
from mqtt.ranges import Ranges
from mqtt.session import DENIED, FAILURE, NO_SUBSCRIBER, Delivery, Happening, LinkError, LinkState, Lost, Nudge, Published, Refused, Will
from mqtt.topics import Channel

if TYPE_CHECKING:  # cryptography is not loaded on a unit without a screen
    from firmware.uplink.post import ProofPost
    from firmware.uplink.runs import RunInbox

log = logging.getLogger(__name__)

DRIVING = TripState.DRIVING.value

WINDOW = 20  # publishes under way: more makes nothing faster and fills the modem's buffers
SILENCE_S = 20.0  # a broker that owes an answer for so long is gone, whatever TCP says
STEP_S = 1.0  # the longest wait in one step
FIRST_LOOK_S = 0.25  # the same before the first fix, which nobody announces
WILL_DELAY_S = 60  # a short tunnel is no offline
GOODBYE_S = 3.0  # for the last records at an orderly end
RESERVED_PUBLISHES = 5  # state, last, health, a proof to be signed for and a piece of an attachment go beside the window
UNSENDABLE = {144, 149, 153}  # topic, size or payload refused for good


class Uplink:
    """The worker that owns the way to the fleet."""

    name = "uplink"
    may_be_left = True
    stall_s = 120.0  # looking up a name may block for a minute and a half where the resolvers are silent

    def __init__(
        self,
        *,
        unit: str,
        boot: str,
        link: BrokerLink,
        journal: Journal,
        reports: Reports,
        diary: Diary,
        clock: Clock,
        status: StatusBoard,
        settings: UplinkSettings,
        bound_m: float = 0.0,
        post: ProofPost | None = None,
        runs: RunInbox | None = None,
    ) -> None:
        self._unit = unit
        self._boot = boot
        self._link = link
        self._journal = journal
        self._reports = reports
        self._diary = diary
        self._clock = clock
        self._status = status
        self._settings = settings
        self._post = post  # both None on a unit without a screen
        self._runs = runs
        self._outbox = Outbox(journal, unit=unit, batch_s=settings.batch_s, bound_m=bound_m)
        self._live = LiveSchedule(moving_s=settings.live_moving_s, parked_s=settings.live_parked_s)
        self._backoff = Backoff(first_s=1.0, longest_s=300.0)
        self._online = False
        self._broker_answered = False
        self._owed: set[int] = set()  # publishes that the broker must answer
        self._down_s: float | None = None
        self._retry_s = 0.0  # not before then
        self._health_s = 0.0
        self._session = 0
        journal.on_record(link.nudge)

    def step(self, stop: threading.Event) -> None:
        """Connect, or serve the session for a moment."""
        if not self._online:
            self._connect(stop)
            return
        if self._link.has_renewal:
            self._change_over()
            return
        self._send_live()
        self._send_health()
        sent = self._send_history() or self._send_unsigned() or self._send_blob()
        self._listen(0.0 if sent else self._patience_s())
        self._look_at_receipts()

    def finish(self) -> None:
        """Send what is left for a few seconds, then take leave, so that no will is published."""
        if not self._online:
            return
        end_s = self._clock.mono_s() + GOODBYE_S
        while (
            self._online
            and self._clock.mono_s() < end_s
            and (self._journal.waiting_count(Series.SEQ) or self._journal.waiting_count(Series.TSEQ))
        ):
            self._send_history(all_now=True)
            self._listen(0.05)
        if self._online:
            if self._settings.retain_last and self._status.snapshot().position is not None:
                self._publish(topics.LAST, messages.encode(self._reports.last()))  # where it is parked
            self._publish(topics.STATE, messages.encode(self._reports.state("asleep", self._session)))
            self._link.flush(1.0)
            self._link.close(orderly=True)
        self._online = False

    def _patience_s(self) -> float:
        """How long there is nothing to do, as far as is known: a record, an answer and a receipt come by the link's queue."""
        status = self._status.snapshot()
        if status.position is None:
            return FIRST_LOOK_S
        return min(STEP_S, max(0.0, self._live.due_in_s(self._clock.mono_s(), moving=status.moving)))

    # --- the session

    def _connect(self, stop: threading.Event) -> None:
        left_s = self._retry_s - self._clock.mono_s()
        if left_s > 0:
            if not self._outbox.prepare():
                stop.wait(min(left_s, STEP_S))  # in steps: a long pause must not look like a worker that hangs
            return
        self._session = self._journal.next_session(self._clock.now().at_ms // 1000)
        farewell = messages.encode(self._reports.state("offline", self._session))
        try:
            granted = self._link.connect(Will(topics.STATE.topic(self._unit), farewell, WILL_DELAY_S))
        except LinkError as error:
            self._tell(error.state, str(error))
            self._pause()
            return
        now_s = self._clock.mono_s()
        self._online, self._broker_answered = True, False
        self._owed.clear()
        self._outbox.open(
            now_s,
            window=min(WINDOW, granted.receive_maximum - RESERVED_PUBLISHES),
            largest_bytes=granted.maximum_packet_bytes,
        )
        if self._post:
            self._post.open(now_s, largest_bytes=granted.maximum_packet_bytes)
        self._status.count("connects")
        self._tell(LinkState.ONLINE, f"connected to {self._link.place}")
        self._live.hurry()
        self._health_s = now_s  # the birth says as much
        self._send_live()
        self._publish(topics.STATE, messages.encode(self._reports.state("online", self._session)))
        if self._down_s is not None:
            self._diary.note("link.up", {"down_s": round(now_s - self._down_s)})
            self._down_s = None

    def _change_over(self) -> None:
        """End a good session to begin the next one with the renewed certificate: what was under way goes again, nothing waits."""
        self._link.close(orderly=True)  # no will: nobody sees it as an outage
        self._online = False
        self._retry_s = 0.0

    def _lose(self, state: LinkState, sentence: str, *, objected: bool = False) -> None:
        # A cut at the same record, even three times, is a bad network.
        poison = self._outbox.suspect_head(broker_answered=self._broker_answered) if objected else None
        self._online = False
        self._pause()
        self._link.close()
        self._tell(state, sentence)
        if poison is not None:
            self._set_aside(poison, "the broker ends the session when it is sent")
        if self._down_s is None:
            self._down_s = self._clock.mono_s()
            self._diary.note("link.down", {"state": state.value})

    def _pause(self) -> None:
        """Come back later, and later each time: also to a broker that grants every session and ends it. Only a receipt resets it."""
        self._retry_s = self._clock.mono_s() + self._backoff.next_s()

    def _tell(self, state: LinkState, sentence: str) -> None:
        before = self._status.snapshot()
        if (before.link, before.link_sentence) != (state.value, sentence):
            log.log(logging.INFO if state is LinkState.ONLINE else logging.WARNING, "%s", sentence)
        self._status.change(link=state.value, link_sentence=sentence)

    # --- out

    def _publish(self, channel: Channel, payload: bytes) -> int:
        mid = self._link.publish(
            channel.topic(self._unit),
            payload,
            channel.qos,
            retain=channel.retained,
            expiry_s=channel.expiry_s,
            content_type=channel.content_type,
        )
        if channel.qos:
            self._owed.add(mid)
        return mid

    def _send_live(self) -> None:
        now_s = self._clock.mono_s()
        if self._status.snapshot().position is None or not self._live.due(now_s, moving=self._status.snapshot().moving):
            return
        self._publish(topics.LIVE, messages.encode(self._reports.live()))
        self._status.count("live_sent")
        if self._settings.retain_last and self._live.last_due(now_s):
            self._publish(topics.LAST, messages.encode(self._reports.last()))

    def _send_health(self) -> None:
        now_s = self._clock.mono_s()
        if now_s - self._health_s >= self._settings.health_s:
            self._health_s = now_s
            self._publish(topics.HEALTH, messages.encode(self._reports.health()))

    def _send_history(self, *, all_now: bool = False) -> bool:
        shipment = self._outbox.next(self._clock.mono_s(), all_now=all_now, parked=self._status.snapshot().trip != DRIVING)
        if shipment is None:
            return False
        mid = self._publish(shipment.channel, shipment.payload)
        self._outbox.sent(mid, shipment, self._clock.mono_s())
        if shipment.series is Series.TSEQ:
            self._status.count("track_sent")
        return True

    def _send_unsigned(self) -> bool:
        """A proof that the receiver stores and did not sign for: beside the window, for to the outbox it is done with."""
        row = self._post.unsigned(self._clock.mono_s()) if self._post else None
        if row is not None:
            self._publish(topics.POD, row.payload)
        return row is not None

    def _send_blob(self) -> bool:
        """One piece of an attachment, when nothing else is to be sent: also not the record that names it."""
        now_s = self._clock.mono_s()
        chunk = self._post.next(now_s) if self._post else None
        if self._post is None or chunk is None or self._outbox.has_unsent_records():
            return False
        mid = self._link.publish(topics.blob_topic(self._unit, chunk.name, chunk.offset), chunk.payload, topics.BLOB.qos)
        self._link.let_go()
        self._owed.add(mid)
        self._post.lane.sent(mid, chunk, now_s)
        self._status.count("blob_chunks_sent")
        return True

    # --- in

    def _listen(self, seconds: float) -> None:
        """Take what happened; wait for the first of it."""
        try:
            happening = self._link.inbox.get(timeout=seconds) if seconds else self._link.inbox.get_nowait()
        except queue.Empty:
            return
        self._take(happening)
        while self._online and not self._link.inbox.empty():
            self._take(self._link.inbox.get_nowait())

    def _take(self, happening: Happening) -> None:
        match happening:
            case Published(mid, reason):
                self._take_answer(mid, reason)
            case Delivery():
                self._take_delivery(happening)
            case Lost():
                self._lose(LinkState.TCP, happening.sentence, objected=happening.objected)
            case Refused():
                self._tell(LinkState.ACL, happening.sentence)
            case Nudge():
                pass  # it has woken: the next step sends

    def _take_answer(self, mid: int, reason: int) -> None:
        if mid in self._owed:
            self._owed.discard(mid)
            self._broker_answered = True
        now_s = self._clock.mono_s()
        if reason < NO_SUBSCRIBER:
            if self._post and self._post.lane.taken(mid, now_s):
                return
            shipment = self._outbox.taken(mid, now_s)
            if shipment is not None and self._settings.forget_on == "puback":
                self._forget(shipment.series, Ranges([(shipment.first, shipment.last)]))
            return
        if self._post and self._post.lane.refused(mid, now_s):
            log.info("the broker does not take a piece of an attachment (reason %d); it is tried again", reason)
            return
        shipment = self._outbox.refused(mid, now_s)
        if shipment is None:
            return
        if reason == NO_SUBSCRIBER:
            self._tell(
                LinkState.NO_RECEIVER,
                f"{self._link.place} is there, but no receiver stores this unit's records; start the fleet's receiver",
            )
        elif reason in UNSENDABLE:
            self._set_aside(shipment, f"the broker refuses it for good (reason {reason})")
        elif reason == DENIED:
            topic = shipment.channel.topic(self._unit)
            self._tell(LinkState.ACL, f"{self._link.place} does not let this unit publish {topic}; check the broker's access rules")
        else:
            assert reason >= FAILURE or reason > NO_SUBSCRIBER
            self._tell(LinkState.ACL, f"{self._link.place} refuses records for now (reason {reason})")

    def _take_delivery(self, delivery: Delivery) -> None:
        address = topics.parse(delivery.topic)
        if address is None or address.unit != self._unit or address.channel is None or address.channel.message is None:
            return
        if address.channel is topics.RUN:
            if self._runs:
                self._runs.take(delivery.payload)
            return
        try:
            message = messages.decode(delivery.payload, address.channel.message)
        except messages.MessageError as error:
            log.warning("a message on %s breaks the contract and is passed over: %s", delivery.topic, error)
            return
        if message.unit != self._unit:
            log.warning("a message on %s is for unit %s and is passed over", delivery.topic, message.unit)
        elif isinstance(message, messages.Receipt):
            self._take_receipt(message)
        elif isinstance(message, messages.Watch):
            self._live.watch(self._clock.mono_s(), message.every_s, message.for_s)

    def _take_receipt(self, receipt: messages.Receipt) -> None:
        if self._post:  # the chain and the attachments are the unit's, whichever journal numbered the records
            self._post.take(receipt, self._clock.mono_s())
        if receipt.log != self._journal.log:
            return  # of a journal that this unit had before
        self._status.count("receipts")
        for series, held in ((Series.SEQ, receipt.seq), (Series.TSEQ, receipt.tseq)):
            spans = [(1, held.upto)] if held.upto else []
            # A pair that runs backwards is a fault of the receiver's; the rest of its word still counts.
            spans += [(first, last) for first, last in held.also if first <= last]
            self._forget(series, Ranges(spans))
            missing = [(first, last) for first, last in held.missing if first <= last]
            if missing:
                self._send_again(series, missing)
        self._outbox.receipted(self._clock.mono_s())
        self._backoff.reset()
        if self._status.snapshot().link != LinkState.ONLINE:
            self._tell(LinkState.ONLINE, f"connected to {self._link.place}, the receiver stores")

    def _forget(self, series: Series, held: Ranges) -> None:
        if self._journal.acknowledge(series, held) and self._settings.forget_on == "puback":
            self._outbox.receipted(self._clock.mono_s())
            self._backoff.reset()

    def _send_again(self, series: Series, missing: list[tuple[int, int]]) -> None:
        gone = self._journal.send_again(series, missing)
        self._outbox.forget_sent(series, missing)
        log.warning("the receiver lost %s %s and gets them again; gone for good: %s", series.value, missing, gone or "none")
        reason = "receipted before, held no longer by the unit or the receiver"
        markers = [self._diary.tombstone(self._journal.log, first, last - first + 1, reason) for first, last in gone]
        self._outbox.account_for(self._journal.log, self._boot, series, gone, markers)

    # --- what goes wrong

    def _look_at_receipts(self) -> None:
        now_s = self._clock.mono_s()
        if not self._online:
            return
        owed_s = self._post.lane.silent_s(now_s) if self._post else 0.0
        if max(self._outbox.silent_s(now_s), owed_s) > SILENCE_S:
            self._lose(LinkState.TCP, f"{self._link.place} has not answered for {SILENCE_S:.0f} s; connecting again")
            return
        if self._post and self._post.lane.overdue(now_s):
            log.info("the receiver says nothing of an attachment; it is sent again later")
        if self._outbox.overdue(now_s):
            self._tell(
                LinkState.NO_RECEIVER, f"{self._link.place} takes records, but no receiver says that it stored them; check the receiver"
            )

    def _set_aside(self, shipment: Shipment, reason: str) -> None:
        if shipment.stored:
            self._journal.set_aside_range(shipment.series, shipment.first, shipment.last, reason)
            self._diary.note(
                "storage.set_aside", {"series": shipment.series.value, "first": shipment.first, "last": shipment.last, "reason": reason}
            )
