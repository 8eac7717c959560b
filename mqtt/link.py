"""The way to the broker: one MQTT 5 session at a time, every failure told apart, everything that happens put into one queue.

paho's callbacks run on paho's own thread and do nothing but put into the queue: an own lock held around `publish` while
a callback waits for it would stop the client for good. A full queue makes that thread wait, but never longer than the session.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from mqtt import topics, wire
from mqtt.login import BrokerSettings, pair_of, reason, secure
from mqtt.session import (
    FAILURE,
    Delivery,
    Happening,
    LinkError,
    LinkState,
    Lost,
    Nudge,
    Published,
    Refused,
    Session,
    Will,
    hung_up,
    refusal,
)

if TYPE_CHECKING:
    from paho.mqtt.client import Client

ANSWER_S = 10.0  # a broker that accepts TCP and does not answer CONNECT in this time is no broker
INBOX_LIMIT = 2_000  # a full inbox makes paho's thread wait, and so the broker
CLOSING_LOOK_S = 0.1  # how soon a thread that waits for room sees that nobody will make any
# Ends of a session that what was sent brought about: malformed, protocol error, not implemented, topic, size, payload format.
# Protocol error is also what paho makes of the answer 149 (too large) to a publish, which mosquitto gives and MQTT 5 does not know.
OBJECTIONS = {129, 130, 131, 144, 149, 153}
UNTRIED = {LinkState.DNS, LinkState.TIME}  # the way ended before a certificate of ours was asked for
NOT_NOW = {"not yet valid": 9, "expired": 10}  # OpenSSL's verify codes


class BrokerLink:
    """One client of the broker; connect, use, close, connect again. Not for two threads at once, except `inbox` and `nudge`."""

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        filters: Sequence[str],
        *,
        session_expiry_s: int = 0,
        clean_start: bool = True,
        manual_ack: bool = False,
        receive_maximum: int = 100,
    ) -> None:
        self.inbox: queue.Queue[Happening] = queue.Queue(INBOX_LIMIT)
        self._settings = settings
        self._pair = pair_of(settings)
        self._client_id = client_id
        self._filters = list(filters)
        self._session_expiry_s = session_expiry_s
        self._clean_start = clean_start
        self._manual_ack = manual_ack
        self._receive_maximum = receive_maximum
        self._client: Client | None = None
        self._answer: _Answer | None = None
        self._aliases: dict[str, int] = {}
        self._alias_limit = 0

    @property
    def place(self) -> str:
        """The broker as people write it."""
        return f"{self._settings.host}:{self._settings.port}"

    @property
    def has_renewal(self) -> bool:
        """Whether a renewed certificate waits to be tried: the next `connect` does."""
        return self._pair is not None and self._pair.renewed() is not None

    def connect(self, will: Will | None = None) -> Session:
        """Start a session and subscribe; LinkError says at which step it ended. What was left in the inbox is gone.

        Blocks at worst 10 s each for TCP, TLS and MQTT, and as long as the system's resolver takes for the name; twice that with a renewed
        certificate, which is tried first: it takes the old one's place once the broker began a session with it.
        """
        renewed = self._pair.renewed() if self._pair else None
        if self._pair is None or renewed is None:
            return self._begin(self._settings, will)
        try:
            session = self._begin(msgspec.structs.replace(self._settings, tls_cert=str(renewed.path)), will)
        except LinkError as error:
            if error.state in UNTRIED:
                raise
            session = self._begin(self._settings, will)
            self._pair.refuse(renewed, str(error))
        else:
            self._pair.promote(renewed)
        return session

    def _begin(self, settings: BrokerSettings, will: Will | None) -> Session:
        self.close()
        self.inbox = queue.Queue(INBOX_LIMIT)
        client, answered = self._new_client(settings, will)
        self._open(client)
        self._client, self._answer = client, answered
        client.loop_start()
        if not answered.ready.wait(ANSWER_S):
            self.close()
            raise LinkError(
                LinkState.TCP, f"{self.place} accepts the connection but does not answer as an MQTT broker; check host and port"
            )
        if answered.refusal is not None:
            self.close()
            raise answered.refusal
        assert answered.session is not None
        self._aliases = {}
        self._alias_limit = answered.session.topic_aliases
        return answered.session

    def publish(
        self, topic: str, payload: bytes, qos: int, *, retain: bool = False, expiry_s: int | None = None, content_type: str | None = None
    ) -> int:
        """Hand a message over; its answer comes as Published with the number returned. After the session's end it comes never.

        LinkError when no session was begun, or this side closed it.
        """
        if self._client is None:
            raise LinkError(LinkState.TCP, "there is no session with the broker")
        short, alias = self._alias(topic)
        told = wire.publish_properties(expiry_s, content_type, alias)
        return self._client.publish(short, payload, qos, retain, told).mid

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker that a message is safe here (manual_ack); of no effect for QoS 0 and after the session's end."""
        if self._client is not None and delivery.qos:
            self._client.ack(delivery.mid, delivery.qos)

    def nudge(self) -> None:
        """Wake who waits for the inbox; from any thread, never waits. A full inbox wakes him without."""
        with contextlib.suppress(queue.Full):
            self.inbox.put_nowait(Nudge())

    def let_go(self) -> None:
        """What was handed over last is not to wait for more: the next goes out only on its acknowledgement."""
        opened = self._client.socket() if self._client is not None else None
        if isinstance(opened, socket.socket):
            wire.let_go(opened)

    def flush(self, seconds: float) -> bool:
        """Wait until everything handed over has left; False when time ran out first."""
        client, pause = self._client, threading.Event()
        for _ in range(max(1, int(seconds / 0.02))):
            if client is None or not client.want_write():
                return True
            pause.wait(0.02)
        return False

    def close(self, *, orderly: bool = False) -> None:
        """End the session. Orderly: the broker does not publish the will."""
        client, self._client = self._client, None
        if client is None or self._answer is None:
            return
        self._answer.closing.set()
        client.on_disconnect = None
        if orderly and self._flushed_goodbye(client):
            client.loop_stop()
            return
        # A peer that fell silent never answers: break the socket, so that paho's thread ends at once.
        broken = client.socket()
        if isinstance(broken, socket.socket):
            with contextlib.suppress(OSError):  # already broken, as wanted
                broken.shutdown(socket.SHUT_RDWR)
        client.loop_stop()

    @staticmethod
    def _flushed_goodbye(client: Client) -> bool:
        gone = threading.Event()
        client.on_disconnect = lambda *_: gone.set()
        client.disconnect()
        return gone.wait(1.0)

    def _alias(self, topic: str) -> tuple[str, int]:
        """The topic or, once the broker knows it, its alias: 10 instead of 31 bytes of framing."""
        known = self._aliases.get(topic)
        if known:
            return "", known
        if len(self._aliases) >= self._alias_limit or _goes_once(topic):
            return topic, 0
        self._aliases[topic] = len(self._aliases) + 1
        return topic, self._aliases[topic]

    def _open(self, client: Client) -> None:
        settings = self._settings
        try:
            client.connect(
                settings.host,
                settings.port,
                settings.keepalive_s,
                clean_start=self._clean_start,
                properties=wire.session_wishes(self._session_expiry_s, self._receive_maximum),
            )
        except socket.gaierror as error:
            raise LinkError(
                LinkState.DNS, f"the name {settings.host} has no address ({error.strerror}); check it, and the network"
            ) from None
        except UnicodeError:  # it could not even be asked for: an empty part between dots, or one of more than 63 characters
            raise LinkError(LinkState.DNS, f"{settings.host} cannot be a name; check host") from None
        except ssl.SSLCertVerificationError as error:
            state = LinkState.TIME if error.verify_code in NOT_NOW.values() else LinkState.TLS
            hint = "check this machine's clock" if state is LinkState.TIME else "check tls_ca and the broker's name"
            raise LinkError(state, f"the certificate of {self.place} is not accepted: {error.verify_message}; {hint}") from None
        except ssl.SSLError as error:
            raise LinkError(LinkState.TLS, f"no TLS with {self.place}: {error.reason or error}; is it the TLS port?") from None
        except OSError as error:
            raise LinkError(LinkState.TCP, f"nobody answers at {self.place}: {reason(error)}; check the network, host and port") from None

    def _new_client(self, settings: BrokerSettings, will: Will | None) -> tuple[Client, _Answer]:
        from paho.mqtt import client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            self._client_id,
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=self._manual_ack,
        )
        client.connect_timeout = ANSWER_S
        client.max_inflight_messages_set(65_535)  # the window is the caller's
        secure(client, settings)
        if will is not None:
            client.will_set(will.topic, will.payload, 1, retain=True, properties=wire.will_properties(will.delay_s))
        answer = _Answer(self.inbox, self._filters, self.place, shown_certificate=bool(settings.tls and settings.tls_cert))
        client.on_connect = answer.on_connect
        client.on_subscribe = answer.on_subscribe
        client.on_publish = answer.on_publish
        client.on_message = answer.on_message
        client.on_disconnect = answer.on_disconnect
        client.on_socket_open = wire.watch_for_dead_peer
        client.on_socket_unregister_write = wire.send_together
        return client, answer


