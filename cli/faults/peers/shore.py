"""Where records arrive: our receiver with its store, or a listener that counts in the place of somebody else's."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from cli.child import mortal
from cli.faults.peers import record
from cli.faults.peers.broker import local
from fleet.intake import Series
from fleet.store import Store, StoreError, open_store
from mqtt.link import BrokerLink
from mqtt.session import Delivery, LinkError, Lost

Answer = TypeVar("Answer")
UNIT = "van-1"
LOOK_S = 0.1
AGAIN_S = 0.2  # between two attempts at a broker that is away
DAY_MS = 86_400_000
GATEWAY_DATA = "v1/gateway/telemetry"
GATEWAY_ASKS = "v1/gateway/attributes/request"
DEVICE_ASKS = ("v1/devices/me/rpc/request/", "v1/devices/me/attributes/request/")
# What a ThingsBoard of one's own answers, where nobody set a limit: the gateway may send as fast as it can.
UNLIMITED = {"messages": "", "telemetryMessages": "", "telemetryDataPoints": ""}
LIMITS = {"maxPayloadSize": 65_536, "maxInflightMessages": 100, "rateLimits": UNLIMITED, "gatewayRateLimits": UNLIMITED}

GATEWAY_LOGIN = "van"
# A ThingsBoard never returns to a gateway what that gateway published; a broker does, and the gateway would take its own settings for new
# ones, again and again. The rules of who is no gateway come first.
RULES = f"""topic readwrite #
user {GATEWAY_LOGIN}
topic write v1/#
topic read v1/devices/me/rpc/response/+
topic read v1/devices/me/attributes/response/+
topic read v1/gateway/attributes/response
"""


class Shore(Protocol):
    """The end of the road."""

    def open(self, port: int) -> None:
        """Take what comes from the broker at this port."""

    def arrived(self) -> Counter[int]:
        """How often each number came, a copy."""

    def count(self) -> int:
        """How many came so far, cheaply."""

    def close(self) -> None:
        """End."""


class Listener:
    """Counts what other people's ends would store; a session of seven days, so that the broker keeps for it what it can.

    To a ThingsBoard gateway it answers as a ThingsBoard does.
    """

    def __init__(self) -> None:
        self._arrived: Counter[int] = Counter()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._subscribed = threading.Event()

    def open(self, port: int) -> None:
        """Listen from now on."""
        filters = [record.TOPIC, GATEWAY_DATA, GATEWAY_ASKS, *(f"{topic}+" for topic in DEVICE_ASKS)]
        link = BrokerLink(local(port), "shore", filters, session_expiry_s=7 * 86_400, clean_start=False)
        self._thread = threading.Thread(target=self._run, args=(link,), name="shore")
        self._thread.start()
        self._subscribed.wait()

    def arrived(self) -> Counter[int]:
        """How often each number came."""
        return self._arrived.copy()

    def count(self) -> int:
        """How many different numbers came."""
        return len(self._arrived)

    def close(self) -> None:
        """End."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, link: BrokerLink) -> None:
        while not self._end.is_set():
            try:
                link.connect()
                self._subscribed.set()
                self._listen(link)
            except LinkError:
                self._end.wait(AGAIN_S)
        link.close()

    def _listen(self, link: BrokerLink) -> None:
        while not self._end.is_set():
            with suppress(queue.Empty):
                happening = link.inbox.get(timeout=LOOK_S)
                if isinstance(happening, Lost):
                    return
                if isinstance(happening, Delivery):
                    self._take(link, happening)

    def _take(self, link: BrokerLink, delivery: Delivery) -> None:
        told: Any = msgspec.json.decode(delivery.payload)
        if delivery.topic == record.TOPIC:
            self._arrived[told["n"]] += 1
        elif delivery.topic == GATEWAY_DATA:
            self._arrived.update(entry["values"]["n"] for entries in told.values() for entry in entries if "n" in entry["values"])
        else:
            self._answer(link, delivery.topic, told)

    def _answer(self, link: BrokerLink, topic: str, asked: Any) -> None:
        if topic == GATEWAY_ASKS:
            said: Any = {"id": asked["id"], "device": asked["device"], "values": {}}
            link.publish("v1/gateway/attributes/response", record.JSON.encode(said), 1)
            return
        said = LIMITS if asked.get("method") == "getSessionLimits" else {}
        link.publish(topic.replace("/request/", "/response/"), record.JSON.encode(said), 1)


class Receiver:
    """Our receiver, `roadproof fleet receive`, and its store in SQLite."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def open(self, port: int) -> None:
        """Start it; it waits for the broker by itself."""
        config = self._folder / "fleet.toml"
        store = f"sqlite://{self._folder}/fleet.db"
        config.write_text(f'store = "{store}"\n[broker]\nhost = "127.0.0.1"\nport = {port}\ntls = false\n', encoding="utf-8")
        with (self._folder / "receiver.log").open("ab") as log:
            self._process = subprocess.Popen(
                mortal([sys.executable, "-P", "-m", "cli", "fleet", "receive", "--config", str(config)]), stdout=log, stderr=log
            )

    def arrived(self) -> Counter[int]:
        """What its store holds; a record of another content than was fed counts as none."""
        fixes = self._asked(lambda store: list(store.fixes(UNIT, record.FIRST_MS, record.FIRST_MS + 365 * DAY_MS))) or []
        numbers = ((record.number_of(fix), msgspec.structs.replace(fix, tseq=0)) for fix in fixes)
        return Counter(number for number, fix in numbers if fix == record.point(number))

    def count(self) -> int:
        """How many fixes its store holds."""
        return self._asked(lambda store: sum(row.rows for row in store.series(UNIT) if row.series is Series.TSEQ)) or 0

    def _asked(self, ask: Callable[[Store], Answer]) -> Answer | None:
        """None while there is no store yet."""
        store = open_store(f"sqlite://{self._folder}/fleet.db", writing=False)
        try:
            with closing(store):
                store.open()
                return ask(store)
        except StoreError:
            return None

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
