"""The demo as a newcomer runs it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import urllib.request
import uuid
from functools import partial
from pathlib import Path
from typing import IO

from firmware import status as statuses
from firmware.status_file import STATUS_FILE
from tests.eventually import eventually

DEMO = [sys.executable, "-P", "-m", "cli", "demo"]
KEYS = ["fixes_read", "records_written", "records_received", "records_receipted", "lost", "stored_twice", "proofs_received", "proofs_good"]


def test_demo_loses_nothing_and_stores_nothing_twice() -> None:
    run = subprocess.run([*DEMO, "--for", "14s", "--speed", "10", "--json"], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    summary = json.loads(run.stdout)
    assert list(summary) == KEYS
    assert (summary["lost"], summary["stored_twice"]) == (0, 0)
    assert summary["records_received"] == summary["records_receipted"] == summary["records_written"] > 50
    assert summary["fixes_read"] > 50


def test_demo_tells_its_story_in_lines_where_there_is_no_terminal(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    run = subprocess.run([*DEMO, "--for", "12s", "--keep", str(kept)], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    for word in ("Tunnel", "Dead zone", "Pulled plug", "What was counted", "stored twice"):
        assert word in run.stdout
    assert "Traceback" not in "".join(log.read_text() for log in kept.glob("*.log"))
    shown = [sys.executable, "-P", "-m", "cli", "journal", "show", "--config", str(kept / "unit.toml"), "--json"]
    assert json.loads(subprocess.run(shown, capture_output=True, text=True, check=True).stdout)["series"][1]["waiting"] == 0


def test_ctrl_c_ends_the_demo_cleanly_and_counts_what_there_is(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    demo = subprocess.Popen([*DEMO, "--for", "300s", "--json", "--keep", str(kept)], stdout=subprocess.PIPE, text=True)
    eventually((kept / "run" / "status.json").exists, 30)
    demo.send_signal(signal.SIGINT)
    told, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert json.loads(told)["lost"] == 0
    left = subprocess.run(["pgrep", "-f", str(kept)], capture_output=True, text=True, check=False)
    assert left.stdout == ""


def test_demo_says_in_one_line_what_was_typed_wrongly(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    for words in (["--for", "soon"], ["--for", "1s"], ["--speed", "100"], ["--keep", str(tmp_path)], ["--sped", "3"]):
        run = subprocess.run([*DEMO, *words], capture_output=True, text=True, timeout=30, check=False)
        assert (run.returncode, run.stdout) == (2, "")
        assert len(run.stderr.strip().splitlines()) == 1


def test_whoever_watches_pulls_the_plug_and_takes_the_network_away_with_a_key(tmp_path: Path) -> None:
    kept, (watcher, terminal) = tmp_path / "kept", pty.openpty()
    before = termios.tcgetattr(terminal)
    words = [*DEMO, "--for", "300s", "--keep", str(kept)]
    demo = subprocess.Popen(words, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert demo.stdout is not None
    try:
        page = str(eventually(lambda: re.search(r"http://\S+", demo.stdout.readline()), 60)[0])  # type: ignore[union-attr,index]
        first = eventually(partial(pid_in, kept), 30)
        say_that_a_page_is_open(page)
        told_until(demo.stdout, "pulls over")
        os.write(watcher, b"p")
        told_until(demo.stdout, "has it back")
        assert pid_in(kept) not in {0, first}
        os.write(watcher, b"n")
        told_until(demo.stdout, "No network")
        os.write(watcher, b"n")
        told_until(demo.stdout, "network is back")
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert termios.tcgetattr(terminal) == before
    os.close(watcher)
    os.close(terminal)


def pid_in(kept: Path) -> int:
    status = statuses.read(kept / "run" / STATUS_FILE)
    return status.pid if status else 0


def say_that_a_page_is_open(page: str) -> None:
    message = json.dumps({"id": str(uuid.uuid4()), "cmd": "ui.alive", "d": {}}).encode()
    request = urllib.request.Request(f"{page}api/v1/command", message, {"Content-Type": "application/json"})  # noqa: S310  our own page
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  our own page
        assert json.load(answer)["ok"]


def told_until(told: IO[str], word: str) -> None:
    """Read on until a line says this; the demo's own end is the deadline."""
    assert any(word in line for line in told)
