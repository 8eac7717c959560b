"""What the bench makes of what it measured; that measuring works at all is a system test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from cli import mosquitto
from cli.bench import PARTS, page, peers, plots, result
from cli.bench.figure import Figure, Round, Target, Told, Verdict, at_least, at_most, figure, p50, p95, text
from cli.bench.machine import Machine, Program
from cli.bench.memory import children_of, memory_of
from cli.bench.report import measured
from cli.bench.result import LeftOut, Result
from cli.bench.rounds import ROUNDS
from cli.bench.svg import NAMESPACE, Bar, Panel, drawn
from cli.errors import UsageError
from cli.main import main, parser

ROOT = Path(__file__).resolve().parents[2]
MACHINE = Machine(
    architecture="x86_64", processors=2, kernel="Linux 6.1", programs=(Program("Roadproof", "0.1.0"), Program("mosquitto", "2"))
)
needs_broker = pytest.mark.skipif(mosquitto.program() is None, reason="needs mosquitto: apt-get install mosquitto")


def seeds(_: Path, seed: int) -> Mapping[str, float]:
    return {"seed": seed, "square": seed * seed}


def a_result(*figures: Figure, left_out: tuple[LeftOut, ...] = (), day: str = "2026-05-04") -> Result:
    return Result(day=day, machine=MACHINE, figures=list(figures), left_out=list(left_out), loads=[0.5, 1.5])


def a_figure(name: str, *values: float, target: Target | None = None, part: str = "drain") -> Figure:
    return figure(Told(name, "ms", "it", target), list(values), part)


# --- figures and targets


def test_a_figure_is_the_median_of_its_runs_and_shows_their_spread() -> None:
    part = Round("seeds", (Told("seed", "x", "the seed"), Told("square", "x", "its square")), seeds)
    seed, square = part.measure(lambda: None)
    assert (seed.median, seed.least, seed.most, seed.times) == (2, 1, 3, 3)
    assert (square.median, square.least, square.most, square.part) == (4, 1, 9, "seeds")


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


@pytest.mark.parametrize(
    ("target", "values", "verdict"),
    [
        (at_most(10), (8, 9, 10), Verdict.MET),
        (at_most(10), (8, 9, 11), Verdict.MET_BY_MEDIAN),
        (at_most(10), (8, 11, 12), Verdict.SHORT),
        (at_least(10), (10, 11, 12), Verdict.MET),
        (at_least(10), (9, 11, 12), Verdict.MET_BY_MEDIAN),
        (at_least(10), (8, 9, 12), Verdict.SHORT),
    ],
)
def test_a_figure_says_itself_whether_it_is_what_it_has_to_be(target: Target, values: tuple[int, ...], verdict: Verdict) -> None:
    assert a_figure("one", *values, target=target).verdict == verdict


def test_a_figure_without_a_target_has_no_verdict() -> None:
    assert a_figure("one", 1.0).verdict is None


def test_values_are_shown_with_three_figures() -> None:
    assert [text(value) for value in (1234.5, 99.94, 0.12345, 0.0)] == ["1,234", "99.9", "0.123", "0"]


def test_runs_that_read_alike_show_no_spread() -> None:
    assert a_figure("one", 99.94, 99.941).spread == ""
    assert a_figure("one", 1.0, 2.0).spread == "1 to 2"


# --- what is measured


def test_every_part_can_be_asked_for_alone() -> None:
    assert tuple(part.name for part in ROUNDS) == PARTS
    assert parser().parse_args(["bench", "terminal", "drain"]).parts == ["terminal", "drain"]


def test_a_part_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["bench", "coffee"])
    assert "coffee" in capsys.readouterr().err


def test_no_two_figures_have_one_name() -> None:
    names = [told.name for part in ROUNDS for told in part.figures]
    assert len(names) == len(set(names))


def test_every_figure_of_a_picture_is_measured() -> None:
    names = {told.name for part in ROUNDS for told in part.figures}
    assert {of for plot in plots.PLOTS for wanted in plot.panels for _, of in wanted.bars} <= names


def test_each_figure_that_was_promised_has_its_target() -> None:
    targets = {told.name: str(told.target) for part in ROUNDS for told in part.figures if told.target}
    assert targets == {
        "payload": "≤ 10",
        "drain, ratio": "≥ 0.8",
        "drain to the broker, ratio": "≥ 0.8",
        "drain, short, ratio": "≥ 0.8",
        "live after reconnect": "≤ 5",
        "drain, loopback, ratio to ThingsBoard gateway": "≥ 20",
        "drain, loopback, ratio to ThingsBoard gateway, tuned": "≥ 1",
        "drain, mobile, ratio to ThingsBoard gateway, tuned": "≥ 8",
        "month": "≤ 15",
        "CPU": "≤ 6",
        "memory without the page": "≤ 40",
        "device": "≤ 2,500",
        "memory, growth": "≤ 10",
        "scan": "≥ 78",
        "scan, ratio": "≥ 1.35",
        "scan, low light": "≥ 65",
        "scan, inverted": "≥ 75",
        "scan, any rotation": "≥ 100",
        "scan, pyzbar alone, ratio": "≥ 1.4",
        "scan, wrong values": "≤ 1",
        "scan, wrong values without a code": "≤ 0",
        "scan, new scene without a code": "≤ 1.5",
        "approach": "≥ 95",
        "approach, median": "≤ 1",
        "confirm, p95": "≤ 50",
        "memory": "≤ 90",
    }


def not_here(_folder: Path, _seed: int) -> Mapping[str, float]:
    raise UsageError("it needs root; run it again with sudo")


def too_slow(_folder: Path, _seed: int) -> Mapping[str, float]:
    raise TimeoutError("the broker of the bench does not start")


@needs_broker
def test_what_cannot_be_measured_is_left_out_with_its_sentence_and_the_rest_is_measured() -> None:
    told = Told("one", "x", "")
    parts = [Round("root", (told,), not_here), Round("slow", (told,), too_slow), Round("seeds", (Told("seed", "x", ""),), seeds)]
    bench = measured(parts, 2)
    assert [(one.name, one.times) for one in bench.figures] == [("seed", 2)]
    assert bench.left_out == [
        LeftOut("root", "it needs root; run it again with sudo"),
        LeftOut("slow", "it failed: the broker of the bench does not start", failed=True),
    ]
    assert len(bench.loads) == 4


# --- results that are read again


def test_results_of_several_parts_become_one(tmp_path: Path) -> None:
    first = a_result(a_figure("one", 1.0), left_out=(LeftOut("card", "needs root"), LeftOut("peers", "nobody there")))
    second = a_result(a_figure("one", 2.0), a_figure("device", 3.0, part="card"), day="2026-05-05")
    for name, told in (("a", first), ("b", second)):
        (tmp_path / name).write_bytes(msgspec.json.encode(told))
    together = result.read([tmp_path / "a", tmp_path / "b"])
    assert [(one.name, one.median) for one in together.figures] == [("one", 2.0), ("device", 3.0)]
    assert [one.part for one in together.left_out] == ["peers"]
    assert (together.day, len(together.loads)) == ("2026-05-05", 4)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"figures": [', b"\xff\xfe"])
def test_a_file_that_holds_no_result_is_refused(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bench.json").write_bytes(content)
    assert main(["bench", "--from", str(tmp_path / "bench.json"), "--json"]) == 2
    assert "is no result of a bench" in capsys.readouterr().err


def test_a_result_is_shown_again_as_it_was_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = a_result(a_figure("one", 1.0, 2.0, target=at_most(1)))
    (tmp_path / "bench.json").write_bytes(msgspec.json.encode(told))
    assert main(["bench", "--from", str(tmp_path / "bench.json"), "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out, type=Result) == told


def test_a_bench_in_which_something_failed_ends_with_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = a_result(a_figure("one", 1.0), left_out=(LeftOut("peers", "it failed: too slow", failed=True),))
    (tmp_path / "bench.json").write_bytes(msgspec.json.encode(told))
    assert main(["bench", "--from", str(tmp_path / "bench.json")]) == 1
    assert "peers was left out: it failed: too slow" in capsys.readouterr().err


def test_a_page_without_a_folder_is_refused_before_anything_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--markdown", str(tmp_path / "none" / "page.md")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_bench_of_no_runs_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--times", "0"]) == 2
    assert "--times" in capsys.readouterr().err


# --- the page and its pictures


def test_the_page_has_a_row_for_each_figure_and_its_pictures_beside_it(tmp_path: Path) -> None:
    page.write(
        tmp_path / "page.md",
        a_result(
            a_figure("drain", 1234.5),
            a_figure("drain, ratio", 0.1, 0.2, 0.3, target=at_least(0.8, "Paho does less.")),
            left_out=(LeftOut("card", "it needs root"),),
        ),
    )
    told = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| drain | 1,234 |  | ms | it |" in told
    assert "| drain, ratio | 0.2 | 0.1 to 0.3 | ≥ 0.8 | **falls short** | ms | it |" in told
    assert "0 of 1 targets are met. It falls short in: drain, ratio (0.2 ms, to be ≥ 0.8)." in told
    assert "- Paho does less." in told
    assert "*card* was left out: it needs root." in told
    assert "](plots/drain.svg)" in told
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["drain.svg"]
    assert len(result.read([tmp_path / "page.json"]).figures) == 2


def test_a_picture_shows_spread_and_target_and_tells_them_in_words() -> None:
    bars = [Bar("we", a_figure("we", 1, 2, 3, target=at_most(1))), Bar("they < all", a_figure("they", 4), ours=False)]
    drawing = ET.fromstring(drawn("A & B", [Panel("times", "ms", bars)], "measured once"))  # noqa: S314  our own
    kinds = [element.get("class") for element in drawing.iter()]
    assert [kinds.count(kind) for kind in ("ours", "other", "spread", "target", "falls")] == [1, 1, 1, 1, 1]
    (title,), (told,) = drawing.iter(f"{{{NAMESPACE}}}title"), drawing.iter(f"{{{NAMESPACE}}}desc")
    assert title.text == "A & B"
    assert told.text == "times, ms: we 2 (1 to 3), target ≤ 1: falls short; they < all 4."
    assert drawing.get("role") == "img"


def test_bars_have_the_lengths_of_their_values() -> None:
    bars = [Bar("one", a_figure("one", 1)), Bar("four", a_figure("four", 4)), Bar("below", a_figure("below", -1))]
    drawing = ET.fromstring(drawn("title", [Panel("times", "ms", bars)], ""))  # noqa: S314  our own
    one, four, below = [float(bar.get("width") or 0) for bar in drawing.iter(f"{{{NAMESPACE}}}rect") if bar.get("class") == "ours"]
    assert four == pytest.approx(4 * one)
    assert below == 1


# --- processes


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


# --- peers


def test_a_backlog_s_rate_begins_with_the_first_record_that_came() -> None:
    assert peers._rate([peers.Look(0.0, 10), peers.Look(5.0, 110), peers.Look(6.0, 310), peers.Look(7.0, 510)]) == 200


def test_a_backlog_that_came_at_once_is_counted_from_connecting() -> None:
    assert peers._rate([peers.Look(1.0, 10), peers.Look(1.5, 1010)]) == 2000
