"""The bench's road: a few minutes of the working day over real packets, and the pings that its clock leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.bench import jumping_link, network
from cli.road import far_side
from tests.system.broker import MOSQUITTO

needs_road = pytest.mark.skipif(MOSQUITTO is None or far_side.lacking() is not None, reason="needs mosquitto, and root for a tunnel")


@needs_road
def test_some_minutes_of_a_day_cost_what_packets_say(tmp_path: Path) -> None:
    told = network.month(tmp_path, seed=1, hours=0.1)
    assert 1 < told["month"] < 200
    assert sum(told[f"month, {name}"] for name in network.MONTH_PARTS) == pytest.approx(told["month"])
    assert 0 < told["month, payload"] < told["month"]


@needs_road
def test_a_backlog_drains_over_a_mobile_network(tmp_path: Path) -> None:
    rate, wire_bytes = network.drain(tmp_path, seed=1, count=600)
    assert rate > 0
    assert 4 < wire_bytes < 100  # less than any packing reaches, more than one fix a message costs


@needs_road
def test_each_event_beside_a_photo_is_seen(tmp_path: Path) -> None:
    latencies_s = network.event_latencies_s(tmp_path, seed=1, photo_bytes=20_000)
    assert latencies_s
    assert min(latencies_s) >= network.DELAY_S


def test_silence_in_one_direction_is_enough_for_a_ping() -> None:
    out_s = [float(at_s) for at_s in range(0, 601, 50)]
    assert jumping_link._pings(out_s, out_s, 60) == 0
    assert jumping_link._pings(out_s, [0.0], 60) == 10
