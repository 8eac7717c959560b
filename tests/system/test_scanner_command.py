"""`roadproof scanner` at a real line: a pseudo-terminal for the scanner's cable."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tty
from collections.abc import Iterator

import pytest


@pytest.fixture
def cable() -> Iterator[tuple[int, str]]:
    """The scanner's end, and the name of the unit's."""
    scanner, port = pty.openpty()
    tty.setraw(port)
    yield scanner, os.ttyname(port)
    os.close(port)
    os.close(scanner)


def command(*words: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-P", "-m", "cli", "scanner", *words]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_each_code_is_told_as_it_was_sent(cable: tuple[int, str]) -> None:
    scanner, port = cable
    with command(port, "--separator", "~", "--for", "20") as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert "ready" in running.stderr.readline()
        os.write(scanner, b"]C1010400638133393110L2606~21A7\r")
        told = json.loads(running.stdout.readline())
        running.terminate()
    assert told == {
        "text": "010400638133393110L2606\x1d21A7",
        "symbology": "CODE128",
        "aim_id": "]C1",
        "identity": "gtin:04006381333931:A7",
        "device": port,
    }


def test_a_port_without_a_scanner_is_said_and_a_failure(tmp_path: os.PathLike[str]) -> None:
    with command(f"{tmp_path}/ttyACM0", "--for", "0.5") as running:
        out, err = running.communicate(timeout=30)
    assert (out, running.returncode) == ("", 1)
    assert err.count("\n") == 2
    assert "no hand scanner answers" in err
    assert "There is no hand scanner at" in err


def test_a_time_that_is_none_is_refused() -> None:
    with command("--for", "-1") as running:
        _, err = running.communicate(timeout=30)
    assert running.returncode == 2
    assert "--for is -1" in err
