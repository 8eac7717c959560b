"""A look at the journal from another process, while its owner writes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from firmware.journal import Series
from tests.journals import BOOT, event, open_journal

# Asks for the lock by which SQLite knows that nobody uses the index: byte 128 of the -shm. Who gets it may truncate the file.
GRAB = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)"


def test_the_owner_keeps_its_hold_on_the_index_also_after_a_start_from_a_log(tmp_path: Path) -> None:
    """Without it the next look from outside truncates the index under the owner: SIGBUS, in the storm twice in two minutes."""
    running = open_journal(tmp_path / "running")
    running.append(BOOT, [event()])
    killed = tmp_path / "killed"
    shutil.copytree(tmp_path / "running", killed)  # as kill -9 leaves it: a commit in the log, none of it in the database yet
    running.close()
    (killed / "journal.db-shm").unlink()
    journal = open_journal(killed)
    assert journal.issued(Series.SEQ) == 1
    grabbed = subprocess.run([sys.executable, "-c", GRAB, str(killed / "journal.db-shm")], capture_output=True, text=True, check=False)
    journal.close()
    assert "BlockingIOError" in grabbed.stderr, "the index is free for anybody to truncate"
