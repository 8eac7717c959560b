"""How often the uplink comes back to a broker that grants sessions and ends them."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

from firmware.clock import Clock
from firmware.config import UplinkSettings
from firmware.diary import Diary
from firmware.status import Status, StatusBoard
from firmware.uplink.reports import Reports
from firmware.uplink.uplink import Uplink
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.session import Lost, Session, Will
from tests.journals import BOOT, open_journal


class EndingLink(BrokerLink):
    """A broker that grants every session and ends it at once, as it does with two clients of one name."""

    def __init__(self) -> None:
        super().__init__(BrokerSettings(host="broker.test"), "van-1", [])
        self.sessions = 0

    def connect(self, will: Will | None = None) -> Session:  # noqa: ARG002  the will of the real one
        self.sessions += 1
        self.inbox = queue.Queue()
        self.inbox.put(Lost("the broker ended the session"))
        return Session(receive_maximum=20, maximum_packet_bytes=None, topic_aliases=0)

    def publish(self, *_: object, **__: object) -> int:
        return 1

    def close(self, *, orderly: bool = False) -> None:
        """There is nothing to close."""


class Stop(threading.Event):
    """Waits in the test's own time."""

    def __init__(self) -> None:
        super().__init__()
        self.mono_s = 0.0
        self.waits_s: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits_s.append(timeout or 0.0)
        self.mono_s += timeout or 0.0
        return False


def test_a_broker_that_ends_every_session_is_asked_ever_more_rarely(tmp_path: Path) -> None:
    status, link, stop = StatusBoard(Status(unit="van-1")), EndingLink(), Stop()
    clock = Clock(mono_s=lambda: stop.mono_s)
    journal = open_journal(tmp_path)
    diary = Diary(unit="van-1", boot=BOOT, clock=clock, status=status)
    diary.open(journal)
    uplink = Uplink(
        unit="van-1",
        boot=BOOT,
        link=link,
        journal=journal,
        reports=Reports(unit="van-1", boot=BOOT, firmware="test", journal=journal, clock=clock, status=status),
        diary=diary,
        clock=clock,
        status=status,
        settings=UplinkSettings(),
    )
    began_s: list[float] = []
    while len(began_s) < 20:
        uplink.step(stop)
        if link.sessions > len(began_s):
            began_s.append(stop.mono_s)
    journal.close()
    assert began_s[1] - began_s[0] <= 1.0
    assert began_s[-1] - began_s[-9] > 100
    # A step that waits out five minutes at once would count as hung, and end the process in every long dead zone.
    assert max(stop.waits_s) <= 1.0 < Uplink.stall_s
