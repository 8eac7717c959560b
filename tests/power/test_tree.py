"""Making a root file system is safe for the machine that makes it: one at a time, and with mounts of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cli.errors import UsageError
from cli.faults.power import block, tree
from tests.eventually import eventually

RECIPE = tree.Recipe(("systemd-sysv",))


def test_what_two_ask_for_at_once_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both, made = threading.Barrier(2), list[Path]()

    def make(folder: Path, recipe: tree.Recipe) -> None:
        made.append(folder)
        (folder / tree.STAMP).parent.mkdir(parents=True)
        (folder / tree.STAMP).write_text(recipe.stamp, encoding="utf-8")

    def ask() -> None:
        both.wait()
        tree.made(tmp_path / "tree", RECIPE)

    monkeypatch.setattr(tree, "_make", make)
    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(30)
    assert made == [tmp_path / "tree"]


def test_a_maker_that_is_killed_leaves_no_mount_of_this_machines_devices(tmp_path: Path) -> None:
    try:
        block.need(tree.PROGRAMS)
    except UsageError as error:
        pytest.skip(str(error))
    program = "from tests.power.test_tree import *; tree.made(Path(sys.argv[1]), RECIPE)"
    maker = subprocess.Popen([sys.executable, "-P", "-c", program, str(tmp_path / "tree")], stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: maker.poll() is not None or f"{tmp_path}/tree.new/dev" in mounts_of("mmdebstrap", tmp_path), 120)
        assert maker.poll() is None
    finally:
        maker.send_signal(signal.SIGKILL)
        maker.wait()
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text(encoding="utf-8")
    eventually(lambda: not mounts_of("mmdebstrap", tmp_path), 60)  # its kernel told it that its starter is gone
    shutil.rmtree(tmp_path / "tree.new", ignore_errors=True)
    assert Path("/dev/null").is_char_device()


def mounts_of(program: str, folder: Path) -> str:
    """What is mounted where for each process of this program that works in the folder."""
    told = ""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace")
            if program in words and str(folder) in words:
                told += (process / "mounts").read_text(encoding="utf-8")
        except OSError:  # it has ended meanwhile
            continue
    return told
