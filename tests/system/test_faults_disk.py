"""`roadproof faults disk` in short; and for each thing that it watches, the product broken on purpose."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.progress import Progress

from cli.errors import UsageError
from cli.faults.disk import card
from cli.faults.report import progress
from cli.faults.tally import Tally
from cli.main import main


@pytest.fixture(autouse=True)
def _may_mount() -> None:
    try:
        card.namespace()
    except UsageError as error:
        pytest.skip(str(error))


@pytest.fixture
def bars() -> Iterator[Progress]:
    with progress(shown=False) as bars:
        yield bars


def broken(what: str, bars: Progress, seed: int) -> Tally:
    command = (sys.executable, "-m", "tests.system.disk_child", what)
    return card.fill(sizes=1, seed=seed, progress=bars, command=command)


def test_a_proof_without_a_picture_is_possible_on_a_full_card_and_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    assert main(["faults", "disk", "--sizes", "1", "--seed", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["faults"], told["states"], told["lost"], told["corrupt"], told["tracebacks"]) == (1, 1, 0, 0, 0)
    assert told["more"]["proofs_on_a_full_card"] > 200
    assert told["more"]["pictures_refused"] > 0
    assert all(sentence.startswith("the card ") for sentence in told["more"]["sentences"])
    assert Path("/proc/self/mounts").read_text(encoding="utf-8") == mounts


@pytest.mark.parametrize("what", ["pictures take the room of the proofs", "there is no reserve", "what did not fit is called saved"])
def test_a_card_that_loses_proofs_is_seen(bars: Progress, what: str) -> None:
    assert broken(what, bars, seed=2).lost


def test_a_unit_that_does_not_start_on_a_full_card_is_seen(bars: Progress) -> None:
    tally = broken("a full card is no start", bars, seed=1)
    assert tally.lost or tally.tracebacks


def test_a_user_who_may_not_mount_is_told_so_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess[bytes]([], 1))
    with pytest.raises(UsageError, match=r"^faults disk mounts a small file system, which this user may not do here: run it with sudo$"):
        card.namespace()
