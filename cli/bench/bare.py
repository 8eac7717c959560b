"""paho by itself, as its users write it: what ours is compared with. Ours has its one door to paho in mqtt/link.py."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from cli.errors import UsageError

HOST = "127.0.0.1"
PATIENCE_S = 60.0
RETRY_S = (1, 5)  # paho's own first pause, and a shorter longest one than its two minutes


class Queueing:
    """A client that is handed records whether there is a broker or not; its queue in memory keeps what cannot leave."""

    def __init__(self, port: int) -> None:
        # A session that the broker keeps, MQTT 3.1.1, a window of 20: paho's defaults, but for the session, which loses less when kept.
        self._client = paho.Client(CallbackAPIVersion.VERSION2, "peer", clean_session=False)
        self._client.max_queued_messages_set(0)  # its default, said aloud: the queue in memory has no limit
        self._client.reconnect_delay_set(*RETRY_S)
        self._client.connect_async(HOST, port)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand one over, at QoS 1."""
        self._client.publish(topic, payload, 1)


class Publishing:
    """A client that publishes what is there as fast as its window lets it; it connects when it is made."""

    def __init__(self, name: str, port: int, window: int) -> None:
        self._there, self._taken, self._left = threading.Event(), threading.Event(), 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
        self._client.max_inflight_messages_set(window)
        self._client.on_connect = lambda *_: self._there.set()
        self._client.on_publish = self._count
        self._client.connect(HOST, port)
        self._client.loop_start()

    def publish(self, topic: str, payloads: Sequence[bytes]) -> None:
        """At QoS 1; returns with the last PUBACK. UsageError when the broker does not answer."""
        self._left = len(payloads)
        self._wait(self._there)
        for payload in payloads:
            self._client.publish(topic, payload, 1)
        self._wait(self._taken)

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()

    def _wait(self, answered: threading.Event) -> None:
        if not answered.wait(PATIENCE_S):
            raise UsageError(f"the broker that is measured did not answer within {PATIENCE_S:.0f} s; look what else this machine does")

    def _count(self, *_: Any) -> None:
        self._left -= 1
        if not self._left:
            self._taken.set()
