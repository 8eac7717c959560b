"""The journal in a process that is killed, on a disk that is full, in a folder that may not be written."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from firmware.journal import JournalError, Series, salvage
from firmware.journal.look import JournalLook
from firmware.journal.reserve import RESERVE_BYTES
from mqtt.ranges import Ranges
from tests.eventually import eventually
from tests.journals import BOOT, event, fixes_on_card, open_journal, overlapping, points, spans_of_rows, unaccounted

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65_534
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system: needs root")


def child(folder: Path, act: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.system.journal_child", str(folder), act, *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def numbers_said(process: subprocess.Popen[str], lines: int) -> tuple[list[int], list[int]]:
    """Read so many lines, kill -9, and read the rest: what append had returned."""
    assert process.stdout is not None
    assert process.stderr is not None
    said = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    assert "Traceback" not in process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    seqs, tseqs = list[int](), list[int]()
    for line in said:
        if line.startswith("has") and line.endswith("\n"):
            events, _, fixes = line.removeprefix("has").partition("|")
            seqs += map(int, events.split())
            tseqs += map(int, fixes.split())
    return seqs, tseqs


def on_card(folder: Path) -> tuple[set[int], set[int]]:
    with JournalLook(folder / "journal.db") as look:
        seqs = {row.number for row, good in look.rows() if good and row.kind == "event"}
    return seqs, {point.tseq for point in fixes_on_card(folder)}


def test_what_append_returned_survives_kill_9_and_no_number_comes_twice(tmp_path: Path) -> None:
    chance = random.Random(2026)
    names, before_seqs, before_tseqs = set[str](), set[int](), set[int]()
    for kill in range(24):
        seqs, tseqs = numbers_said(child(tmp_path, "write"), chance.randrange(1, 60))
        assert not before_seqs & set(seqs)
        assert not before_tseqs & set(tseqs)
        before_seqs.update(seqs)
        before_tseqs.update(tseqs)
        if kill % 6 == 5:
            (tmp_path / "journal.db.numbers").unlink()
        with closing(open_journal(tmp_path)) as journal:
            names.add(journal.log)
            for series in Series:
                assert not unaccounted(tmp_path, journal, series)
                assert not overlapping(spans_of_rows(tmp_path, series))
            assert journal.issued(Series.SEQ) >= max(before_seqs, default=0)
            let_go = set().union(*(range(a, b + 1) for a, b in journal.receipted(Series.TSEQ)))
        held_seqs, held_tseqs = on_card(tmp_path)
        assert before_seqs <= held_seqs
        assert before_tseqs <= held_tseqs | let_go
    assert len(names) == 1
    assert len(before_tseqs) > 500


def test_kill_9_while_the_database_is_lost_each_time_uses_no_number_twice(tmp_path: Path) -> None:
    chance = random.Random(7)
    seen = set[int]()
    for _ in range(6):
        _, tseqs = numbers_said(child(tmp_path, "write"), chance.randrange(2, 40))
        assert not seen & set(tseqs)
        seen.update(tseqs)
        for ending in ("", "-wal", "-shm"):
            (tmp_path / f"journal.db{ending}").unlink()


def test_kill_9_in_the_middle_of_a_salvage_loses_no_row(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)) as journal:
        for _ in range(3_000):
            journal.append(BOOT, [], points(2))
    with (tmp_path / "journal.db").open("r+b") as file:
        file.write(bytes(4_096))
    chance = random.Random(5)
    for _ in range(6):
        process = child(tmp_path, "open")
        eventually(lambda: salvage.is_unfinished(tmp_path / "journal.db") or process.poll() is not None)  # noqa: B023  called at once
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.random() * 0.1)
        process.kill()
        process.communicate()
    open_journal(tmp_path).close()
    assert len(fixes_on_card(tmp_path)) == 6_000


def test_a_second_process_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)):
        second = child(tmp_path, "open")
        _, told = second.communicate(timeout=20)
    assert second.returncode == 2
    assert told == f"the journal at {tmp_path / 'journal.db'} is in use by another process; only one daemon may run on it\n"


def test_the_lock_ends_with_its_process_however_it_ends(tmp_path: Path) -> None:
    numbers_said(child(tmp_path, "write"), 3)
    open_journal(tmp_path).close()


@root_only
def test_a_folder_of_somebody_else_is_one_sentence() -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        journal = Path(folder)
        journal.chmod(0o755)
        os.seteuid(NOBODY)
        try:
            with pytest.raises(JournalError) as refusal:
                open_journal(journal)
        finally:
            os.seteuid(0)
    assert str(refusal.value) == f"cannot write in {journal}: permission denied; check the folder's owner and rights"


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "card"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", str(place)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"this machine lets nobody mount: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@root_only
def test_a_journal_on_a_read_only_card_is_one_sentence(mounted: Path) -> None:
    open_journal(mounted).close()
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    process = child(mounted, "open")
    _, told = process.communicate(timeout=20)
    assert process.returncode == 2
    assert told == f"cannot write in {mounted}: read-only file system; check the folder's owner and rights\n"


@root_only
def test_a_full_card_frees_the_reserve_and_after_it_says_so_and_a_proof_still_fits(mounted: Path) -> None:
    process = child(mounted, "full", "60000")
    said, told = process.communicate(timeout=60)
    lines = said.splitlines()
    assert told.count("\n") == 1, told  # the log's sentence about the reserve
    assert "Traceback" not in told
    assert lines[0] == "reserve True"
    released = next(int(line.split()[1]) for line in lines if line.startswith("released"))
    full = next(line for line in lines if line.startswith("full"))
    assert (int(full.split()[1]) - released) * 60_000 > 0.8 * RESERVE_BYTES
    assert full.endswith("the card is full: nothing more can be saved; free space on it or replace it")
    assert lines[-1].startswith("small")
    with closing(open_journal(mounted)) as journal:
        assert journal.waiting_count(Series.SEQ) == int(lines[-1].split()[1])


@root_only
def test_the_reserve_is_taken_again_when_there_is_room(mounted: Path) -> None:
    with closing(open_journal(mounted)) as journal:
        ballast = mounted / "ballast"
        ballast.write_bytes(bytes(24 * 2**20))
        for _ in range(400):
            journal.append(BOOT, [event(filling=60_000)])
            if not journal._commits._reserve.held:
                break
        assert not journal._commits._reserve.held
        ballast.unlink()
        journal.append(BOOT, [event()])
        assert journal._commits._reserve.held


@root_only
def test_receipted_fixes_give_way_first_on_a_full_card(mounted: Path) -> None:
    with closing(open_journal(mounted, quota_bytes=100_000_000, keep_ms=10**9)) as journal:
        for _ in range(2_000):
            journal.append(BOOT, [], points(10))
        journal.acknowledge(Series.TSEQ, Ranges([(1, 19_000)]))
        while journal._commits._reserve.held:
            journal.append(BOOT, [event(filling=60_000)])
        assert spans_of_rows(mounted, Series.TSEQ)[0][0] > 10_000
        assert not unaccounted(mounted, journal, Series.TSEQ)
