"""What the boot screen and the technician's page say of each part."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from firmware.day.views import view
from firmware.status import PositionStatus, SeriesStatus, Status
from firmware.terminal.surroundings import Check, checks
from tests.runs import Shift

HERE = PositionStatus(at_ms=0, mono_s=0.0, lat_deg=52.5, lon_deg=13.4)


def check(key: str, **status: Any) -> Check:
    return next(one for one in checks(Status(**status)) if one.key == key)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"gnss": "silent"}, Check("gnss", "wait", "silent")),
        ({"gnss": "a fix", "has_fix": True, "position": HERE}, Check("gnss", "ok")),
        ({"has_fix": True, "position": msgspec.structs.replace(HERE, sats=11)}, Check("gnss", "ok", "11")),
        ({"gnss": "lost", "position": HERE}, Check("gnss", "wait", "lost")),
        ({"camera": ""}, Check("camera", "wait")),
        ({"camera": "opening"}, Check("camera", "wait")),
        ({"camera": "ok"}, Check("camera", "ok")),
        ({"camera": "It was unplugged."}, Check("camera", "bad", "It was unplugged.")),
        ({}, Check("scanner", "ok")),
        ({"scanners": ("One is gone.", "So is the other.")}, Check("scanner", "bad", "One is gone. So is the other.")),
        ({"link": "online", "link_sentence": "connected"}, Check("broker", "ok")),
        ({"link": "dns", "link_sentence": "no such name"}, Check("broker", "wait", "no such name")),
        ({"journal_quota_bytes": 100, "journal_used_bytes": 94}, Check("storage", "ok", "94%")),
        ({"journal_quota_bytes": 100, "journal_used_bytes": 95}, Check("storage", "bad", "95%")),
        ({}, Check("storage", "ok", "0%")),
        ({"journal": "The card is full."}, Check("storage", "bad", "The card is full.")),
        ({"seq": SeriesStatus(waiting=3), "blobs_waiting": 2}, Check("queue", "ok", "5")),
        ({"time_source": "gnss"}, Check("clock", "ok", "gnss")),
        ({"time_source": "floor"}, Check("clock", "wait", "floor")),
    ],
)
def test_each_part_is_told_as_it_is(status: dict[str, Any], expected: Check) -> None:
    assert check(expected.key, **status) == expected


def test_every_part_is_told_once() -> None:
    keys = [one.key for one in checks(Status())]
    assert keys == ["gnss", "camera", "scanner", "broker", "storage", "queue", "clock"]


def test_the_boot_screen_gets_the_code_with_the_units_name() -> None:
    shift = Shift()
    shift.be(ready=False)
    page = view(shift.work, shift.now, {"unit": "van-1", "version": "1.2", "qr": {"size": 1, "path": "M0 0h1v1h-1z"}})
    assert page["d"] == {"checks": [], "unit": "van-1", "version": "1.2", "qr": {"size": 1, "path": "M0 0h1v1h-1z"}}
