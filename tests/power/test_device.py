"""The power goes while a day is written on a real file system, and every way to break the storing half on purpose is seen."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
from rich.progress import Progress

from cli.errors import UsageError
from cli.faults.power import block, device
from cli.faults.power.block import DiskError, LoggedDisk
from cli.faults.power.day import DAY

CUTS = 20
STEPS = 60


@pytest.fixture(autouse=True)
def _a_machine_that_can() -> None:
    try:
        block.need(block.PROGRAMS)
    except UsageError as error:
        pytest.skip(str(error))


def test_nothing_that_was_called_saved_is_gone_after_any_cut() -> None:
    tally = device.cut(cuts=CUTS, seed=1, steps=STEPS, progress=Progress(disable=True))
    assert tally.examples == []
    assert tally.is_clean
    assert (tally.faults, tally.states) == (CUTS, CUTS)
    assert tally.committed


@pytest.mark.parametrize(
    "broken_rule",
    [
        "commits_are_not_synced",
        "photos_are_not_synced",
        "the_photos_folder_is_not_synced",
        "the_record_comes_before_its_photo",
    ],
)
def test_a_storing_half_that_breaks_a_rule_is_found_out(broken_rule: str, tmp_path: Path) -> None:
    command = (sys.executable, "-P", "-m", "tests.power.sabotage", broken_rule)
    tally = device.cut(cuts=CUTS, seed=1, steps=STEPS, progress=Progress(disable=True), command=command, keep=tmp_path)
    assert not tally.is_clean
    assert tally.examples
    assert list(tmp_path.glob("cut-*.img"))


def test_a_day_that_ends_early_is_no_proof() -> None:
    with pytest.raises(DiskError, match="before its evening"):
        device.cut(cuts=1, seed=1, steps=1, progress=Progress(disable=True), command=(*DAY, "--not-an-option"))


def test_a_log_that_does_not_tell_what_was_written_is_refused() -> None:
    with block.hidden_folder() as folder:
        disk = LoggedDisk(folder)
        with disk:
            (disk.root / "word").write_text("written")
        disk.verify()
        last = disk.entries()[-2]
        with disk.log.open("r+b") as log:
            log.seek(last.data_bytes)
            log.write(b"something else")
        with pytest.raises(DiskError, match="log and disk differ"):
            disk.verify()


def test_only_what_was_flushed_is_sure_to_be_there() -> None:
    with block.hidden_folder() as folder:
        disk = LoggedDisk(folder)
        with disk, (disk.root / "synced").open("wb") as file:
            file.write(b"x" * 8192)
            file.flush()
            os.fsync(file.fileno())
            end_bytes = disk.end_bytes
        instant = sum(entry.end_bytes <= end_bytes for entry in disk.entries())
        for spared in disk.cut_at([instant] * 8, random.Random(1), folder / "cut.img"):
            with block.mounted(folder / "cut.img", folder / "left"):
                assert (folder / "left" / "synced").read_bytes() == b"x" * 8192, spared


def test_nothing_stays_mounted() -> None:
    before = Path("/proc/self/mounts").read_text(encoding="utf-8")
    with block.hidden_folder() as folder, LoggedDisk(folder) as disk:
        assert disk.root.is_mount()
    assert Path("/proc/self/mounts").read_text(encoding="utf-8") == before
