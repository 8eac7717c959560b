"""What the bench makes of what it measured; that measuring works at all is a system test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli.bench import PARTS
from cli.bench.figure import Figure, Round, Told, p50, p95
from cli.bench.memory import children_of, memory_of
from cli.bench.report import measured, page
from cli.bench.rounds import ROUNDS
from cli.main import parser

ROOT = Path(__file__).resolve().parents[2]


def seeds(_: Path, seed: int) -> Mapping[str, float]:
    return {"seed": seed, "square": seed * seed}


def test_a_figure_is_the_median_of_its_runs_and_shows_their_spread() -> None:
    part = Round("seeds", (Told("seed", "x", "the seed"), Told("square", "x", "its square")), seeds)
    seed, square = part.measure(lambda: None)
    assert (seed.median, seed.least, seed.most) == (2, 1, 3)
    assert (square.median, square.least, square.most) == (4, 1, 9)


def test_each_run_gets_a_folder_of_its_own() -> None:
    folders: list[Path] = []

    def look(folder: Path, _seed: int) -> Mapping[str, float]:
        assert list(folder.iterdir()) == []
        folders.append(folder)
        return {"one": 1.0}

    Round("one", (Told("one", "x", ""),), look).measure(lambda: None)
    assert len(set(folders)) == 3
    assert not any(folder.exists() for folder in folders)


def test_the_95th_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert (p50(values), p95(values)) == (50.5, 95.0)
    assert p95([7.0]) == 7.0


def test_the_last_figure_is_what_else_the_machine_had_to_do() -> None:
    assert [figure.name for figure in measured([Round("seeds", (Told("seed", "x", ""),), seeds, times=1)])] == ["seed", "load"]


def test_every_part_can_be_asked_for_alone() -> None:
    assert tuple(part.name for part in ROUNDS) == PARTS
    assert parser().parse_args(["bench", "--only", "terminal"]).only == "terminal"


def test_a_part_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["bench", "--only", "coffee"])
    assert "coffee" in capsys.readouterr().err


def test_no_two_figures_have_one_name() -> None:
    names = [told.name for part in ROUNDS for told in part.figures]
    assert len(names) == len(set(names))


def test_the_page_has_a_row_for_each_figure_and_no_spread_where_there_is_one_value() -> None:
    text = page([Figure(name="one", unit="ms", median=1234.5, least=1234.5, most=1234.5, told="it"), figure(0.1234)])
    assert "| one | 1,234 |  | ms | it |" in text
    assert "| two | 0.123 | 0 to 1 | ms | that |" in text


def figure(median: float) -> Figure:
    return Figure(name="two", unit="ms", median=median, least=0.0, most=1.0, told="that")


def test_a_process_is_weighed_and_its_child_is_found() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        try:
            parent = int(Path("/proc/self").resolve().name)
            assert child.pid in children_of(parent)
            assert memory_of(child.pid).rss_bytes >= memory_of(child.pid).pss_bytes
            assert memory_of(parent).rss_bytes > 1_000_000
        finally:
            child.kill()


def test_a_process_that_has_gone_weighs_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert memory_of(child.pid).rss_bytes == 0


def test_the_daemon_does_not_load_the_bench() -> None:
    program = "import sys, json, cli.main; print(json.dumps([name for name in sys.modules if name.startswith('cli.bench.')]))"
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == []
