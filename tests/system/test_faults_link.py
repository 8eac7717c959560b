"""`faults link`: a short run is clean, and the product broken on purpose is found out."""

from __future__ import annotations

import os
from typing import Any

import pytest
from rich.progress import Progress

from cli.errors import UsageError
from cli.faults.link import trial
from cli.faults.link.roads import Badness
from cli.faults.link.trial import Load
from cli.faults.link.verdict import LinkTally
from cli.road import far_side
from cli.road.unit import NotingLink
from firmware.evidence.attachments import Attachments
from firmware.uplink.blobs import BlobLane
from firmware.uplink.outbox import Outbox, Shipment
from firmware.uplink.uplink import Uplink
from mqtt import topics
from mqtt.messages import BlobHeld
from mqtt.ranges import Ranges
from tests.system.broker import MOSQUITTO

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
CUT = Badness(cut_every_s=0.7)


def sent_over(bad: Badness, *, photo_bytes: int = 60_000, bad_s: float = 2.0, patience_s: float = 40.0) -> LinkTally:
    load = Load(photos=1, photo_bytes=photo_bytes, seed=1, bad_s=bad_s, patience_s=patience_s)
    return trial.run(bad, load, progress=Progress(disable=True))


def test_every_combination_of_what_is_bad_has_its_road() -> None:
    names = [one.name for one in Badness(rate_bps=64_000, loss=0.3, cut_every_s=2).combinations()]
    assert names == ["slow", "lossy", "cut", "slow and lossy", "slow and cut", "lossy and cut", "slow and lossy and cut"]


def test_nothing_is_lost_on_roads_that_are_slow_and_cut() -> None:
    tally = sent_over(Badness(rate_bps=200_000, cut_every_s=0.7))
    assert tally.is_clean, tally
    assert tally.faults
    assert tally.committed
    assert all(road["s"] is not None for road in tally.more["roads"].values())


@pytest.mark.skipif(far_side.lacking() is not None, reason=f"{far_side.lacking()}")
def test_nothing_is_lost_on_a_road_that_loses_packets() -> None:
    tally = sent_over(Badness(loss=0.1))
    assert tally.is_clean, tally


def test_losing_packets_without_root_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    with pytest.raises(UsageError, match=r"needs root.*--loss 0"):
        sent_over(Badness(loss=0.1))
    assert far_side.lacking() == "a tunnel of IP packets needs root"


# --- broken on purpose


def test_attachments_that_begin_anew_after_each_cut_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, hear = BlobLane.open, BlobLane.receipted

    def from_the_start(self: BlobLane, now_s: float, **told: Any) -> None:
        begin(self, now_s, **told)
        self._offset, self._probing = 0, False

    def deaf(self: BlobLane, blobs: dict[str, BlobHeld], now_s: float) -> list[str]:
        return hear(self, {name: held for name, held in blobs.items() if held.whole}, now_s)

    monkeypatch.setattr(BlobLane, "open", from_the_start)
    monkeypatch.setattr(BlobLane, "receipted", deaf)
    tally = sent_over(Badness(rate_bps=400_000, cut_every_s=1.2), photo_bytes=150_000, bad_s=3.5)
    assert tally.wasteful
    assert not tally.is_clean


def test_attachments_whose_bytes_change_on_the_way_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Attachments.chunk

    def damaged(self: Attachments, name: str, offset: int, limit_bytes: int) -> bytes:
        piece = read(self, name, offset, limit_bytes)
        return bytes([piece[0] ^ 1]) + piece[1:] if piece else piece

    monkeypatch.setattr(Attachments, "chunk", damaged)
    tally = sent_over(CUT, patience_s=4.0)
    assert tally.lost
    assert any("attachment" in sentence for sentence in tally.examples)


def swallow_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line takes the third event and never delivers it."""
    publish, seen = NotingLink.publish, list[str]()

    def swallowing(self: NotingLink, topic: str, payload: bytes, qos: int, **told: Any) -> int:
        if topic.endswith(topics.EVENT.name):
            seen.append(topic)
            if len(seen) == 3:
                return 60_000
        return publish(self, topic, payload, qos, **told)

    monkeypatch.setattr(NotingLink, "publish", swallowing)


def test_a_record_that_the_line_swallows_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    swallow_one_event(monkeypatch)
    assert sent_over(CUT).is_clean


def test_a_record_that_is_forgotten_when_it_is_sent_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    swallow_one_event(monkeypatch)
    note, send = Outbox.sent, Uplink._send_history
    sent = list[Shipment]()

    def noted(self: Outbox, mid: int, shipment: Shipment, now_s: float) -> None:
        note(self, mid, shipment, now_s)
        sent.append(shipment)

    def forgetful(self: Uplink, **told: Any) -> bool:
        done = send(self, **told)
        while sent:
            gone = sent.pop()
            self._forget(gone.series, Ranges([(gone.first, gone.last)]))
        return done

    monkeypatch.setattr(Outbox, "sent", noted)
    monkeypatch.setattr(Uplink, "_send_history", forgetful)
    tally = sent_over(CUT, patience_s=15.0)
    assert tally.lost
    assert any("record" in sentence for sentence in tally.examples)
