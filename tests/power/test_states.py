"""`roadproof faults power --states`: the product keeps its promises wherever the power goes, and each broken rule is seen."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from rich.progress import Progress

from cli.errors import UsageError
from cli.faults.power import states
from cli.faults.power.card import SECTOR_BYTES, Card, Model
from cli.faults.power.promise import Promise, broken
from cli.faults.power.trace import Line, Make, Operation, Reading, Remove, Rename, Resize, Sync, TraceError, Write, record
from cli.faults.power.unit import make_keys
from cli.faults.scratch import scratch as scratch_folder
from cli.faults.tally import Tally
from cli.main import main
from firmware.journal import Series

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt install strace")
SEEDS = range(40)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("power") / "keys"
    make_keys(folder)
    return folder


@pytest.fixture
def scratch() -> Iterator[Path]:
    with scratch_folder("power") as folder:
        yield folder


# --- the whole


@needs_strace
def test_no_promise_is_broken_wherever_the_power_goes(tmp_path: Path) -> None:
    tally = states.cut(states=100, seed=1, progress=Progress(disable=True), keep=tmp_path / "kept", steps=60)
    assert tally.is_clean, tally.examples
    assert (tally.states, tally.faults) == (100, 100)
    assert tally.committed
    assert tally.more["records_checked"] > tally.committed
    assert {"ordered", "unsynced_lost", "torn"} <= set(tally.more)
    assert not (tmp_path / "kept").exists()


def cuts_where(file: str, day: states.RecordedDay, count: int) -> list[states.Cut]:
    """So many cuts all over the day, each between a change to a file and the next sync of its folder."""
    changed = set[int]()
    is_open = False
    for after, operation in enumerate(states.operations_of(day.trace), start=1):
        if not isinstance(operation, Line):
            is_open = operation.path.startswith(file) or (is_open and operation != Sync(file.rpartition("/")[0]))
        if is_open:
            changed.add(after)
    chosen = [cut for cut in day.cuts if cut.after in changed]
    return chosen[:: max(1, len(chosen) // count)]


@needs_strace
@pytest.mark.parametrize(
    ("rule", "file", "count", "seen", "sentence"),
    [
        ("commits_are_not_synced", "journal.db-wal", 40, {"lost", "corrupt", "numbers_reused"}, "was saved and is not there"),
        ("photos_are_not_synced", "journal.db-wal", 40, {"corrupt"}, "was kept and is not whole"),
        ("the_photos_folder_is_not_synced", "journal.db-wal", 40, {"lost"}, "was kept and is not there"),
        ("the_record_comes_before_its_photo", "attachments/", 40, {"lost"}, "is named and is not there"),
        ("the_numbers_file_is_not_synced", "journal.db.numbers", 130, {"numbers_reused"}, "was given again"),
        ("the_chains_file_is_not_synced", "journal.db.chain", 40, {"numbers_reused"}, "number of the chain"),
    ],
)
def test_a_broken_rule_is_seen(*, rule: str, file: str, count: int, seen: set[str], sentence: str, scratch: Path, keys: Path) -> None:
    command = (sys.executable, "-P", "-m", "tests.power.sabotage", rule)
    day = states.live(scratch, keys, seed=1, steps=30, command=command)
    outcome = states.examine(day.trace, keys, scratch, scratch / "kept", cuts_where(file, day, count))
    assert {name for name in Tally.NEVER if getattr(outcome.tally, name)} <= seen
    assert any(sentence in example for example in outcome.tally.examples), outcome.tally.examples
    kept = sorted((scratch / "kept").iterdir())
    assert len(kept) == outcome.counts["broken"] > 0
    promise = Promise()
    for line in (kept[0] / "said.jsonl").read_text().splitlines():
        promise.hear(line)
    assert not broken(kept[0] / "left", kept[0] / "keys", promise).is_clean


@needs_strace
def test_the_command_ends_with_one_line_of_figures() -> None:
    command = [sys.executable, "-P", "-m", "cli", "faults", "power", "--states", "20", "--seed", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert {name: told[name] for name in ("harm", "seed", "states", *Tally.NEVER)} == {
        "harm": "power", "seed": 2, "states": 20, "lost": 0, "stored_twice": 0, "corrupt": 0, "numbers_reused": 0, "tracebacks": 0,
    }  # fmt: skip


def test_no_cuts_are_a_mistake_and_not_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["faults", "power", "--states", "0"])
    assert "type 1 or more" in capsys.readouterr().err


@needs_strace
def test_a_day_that_fails_is_told_and_not_taken_for_a_quiet_one(tmp_path: Path, keys: Path) -> None:
    with pytest.raises(TraceError, match="the day ended with 3"):
        record(tmp_path, keys, seed=1, steps=1, command=(sys.executable, "-c", "raise SystemExit(3)"))


def test_without_strace_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="apt install strace"):
        record(tmp_path, tmp_path, seed=1, steps=1, command=("true",))


def test_an_empty_folder_breaks_every_promise(tmp_path: Path, keys: Path) -> None:
    promise = Promise()
    promise.hear('{"log":"0a1b2c3d","saved":{"seq":{"1":"00"},"tseq":{"1":"00","2":"00"}},"chain":1}')
    promise.hear('{"pieces":{"face":"00"},"kept":["%s"]}' % ("ab" * 32))
    tally = broken(tmp_path, keys, promise)
    assert tally.committed == 3
    assert tally.lost == 1 + 2 + 1 + 1  # the journal's name, its fixes, the piece, the attachment
    assert tally.corrupt == 1  # the first event of the new journal has the lost one's number
    assert tally.numbers_reused


def test_a_unit_that_does_not_start_is_counted_and_told(tmp_path: Path, keys: Path) -> None:
    (tmp_path / "journal.db").mkdir()
    tally = broken(tmp_path, keys, Promise())
    assert tally.tracebacks == 1
    assert tally.examples[0].startswith("the unit ended with JournalError: cannot open the journal")


# --- what is promised


def test_what_may_go_is_no_longer_due() -> None:
    promise = Promise()
    promise.hear('{"log":"0a1b2c3d","saved":{"tseq":{"1":"aa","2":"bb"}},"kept":["x","y"]}')
    promise.hear('{"receipted":{"tseq":[[1,1]]},"may_go":{"tseq":[[1,1]]},"attachments_may_go":["x"]}')
    assert promise.due(Series.TSEQ) == {2: "bb"}
    assert promise.kept == {"y"}
    assert promise.top(Series.TSEQ) == 2


def test_a_piece_under_way_may_be_the_old_or_the_new_one_until_it_is_saved() -> None:
    promise = Promise()
    promise.hear('{"pieces":{"face":"old"}}')
    promise.hear('{"trying":{"face":"new","day":"first"}}')
    assert promise.pieces == {"face": {"old", "new"}, "day": {None, "first"}}
    promise.hear('{"pieces":{"face":"new","day":"first"}}')
    assert promise.pieces == {"face": {"new"}, "day": {"first"}}


def test_a_number_that_is_said_to_be_saved_twice_counts_as_reused() -> None:
    promise = Promise()
    for _ in range(2):
        promise.hear('{"log":"0a1b2c3d","saved":{"seq":{"7":"aa"}}}')
    assert promise.reused == 1


def test_a_copy_hears_nothing_of_what_comes_later_and_a_start_excuses_only_what_it_redraws() -> None:
    promise = Promise()
    promise.hear('{"pieces":{"face":"a","stop:s-1":"b"},"kept":["x"]}')
    copy, started = promise.copy(), promise.after_start()
    promise.hear('{"pieces":{"face":"c"}}')
    assert copy.pieces["face"] == {"a"}
    assert (set(started.pieces), started.kept) == ({"stop:s-1"}, set())


# --- what the card holds


def replayed(*operations: Operation) -> Card:
    card = Card()
    for operation in operations:
        card.do(operation)
    return card


def found(card: Card, folder: Path, model: Model, seed: int = 0) -> dict[str, bytes]:
    """What is in the folder when the power is back."""
    target = folder / f"{model}-{seed}"
    card.save(target, model, random.Random(seed))
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


WRITTEN = (Make("a"), Write("a", 0, b"new"))


@pytest.mark.parametrize(
    ("operations", "left"),
    [
        (WRITTEN, {}),
        ((*WRITTEN, Sync("a")), {}),
        ((*WRITTEN, Sync("")), {"a": b""}),
        ((*WRITTEN, Sync("a"), Sync("")), {"a": b"new"}),
        ((*WRITTEN, Sync("a"), Sync(""), Remove("a")), {"a": b"new"}),
        ((*WRITTEN, Sync("a"), Sync(""), Remove("a"), Sync("")), {}),
        ((*WRITTEN, Sync("a"), Sync(""), Resize("a", 1)), {"a": b"new"}),
        ((*WRITTEN, Resize("a", 5), Sync("a"), Sync("")), {"a": b"new\0\0"}),
        ((Make("d", is_folder=True), Make("d/a"), Sync("d/a"), Sync("d")), {}),
    ],
)
def test_only_what_was_synced_is_certain(operations: tuple[Operation, ...], left: dict[str, bytes], tmp_path: Path) -> None:
    assert found(replayed(*operations), tmp_path, "unsynced_lost") == left


def test_in_order_everything_is_there(tmp_path: Path) -> None:
    card = replayed(*WRITTEN, Make("d", is_folder=True), Make("d/b"), Rename("d/b", "d/c"))
    assert found(card, tmp_path, "ordered") == {"a": b"new", "d/c": b""}


def test_a_rename_is_whole_or_not_at_all(tmp_path: Path) -> None:
    card = replayed(Make("a"), Write("a", 0, b"old"), Make("a.new"), Write("a.new", 0, b"new"), Sync("a"), Sync("a.new"), Sync(""))
    card.do(Rename("a.new", "a"))
    left = {tuple(sorted(found(card, tmp_path, "torn", seed).items())) for seed in SEEDS}
    assert left == {(("a", b"old"), ("a.new", b"new")), (("a", b"new"),)}


def test_a_torn_write_leaves_whole_sectors(tmp_path: Path) -> None:
    card = replayed(Make("a"), Write("a", 0, b"o" * 2_000), Sync("a"), Sync(""), Write("a", 100, b"n" * 1_500))
    left = [found(card, tmp_path, "torn", seed)["a"] for seed in SEEDS]
    breaks = {at for content in left for at, (one, other) in enumerate(pairwise(content), start=1) if one != other}
    assert breaks <= {100, 1_600, *range(SECTOR_BYTES, 2_000, SECTOR_BYTES)}
    assert len(set(left)) > 5


def test_a_settled_card_has_nothing_to_lose() -> None:
    card = replayed(*WRITTEN, Sync("a"))
    assert not card.is_settled
    card.do(Sync(""))
    assert card.is_settled


# --- what strace tells


def hexed(text: str) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in text.encode()) + '"'


def read(*calls: str) -> list[Operation]:
    lines: Iterator[str] = (f"77  {call}\n" for call in calls)
    return list(Reading(Path("/card")).operations(lines))


OPENED = f"openat(AT_FDCWD, {hexed('/card/a')}, O_RDWR|O_CREAT, 0644) = 3"


def test_writes_go_where_the_descriptor_stands() -> None:
    calls = [OPENED, f"write(3, {hexed('xy')}, 2) = 2", "lseek(3, 9, SEEK_SET) = 9", f"write(3, {hexed('z')}, 1)  = 1",
             f"pwrite64(3, {hexed('p')}, 1, 40) = 1", "fsync(3) = 0"]  # fmt: skip
    assert read(*calls) == [Make("a"), Write("a", 0, b"xy"), Write("a", 9, b"z"), Write("a", 40, b"p"), Sync("a")]


def test_a_descriptor_follows_its_file_to_a_new_name() -> None:
    calls = [OPENED, f"rename({hexed('/card/a')}, {hexed('/card/b')}) = 0", f"write(3, {hexed('x')}, 1) = 1"]
    assert read(*calls) == [Make("a"), Rename("a", "b"), Write("b", 0, b"x")]


def test_only_what_happened_in_the_folder_counts() -> None:
    elsewhere = f"openat(AT_FDCWD, {hexed('/cardinal/a')}, O_RDWR|O_CREAT, 0644) = 3"
    shared = f"openat(AT_FDCWD, {hexed('/card/j-shm')}, O_RDWR|O_CREAT, 0644) = 4"
    failed = f"unlink({hexed('/card/x')}) = -1 ENOENT (No such file or directory)"
    assert read(elsewhere, f"write(3, {hexed('x')}, 1) = 1", shared, "ftruncate(4, 32768) = 0", failed, "+++ exited with 0 +++") == []


def test_lines_are_whole_however_they_were_written() -> None:
    assert read(f"write(1, {hexed('one')}, 3) = 3", f"write(1, {hexed(chr(10) + 'two' + chr(10))}, 5) = 5") == [Line("one"), Line("two")]


@pytest.mark.parametrize(
    "call",
    [
        "dup(3) = 4",
        "fallocate(3, FALLOC_FL_PUNCH_HOLE, 0, 100) = 0",
        f"write(3, {hexed('x')}..., 99999999) = 99999999",
        f"linkat(AT_FDCWD, {hexed('/card/a')}, AT_FDCWD, {hexed('/card/b')}, 0) = 0",
        f"rename({hexed('/card/a')}, {hexed('/elsewhere')}) = 0",
        "fsync(3 <unfinished ...>",
    ],
)
def test_what_the_model_cannot_replay_is_refused(call: str) -> None:
    with pytest.raises(TraceError):
        read(OPENED, call)
