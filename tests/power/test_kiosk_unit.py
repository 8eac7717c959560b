"""The browser behind the walls of its real unit, with its own sandbox on; and started anew when its page falls silent.

The root file system that it needs has a browser in it. Make it once: python -P -m tests.power.bench
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.errors import UsageError
from cli.faults.power import block, booted
from firmware.box.screen import FIRST_PAUSE_S
from tests.eventually import eventually
from tests.power.bench import Bench, browser_tree

SERVICE = "roadproof-kiosk.service"
CHROMIUM = b"/usr/lib/chromium/chromium"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    if not browser_tree().exists():
        pytest.skip("the root file system with a browser is not made yet: python -P -m tests.power.bench")
    try:
        block.need(booted.PROGRAMS)
    except UsageError as error:
        pytest.skip(str(error))
    with Bench(tmp_path_factory.mktemp("kiosk"), browser_tree()) as bench:
        eventually(lambda: bench.status().kiosk_seen_s, 60)
        yield bench


def processes(bench: Bench) -> dict[int, bytes]:
    """What runs in the unit's control group: this machine's numbers, and how each was called."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "cgroup").read_text(encoding="ascii").rstrip().endswith(f"/system.slice/{SERVICE}"):
                found[int(path.name)] = (path / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
    return found


def test_a_page_is_drawn_behind_the_walls_of_the_unit_in_a_sandbox_of_the_browsers_own(bench: Bench) -> None:
    found = processes(bench)
    (main,) = [number for number, command in found.items() if command.startswith(CHROMIUM) and b"--type=" not in command]
    drawing = [number for number, command in found.items() if b"--type=renderer" in command]
    assert drawing
    for kind in ("user", "net", "pid"):
        ours = Path(f"/proc/{main}/ns/{kind}").readlink()
        assert all(Path(f"/proc/{number}/ns/{kind}").readlink() != ours for number in drawing)


def test_only_this_units_own_address_is_listened_to(bench: Bench) -> None:
    for family, own in (("tcp", "0100007F:"), ("tcp6", "00000000000000000000000001000000:")):
        rows = [line.split() for line in (bench.files / "proc/1/net" / family).read_text(encoding="ascii").splitlines()[1:]]
        assert [row[1] for row in rows if row[3] == "0A" and not row[1].startswith(own)] == []


def test_a_silent_page_is_started_anew(bench: Bench) -> None:
    began = bench.property(SERVICE, "MainPID")
    for number in processes(bench):
        os.kill(number, signal.SIGSTOP)
    eventually(lambda: bench.property(SERVICE, "MainPID") not in {began, "0"}, FIRST_PAUSE_S)
    stopped_s = bench.status().kiosk_seen_s
    eventually(lambda: bench.status().kiosk_seen_s != stopped_s, 60)
    assert not (bench.files / "run/roadproof/requests/restart-kiosk").exists()
