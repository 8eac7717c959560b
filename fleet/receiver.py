"""The receiver: takes what units send, stores it, and only then says so - to the broker, and to the unit by a receipt.

One thread owns the link and the store. A broker or a database that is away is a state: the receiver says so,
waits and tries again; what it took and could not store stays with the broker and the unit.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Sequence

from fleet import receipts
from fleet.config import FleetSettings
from fleet.intake import Refused, SignedRecord, read, sentence
from fleet.notary import Notary
from fleet.proofs import Storable
from fleet.store import Kept, Store, StoreAwayError, UnstorableError, open_store
from fleet.tally import Tally
from mqtt import topics
from mqtt.backoff import Backoff
from mqtt.link import BrokerLink
from mqtt.messages import Receipt, encode
from mqtt.session import Delivery, LinkError, LinkState, Lost, Published, Session
from mqtt.session import Refused as SubscriptionRefused

log = logging.getLogger(__name__)

SESSION_KEPT_S = 7 * 86_400  # the broker holds what arrives while this receiver is away
BATCH_LIMIT = 200  # messages in one commit
BATCH_S = 0.05  # a batch is closed so long after its first message
SILENCE_S = 0.001  # or when nothing more comes: what comes during a commit makes the next batch
LOOK_UP_S = 0.1  # how soon a request to stop is noticed
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
SHORT_SESSION_S = 30.0  # a broker ends a session at once when another client comes with the same id; not every broker says why
SAME_NAME = "if that happens again and again, another receiver has the same `name`: each needs its own"


class Outbox:
    """Receipts on their way: never more under way than the broker allows, or it would end the session."""

    def __init__(self, link: BrokerLink, window: int) -> None:
        self._link = link
        self._window = window
        self._waiting: deque[Receipt] = deque()
        self._under_way: set[int] = set()

    def send(self, receipt: Receipt) -> None:
        """Send it, now or when there is room."""
        self._waiting.append(receipt)
        self._fill()

    def confirmed(self, mid: int) -> None:
        """The broker took one."""
        self._under_way.discard(mid)
        self._fill()

    def _fill(self) -> None:
        while self._waiting and len(self._under_way) < self._window:
            receipt = self._waiting.popleft()
            self._under_way.add(self._link.publish(topics.RECEIPT.topic(receipt.unit), encode(receipt), topics.RECEIPT.qos))


class Receiver:
    """Broker in, store and receipts out. Without a notary proofs are stored unchecked."""

    def __init__(self, link: BrokerLink, store: Store, stop: threading.Event, notary: Notary | None = None) -> None:
        self._link = link
        self._store = store
        self._stop = stop
        self._notary = notary
        self._link_pauses = Backoff(first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S)
        self._store_pauses = Backoff(first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S)
        self._tally = Tally()

    def run(self) -> None:
        """Work until asked to stop. StoreError when the store will never work like this."""
        try:
            if self._opened():
                log.info("records are kept in %s", self._store.place)
                self._serve_until_stopped()
        finally:
            self._link.flush(1.0)
            self._link.close(orderly=True)
            self._store.close()
        self._tally.tell()
        log.info("stopped in order; everything acknowledged is stored")

    def _opened(self) -> bool:
        while not self._stop.is_set():
            try:
                self._store.open()
            except StoreAwayError as error:
                self._pause(error, self._store_pauses)
            else:
                return True
        return False

    def _serve_until_stopped(self) -> None:
        while not self._stop.is_set():
            try:
                session = self._link.connect()
                log.info("connected to the broker %s; waiting for the fleet's messages", self._link.place)
                self._serve(session)
            except LinkError as error:
                self._link.close()
                self._pause(error, self._link_pauses)

    def _serve(self, session: Session) -> None:
        outbox = Outbox(self._link, session.receive_maximum)
        begun_s = time.monotonic()
        while not self._stop.is_set():
            batch, ended = self._gathered(outbox)
            if batch:
                self._keep(batch, outbox)
            if ended is not None:
                taken_over = ended.state is LinkState.TCP and time.monotonic() - begun_s < SHORT_SESSION_S
                raise LinkError(ended.state, f"{ended}; {SAME_NAME}") if taken_over else ended
            self._tally.tell_now_and_then()

    def _gathered(self, outbox: Outbox) -> tuple[list[Delivery], LinkError | None]:
        """The next batch, empty when there is none for a while; and the session's end when that came."""
        batch: list[Delivery] = []
        closes_s = 0.0
        while len(batch) < BATCH_LIMIT:
            patience_s = min(SILENCE_S, closes_s - time.monotonic()) if batch else LOOK_UP_S
            try:
                happening = self._link.inbox.get(timeout=max(0.0, patience_s))
            except queue.Empty:
                break
            match happening:
                case Delivery():
                    closes_s = closes_s or time.monotonic() + BATCH_S
                    batch.append(happening)
                case Published(mid=mid):
                    outbox.confirmed(mid)
                case Lost(sentence=told):
                    return batch, LinkError(LinkState.TCP, told)
                case SubscriptionRefused(sentence=told):
                    return batch, LinkError(LinkState.ACL, told)
        return batch, None

    def _keep(self, batch: Sequence[Delivery], outbox: Outbox) -> None:
        """Store a batch, then acknowledge it, then send the receipts: in this order, or a crash between them would lose records."""
        at_ms = time.time_ns() // 1_000_000
        kept = self._stored(batch, at_ms)
        if kept is None:
            return
        for delivery in batch:
            self._link.acknowledge(delivery)
        self._link_pauses.reset()
        for holding in kept.holdings:
            receipt = receipts.answer(holding, at_ms)
            for part in receipts.parts(receipt) if receipt is not None else ():
                outbox.send(part)
            self._tally.tell_missing(holding)
        self._tally.add(len(batch), kept)

    def _stored(self, batch: Sequence[Delivery], at_ms: int) -> Kept | None:
        """What the store did with a batch; None when asked to stop before it could."""
        items = [item for delivery in batch for item in self._read(delivery, at_ms)]
        try:
            return self._stored_with_patience(items, at_ms)
        except UnstorableError as error:
            if len(batch) > 1:
                return self._stored_singly(batch, at_ms)
            log.warning("a message on %r is refused: %s", batch[0].topic, error)
            return self._stored_with_patience([Refused(topic=batch[0].topic, payload=batch[0].payload, reason=sentence(error))], at_ms)

    def _read(self, delivery: Delivery, at_ms: int) -> list[Storable]:
        """A message as the store takes it, a proof with its verdict; the receipt is stored with it, and sent after that."""
        notary = self._notary
        return [
            notary.check(item, at_ms) if notary is not None and isinstance(item, SignedRecord) else item
            for item in read(delivery.topic, delivery.payload, at_ms)
        ]

    def _stored_singly(self, batch: Sequence[Delivery], at_ms: int) -> Kept | None:
        """One message among them is poison to the database: the others must not wait for it."""
        total = Kept()
        for delivery in batch:
            kept = self._stored([delivery], at_ms)
            if kept is None:
                return None
            total = total.plus(kept)
        return total

    def _stored_with_patience(self, items: Sequence[Storable], at_ms: int) -> Kept | None:
        while True:
            try:
                kept = self._store.keep(items, at_ms)
            except StoreAwayError as error:
                self._pause(error, self._store_pauses)
                if self._stop.is_set():
                    return None
            else:
                self._store_pauses.reset()
                return kept

    def _pause(self, error: Exception, pauses: Backoff) -> None:
        pause_s = pauses.next_s()
        log.warning("%s; trying again in %.0f s", error, pause_s)
        # An Event's wait in the main thread could lock up with its own signal handler; slices of sleep cannot.
        until_s = time.monotonic() + pause_s
        while not self._stop.is_set() and (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(left_s, LOOK_UP_S))


def broker_link(settings: FleetSettings) -> BrokerLink:
    """The link as a receiver needs it: acknowledges by hand, shares the load, finds its session again."""
    return BrokerLink(
        settings.broker,
        settings.client_id,
        [topics.receiver_filter(settings.group)],
        session_expiry_s=SESSION_KEPT_S,
        clean_start=False,
        manual_ack=True,
        receive_maximum=BATCH_LIMIT,
    )


def receive(settings: FleetSettings, stop: threading.Event) -> None:
    """The parts list: run a receiver until `stop` is set. StoreError or EvidenceError when it can never work like this."""
    notary = Notary(settings.evidence) if settings.evidence else None
    if notary is not None:
        notary.check_own(time.time_ns() // 1_000_000)
    Receiver(broker_link(settings), open_store(settings.store), stop, notary).run()
