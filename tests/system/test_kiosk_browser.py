"""The command of roadproof-kiosk.service really run: a compositor without a screen, the browser in its sandbox, the daemon's page drawn."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.box.screen import KIOSK
from tests.eventually import eventually
from tests.proofs import keys_of_the_session
from tests.system.broker import Mosquitto, free_port
from tests.system.daemon_rig import ROOT, DaemonRig

NOBODY = 65_534  # cage refuses root, and the browser is to be nobody's
# A screen in memory; pixman draws without a graphics processor. The rest stands in the unit.
HEADLESS = {"WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman", "WLR_LIBINPUT_NO_DEVICES": "1", "LIBSEAT_BACKEND": "noop"}

pytestmark = pytest.mark.skipif(
    not (all(shutil.which(name) for name in ("cage", "chromium", "Xwayland")) and os.geteuid() == 0),
    reason="needs root, to become somebody else, and apt-get install cage chromium xwayland",
)


def kiosk_command(folder: Path, page: str) -> list[str]:
    """As the unit has it, with another folder to write into."""
    text = (ROOT / "systemd" / "roadproof-kiosk.service").read_text(encoding="utf-8").replace("\\\n", " ")
    (start,) = [line.removeprefix("ExecStart=") for line in text.splitlines() if line.startswith("ExecStart=")]
    return shlex.split(start.replace(str(KIOSK), str(folder)).replace("${ROADPROOF_PAGE}", page))


@pytest.fixture
def unit(broker: Mosquitto, tmp_path: Path) -> Iterator[DaemonRig]:
    rig = DaemonRig(tmp_path, broker.port)
    yield rig
    rig.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """What the unit's RuntimeDirectory is: the browser's own, closed to all others."""
    with tempfile.TemporaryDirectory(prefix="roadproof-kiosk-") as made:
        os.chown(made, NOBODY, NOBODY)
        yield Path(made)


@pytest.fixture
def page(unit: DaemonRig) -> str:
    """Where a daemon serves its page."""
    port = free_port()
    unit.with_terminal(keys_of_the_session().folder, port)
    unit.start_and_wait()
    return f"http://127.0.0.1:{port}/"


@pytest.fixture
def browser(folder: Path, page: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), **HEADLESS}
    # A process namespace whose first one stays root's: it dies with the test, and whatever the browser started dies with it.
    inside = ("unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "sh", "-c", '"$@"; exit', "sh")
    nobody = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    with tempfile.TemporaryFile() as log:
        command = [*inside, *nobody, *kiosk_command(folder, page)]
        started = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        yield started
        started.kill()
        started.wait()


def drawn_s(unit: DaemonRig, browser: subprocess.Popen[bytes]) -> float:
    """When the page first said that it draws."""

    def seen_s() -> float | None:
        assert browser.poll() is None
        return unit.seen().kiosk_seen_s

    first_s = eventually(seen_s, 60)
    assert first_s is not None
    return first_s


def processes(folder: Path) -> dict[Path, bytes]:
    """Those of the browser that writes there, as folders of /proc, and how each was called."""
    called = {path: command_line(path) for path in Path("/proc").glob("[0-9]*")}
    return {
        path: command for path, command in called.items() if f"--user-data-dir={folder}".encode() in command and b"/cage" not in command
    }


def command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return b""


def test_the_browser_draws_the_page_and_writes_into_its_own_folder_alone(
    unit: DaemonRig, browser: subprocess.Popen[bytes], folder: Path
) -> None:
    first_s = drawn_s(unit, browser)
    eventually(lambda: unit.seen().kiosk_seen_s != first_s, 30)  # and goes on saying that it draws
    assert browser.poll() is None
    assert (folder / "profile").is_dir()
    opened = [file.readlink() for process in processes(folder) for file in (process / "fd").iterdir()]
    assert [file for file in opened if file.is_relative_to("/var") or file.is_relative_to("/root")] == []


def test_a_page_is_drawn_in_namespaces_of_its_own(unit: DaemonRig, browser: subprocess.Popen[bytes], folder: Path) -> None:
    drawn_s(unit, browser)
    found = processes(folder)
    (main,) = [process for process, command in found.items() if b"--type=" not in command]
    drawing = [process for process, command in found.items() if b"--type=renderer" in command]
    assert drawing
    for kind in ("user", "net", "pid"):
        assert all((process / "ns" / kind).readlink() != (main / "ns" / kind).readlink() for process in drawing)
