"""A real systemd starts the real daemon on what a power cut left."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.progress import Progress

from cli.errors import UsageError
from cli.faults.power import boot, tree

pytestmark = pytest.mark.timeout(900)  # the first time it makes a root file system
STEPS = 60


def test_the_daemon_starts_on_whatever_a_cut_left_and_keeps_every_promise(root: Path) -> None:
    tally = boot.cut(boots=2, seed=2, steps=STEPS, root=root, progress=Progress(disable=True))
    assert tally.examples == []
    assert tally.is_clean
    assert tally.states == 2


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("mine")
    with pytest.raises(UsageError, match="no root file system of ours"):
        tree.made(tmp_path)
    assert (tmp_path / "letter").read_text() == "mine"


def test_commits_that_are_not_synced_are_missed_after_the_boot(root: Path) -> None:
    command = (sys.executable, "-P", "-m", "tests.power.sabotage", "commits_are_not_synced")
    tally = boot.cut(boots=4, seed=2, steps=STEPS, root=root, progress=Progress(disable=True), command=command)
    assert tally.lost
