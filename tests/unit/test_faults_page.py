from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import pytest

from cli.errors import UsageError
from cli.faults import page
from cli.faults.tally import Tally
from cli.faults.typed import typed
from cli.main import main, parser

STATES = Tally(
    harm="power", command="roadproof faults power --states 20000 --seed 1", seed=1, seconds=676.2, faults=20_000, states=20_000,
    committed=1_116, lost=0, stored_twice=0, corrupt=0, numbers_reused=0, tracebacks=0,
    more={"records_checked": 3_460_506, "days": 2, "called_damaged": 0},
)  # fmt: skip
BOOT = Tally(
    harm="power", command="roadproof faults power --boot 100 --seed 1", seconds=900.0, faults=100, states=100, committed=30_000, lost=2,
    stored_twice=0, corrupt=0, numbers_reused=0, tracebacks=1, more={"spared": {"all": 60, "torn": 40}},
)  # fmt: skip
LINK = Tally(
    harm="link", command="roadproof faults link --seed 1", seconds=100.0, faults=40, committed=320, lost=0, stored_twice=0, corrupt=0,
    more={"roads": {
        "slow": {"s": 41.2, "cuts": 0, "sessions": 1, "pieces": 37, "again_bytes": 0},
        "cut": {"s": None, "cuts": 40, "sessions": 3, "pieces": 45, "again_bytes": 9_000},
    }},
)  # fmt: skip
PEERS = Tally(
    harm="peers", faults=2, lost=0,
    more={"peers": {
        "roadproof": {"version": "0.1.0", "counts": {"power cut": {"fed": 2_010, "lost": 0, "twice": 0}}},
        "paho": {"version": "2.1.0", "counts": {"power cut": {"fed": 2_010, "lost": 2_000, "twice": 3}}},
    }},
)  # fmt: skip
RUNS = [LINK, PEERS, BOOT, STATES]
PAGE = "# Faults\n\n<!-- faults: counts -->\nold\n<!-- faults end -->\n\nWords.\n\n<!-- faults: claim -->\n<!-- faults end -->\n"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    file = tmp_path / "runs.jsonl"
    file.write_bytes(b"\n".join(msgspec.json.encode(run) for run in RUNS) + b"\n")
    return file


def test_runs_stand_in_the_order_in_which_a_reader_meets_them(lines: Path) -> None:
    assert [run.way for run in page.read(lines)] == ["power", "power --boot", "link", "peers"]


def test_a_row_says_what_was_done_how_often_and_that_nothing_was_lost(lines: Path) -> None:
    _, _, states, boot, link = page.counts(page.read(lines)).splitlines()
    assert states == "| power cut, the files rebuilt at every write | 20,000 | 20,000 | 3,460,506 | 0 | 0 | 0 | 0 | 0 | 11 min |"
    assert " | 30,000 | **2** | 0 | 0 | 0 | **1** | 15 min |" in boot
    assert link.endswith(" | 320 | 0 | 0 | 0 | - | - | 100 s |")


def test_a_page_has_its_tables_between_the_marks_and_all_else_as_it_was(lines: Path) -> None:
    runs = page.read(lines)
    filled = page.filled(PAGE, runs)
    assert page.counts(runs) in filled
    assert "old" not in filled
    assert filled.startswith("# Faults\n\n<!-- faults: counts -->\n| ")
    assert "\n<!-- faults end -->\n\nWords.\n\n" in filled
    assert page.filled(filled, runs) == filled


def test_the_claim_adds_up_and_says_a_loss_aloud(lines: Path) -> None:
    told = page.claim(page.read(lines))
    assert told.startswith(
        "20,000 power cuts at every write of a day, 100 power cuts with a boot after each, 40 cuts of bad roads, 2 side by side with peers"
    )
    assert "lost **2**, stored twice **0**" in told


def test_a_road_tells_what_it_was_allowed_to_waste(lines: Path) -> None:
    told = page.roads(page.read(lines))
    assert "| slow | 41 s | 0 | 1 | 37 | 0 of 0 |" in told
    assert "| cut | not in time | 40 | 3 | 45 | 9,000 of 16,384 |" in told


def test_every_peer_has_a_column_with_its_version_even_from_runs_of_their_own(lines: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.jsonl"
    late = Tally(harm="peers", more={"peers": {"bridge": {"version": "2.0.11", "counts": {"kill": {"fed": 10, "lost": 1, "twice": 0}}}}})
    alone.write_bytes(lines.read_bytes() + msgspec.json.encode(late))
    head, _, power, kill = page.peers(page.read(alone)).splitlines()
    assert head == "| records lost | roadproof 0.1.0 | paho 2.1.0 | bridge 2.0.11 |"
    assert power == "| power cut | 0 of 2,010 | 2,000 of 2,010 (100 %); 3 came twice | - |"
    assert kill == "| kill | - | - | 1 of 10 (10 %) |"


def test_what_a_run_met_stands_beside_what_was_typed(lines: Path) -> None:
    told = page.commands(page.read(lines))
    assert "| `roadproof faults power --boot 100 --seed 1` | spared (all 60, torn 40) |" in told
    assert "records checked 3,460,506; days 2; called damaged 0" in told


def test_the_command_fills_pages(lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.md"
    file.write_text(PAGE)
    assert main(["faults", "table", str(lines), "--into", str(file)]) == 0
    assert "3,460,506" in file.read_text()
    assert capsys.readouterr().out == ""
    assert main(["faults", "table", str(lines)]) == 0
    assert "| power cut |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "line 1 is not what"),
        ('{"harm": "weather"}', "is of the harm weather, which there is not"),
        ('{"seed": 1}', "line 1 is not what"),
    ],
)
def test_a_line_that_no_run_ended_with_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text(line)
    with pytest.raises(UsageError, match=sentence):
        page.read(file)


def test_a_page_without_a_place_and_a_place_without_a_table_are_refused(lines: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("# Faults\n")
    told = argparse.Namespace(file=lines, into=[file])
    with pytest.raises(UsageError, match="has no place for a table"):
        page.show(told)
    with pytest.raises(UsageError, match="there is no table weather; there are counts"):
        page.filled(PAGE.replace("claim", "weather"), page.read(lines))


@pytest.mark.parametrize(
    ("words", "again"),
    [
        (["power", "--device", "9", "--keep", "kept"], "roadproof faults power --device 9 --seed 7"),
        (["run", "--seconds", "600", "--only", "unit", "cut", "--json"], "roadproof faults run --seconds 600 --only unit cut --seed 7"),
        (["peers", "--venv", "somewhere", "--part", "0.5"], "roadproof faults peers --venv DIR --part 0.5 --seed 7"),
        (["link", "--photo-kb", "10"], "roadproof faults link --photo-kb 10 --seed 7"),
    ],
)
def test_a_run_says_what_to_type_to_do_it_again(words: list[str], again: str) -> None:
    told = typed(parser("faults").parse_args(["faults", *words]), 7)
    assert sorted(told.split()) == sorted(again.split())
    again_typed = parser("faults").parse_args(told.split()[1:])
    assert again_typed.seed == 7
