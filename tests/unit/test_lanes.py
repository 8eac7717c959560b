"""Tests that disturb each other never run at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lanes import lane, turn

TESTS = Path(__file__).parents[1]
# What makes a network device on this machine, and what loads pages while one comes or goes.
DISTURBING = re.compile(r"\bfar_side\b|cli\.road\.(?:tunnel|town)\b")
DISTURBED = re.compile(r"playwright|which\(\"chromium\"|kiosk_command")


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/browser/test_day.py::test_a[1-a::b/c]", "network"),
        ("tests/system/test_road.py::test_b", "network"),
        ("tests/power/test_boot.py::test_c", "machines"),
        ("tests/system/test_daemon.py::test_d", "tests/system/test_daemon.py"),
        ("tests/browserless.py::test_e", "tests/browserless.py"),
    ],
)
def test_a_test_shares_its_worker_with_its_lane_or_its_file(nodeid: str, expected: str) -> None:
    assert lane(nodeid) == expected


def test_what_takes_long_is_handed_out_first() -> None:
    scopes = ["tests/unit/test_a.py", "tests/system/test_b.py", "machines", "network", "tests/fuzz/test_c.py"]
    assert sorted(scopes, key=turn) == ["network", "machines", "tests/system/test_b.py", "tests/unit/test_a.py", "tests/fuzz/test_c.py"]


@pytest.mark.parametrize("pattern", [DISTURBING, DISTURBED], ids=["makes a device", "loads pages"])
def test_whatever_touches_the_network_of_this_machine_is_in_its_lane(pattern: re.Pattern[str]) -> None:
    found = [path for path in TESTS.rglob("test_*.py") if path != Path(__file__) and pattern.search(path.read_text(encoding="utf-8"))]
    assert found
    assert {lane(str(path.relative_to(TESTS.parent))) for path in found} == {"network"}, found
