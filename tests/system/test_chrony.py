"""A real chronyd takes our samples. It runs with -x as a process of its own: no clock is touched, no port is opened."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.chrony import ChronySocket
from tests.eventually import eventually

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
CHRONYD, CHRONYC = shutil.which("chronyd", path=PATH), shutil.which("chronyc", path=PATH)
OFFSET_S = 0.250
WITHIN_S = 0.005

# Not selected: with -x chrony would steer a clock of its own instead, until nothing is left of the offset.
CONFIG = """
refclock SOCK {folder}/roadproof.sock refid GNSS poll 0 filter 1 precision 1e-4 noselect
bindcmdaddress {folder}/command.sock
pidfile {folder}/chronyd.pid
cmdport 0
port 0
"""


class Chronyd:
    """chronyd in the foreground, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        assert CHRONYD is not None
        self.socket = folder / "roadproof.sock"
        self._command = folder / "command.sock"
        (folder / "chrony.conf").write_text(CONFIG.format(folder=folder), encoding="ascii")
        # A copy: where the system confines chronyd by its path, it could not open this folder.
        program = shutil.copy(CHRONYD, folder / "chronyd")
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [program, "-d", "-x", "-U", "-u", getpass.getuser(), "-f", str(folder / "chrony.conf")], stdout=self._log, stderr=self._log
        )

    def ask(self, *question: str) -> list[list[str]]:
        """chronyc's answer as rows of fields; empty while chronyd does not answer."""
        assert CHRONYC is not None
        answer = subprocess.run([CHRONYC, "-c", "-n", "-h", str(self._command), *question], capture_output=True, text=True, check=False)
        return [line.split(",") for line in answer.stdout.splitlines()] if answer.returncode == 0 else []

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()


@pytest.fixture
def chronyd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chronyd]:
    if CHRONYD is None or CHRONYC is None:
        pytest.skip("chrony is not installed: apt-get install chrony")
    folder = tmp_path_factory.mktemp("c")  # short: a socket's path has 107 bytes at most
    folder.chmod(0o700)
    daemon = Chronyd(folder)
    yield daemon
    daemon.stop()


def test_chrony_reads_an_injected_offset_within_five_milliseconds(chronyd: Chronyd) -> None:
    gnss = ChronySocket(str(chronyd.socket))
    eventually(chronyd.socket.exists)

    def is_measured() -> list[list[str]]:
        now_s = time.time()
        assert gnss.feed(system_s=now_s, true_s=now_s + OFFSET_S)
        return [source for source in chronyd.ask("sources") if source[3] and int(source[5] or "0", 8)]

    ((mode, _, name, _, _, _, _, adjusted, measured, _),) = eventually(is_measured)
    assert (mode, name) == ("#", "GNSS")
    # chrony counts the other way round: positive where the system's clock is fast.
    assert abs(float(measured) + OFFSET_S) < WITHIN_S
    assert abs(float(adjusted) + OFFSET_S) < WITHIN_S
    ((named, *_, estimated, _),) = eventually(lambda: is_measured() and chronyd.ask("sourcestats"))
    assert named == "GNSS"
    assert abs(float(estimated) + OFFSET_S) < WITHIN_S
    assert "is fed through" in gnss.state
    gnss.close()


def test_a_chrony_that_ends_and_comes_back_is_fed_again(chronyd: Chronyd) -> None:
    gnss = ChronySocket(str(chronyd.socket))
    eventually(chronyd.socket.exists)
    assert gnss.feed(system_s=1.0, true_s=1.0)
    chronyd.stop()
    assert not gnss.feed(system_s=1.0, true_s=1.0)
    again = Chronyd(chronyd.socket.parent)
    eventually(lambda: gnss.feed(system_s=1.0, true_s=1.0))
    again.stop()
    gnss.close()
