"""What paho is told of a session, a subscription, a message and its socket: MQTT 5's properties, TCP's options."""

from __future__ import annotations

import contextlib
import socket
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mqtt import topics

if TYPE_CHECKING:
    from paho.mqtt.client import Client

DEAD_PEER_MS = 20_000  # the kernel gives a connection up when sent bytes stay unacknowledged so long


def session_wishes(expiry_s: int, receive_maximum: int) -> Any:
    """How long the broker keeps the session after its end, and how many messages may be under way to us."""
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    wishes = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    wishes.SessionExpiryInterval = expiry_s
    wishes.ReceiveMaximum = receive_maximum
    return wishes


@lru_cache(maxsize=64)  # made anew they are a sixth of a publish's work; paho only reads them
def publish_properties(expiry_s: int | None, content_type: str | None, alias: int) -> Any:
    """What is told of a message beside its topic."""
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    told = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if expiry_s is not None:
        told.MessageExpiryInterval = expiry_s
    if content_type is not None:
        told.ContentType = content_type
    if alias:
        told.TopicAlias = alias
    return told


def subscription(topic: str) -> Any:
    """How a topic is wanted: once at least, but receipts without an answer to each, for the next one says all that the last one did."""
    from paho.mqtt.subscribeoptions import SubscribeOptions

    address = topics.parse(topic)
    return SubscribeOptions(qos=0 if address is not None and address.channel is topics.RECEIPT else 1)


def will_properties(delay_s: int) -> Any:
    """How long the broker waits with the will."""
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    told = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
    told.WillDelayInterval = delay_s
    return told


def watch_for_dead_peer(_client: Client, _data: Any, opened: Any) -> None:
    """A new socket: nothing waits in it for more, and a peer that answers nothing is given up."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def send_together(_client: Client, _data: Any, opened: Any) -> None:
    """All that paho had to write is written: let it go, and hold the next until it is whole. What goes together shares a segment.

    Should paho not call this, which happens when its thread is done before the publishing one has announced the write, the kernel lets go
    by itself within 200 ms (tcp(7), TCP_CORK).
    """
    if hasattr(socket, "TCP_CORK"):
        with contextlib.suppress(OSError):  # the session ended meanwhile
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)


def let_go(opened: socket.socket) -> None:
    """Send at once what waits for more to share its segment; what follows waits again when paho has written all it had."""
    if hasattr(socket, "TCP_CORK"):
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