class _Answer:
    """What one client hears, on paho's thread: it only puts into the queue."""

    def __init__(self, inbox: queue.Queue[Happening], filters: Sequence[str], place: str, *, shown_certificate: bool) -> None:
        self.ready = threading.Event()
        self.closing = threading.Event()
        self.refusal: LinkError | None = None
        self.session: Session | None = None
        self._inbox = inbox
        self._filters = filters
        self._place = place
        self._shown_certificate = shown_certificate

    def on_connect(self, client: Client, _data: Any, _flags: Any, reason: Any, properties: Any) -> None:
        if reason.value >= FAILURE:
            self.refusal = refusal(self._place, reason.value, str(reason))
            self.ready.set()
            return
        self.session = Session(
            receive_maximum=getattr(properties, "ReceiveMaximum", 65_535),
            maximum_packet_bytes=getattr(properties, "MaximumPacketSize", None),
            topic_aliases=getattr(properties, "TopicAliasMaximum", 0),
        )
        if self._filters:
            client.subscribe([(topic, wire.subscription(topic)) for topic in self._filters])
        else:
            self.ready.set()

    def on_subscribe(self, _client: Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        for topic, answer in zip(self._filters, reasons, strict=False):
            if answer.value >= FAILURE:
                self._put(Refused(f"{self._place} refuses the subscription to {topic}: {answer}; check the broker's access rules"))
        self.ready.set()

    def on_publish(self, _client: Client, _data: Any, mid: int, reason: Any, _properties: Any) -> None:
        self._put(Published(mid, reason.value))

    def on_message(self, _client: Client, _data: Any, message: Any) -> None:
        self._put(Delivery(message.topic, message.payload, message.qos, message.mid, message.retain))

    def on_disconnect(self, _client: Client, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if not self.ready.is_set():
            self.refusal = hung_up(self._place, shown_certificate=self._shown_certificate)
            self.ready.set()
        by_broker = flags.is_disconnect_packet_from_server
        told = "broke off" if reason.value == FAILURE and not by_broker else f"ended: {reason}"
        self._put(Lost(f"the connection to {self._place} {told}", by_broker=by_broker, objected=reason.value in OBJECTIONS))

    def _put(self, happening: Happening) -> None:
        while not self.closing.is_set():
            with contextlib.suppress(queue.Full):
                self._inbox.put(happening, timeout=CLOSING_LOOK_S)
                return


def _goes_once(topic: str) -> bool:
    """Whether a topic names one piece of an attachment: a photo's pieces would use up the broker's aliases, and none comes again."""
    address = topics.parse(topic)
    return address is not None and address.channel is topics.BLOB
