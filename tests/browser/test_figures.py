"""The stopwatch before the page works; what it says is nobody's test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.rig import CHROMIUM

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium fonts-noto-core")
def test_every_tap_of_a_proof_is_timed_and_the_browser_weighed() -> None:
    command = [sys.executable, "-m", "tests.browser.figures", "--taps", "1"]
    told = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout)
    assert set(told) == {"taps", "tap_to_next_screen_ms", "by_screen_ms", "browser", "browser_mb", "load"}
    assert told["taps"] == 6
    assert set(told["by_screen_ms"]) == {"stop", "scan", "sign", "name", "route"}
    assert all(told["tap_to_next_screen_ms"][key] > 0 for key in ("p50", "p95", "most"))
    assert told["browser_mb"]["pss"] > 0
