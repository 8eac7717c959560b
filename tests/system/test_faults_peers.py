"""The comparison with what a user would pick instead: ours loses nothing, and what others lose is seen."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cli.faults.peers import comparison, peer, record, stage, thingsboard, trials
from cli.faults.peers.comparison import Column
from cli.faults.peers.stage import FIRST, Count
from cli.main import main
from mqtt.codec import TrackPoint
from tests.system.broker import MOSQUITTO

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
RECORDS = 40


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever still has a record sends it within seconds here."""
    monkeypatch.setattr(stage, "QUIET_S", 2.5)
    monkeypatch.setattr(stage, "DONE_S", 0.2)


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """The exit code of `faults peers`, and its line of JSON."""
    code = main(["faults", "peers", *words, "--fault", "kill", "--part", "0.01", "--json"])
    return code, json.loads(capsys.readouterr().out)


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The sentence with which it refuses to begin."""
    assert main(["faults", "peers", *words, "--json"]) == 2
    return capsys.readouterr().err


def test_our_unit_that_is_killed_with_a_backlog_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code, tally = told(["--only", "roadproof"], capsys)
    assert (code, tally["committed"], tally["lost"], tally["stored_twice"], tally["tracebacks"]) == (0, FIRST + 30, 0, 0, 0)
    assert tally["more"]["peers"]["roadproof"]["version"]


def test_our_unit_loses_nothing_in_a_black_hole(tmp_path: Path) -> None:
    assert trials.black_holed(peer.ours(), RECORDS, tmp_path, 1) == Count(fed=FIRST + RECORDS, lost=0, twice=0)


def test_a_unit_that_keeps_in_memory_what_it_calls_saved_is_seen_to_lose_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forgetful = peer.ours("tests.system.forgetful_unit")
    monkeypatch.setattr(peer, "ours", lambda: forgetful)
    code, tally = told(["--only", "roadproof"], capsys)
    assert (code, tally["lost"]) == (1, 30)


def test_paho_that_is_killed_loses_its_queue_and_that_is_not_our_loss(capsys: pytest.CaptureFixture[str]) -> None:
    code, tally = told(["--only", "paho"], capsys)
    assert (code, tally.get("lost")) == (0, None)
    assert tally["more"]["peers"]["paho"]["counts"]["kill -9 with a backlog"] == {"fed": FIRST + 30, "lost": 30, "twice": 0}


def test_a_mosquitto_bridge_gets_its_backlog_through_when_the_road_is_mended(tmp_path: Path) -> None:
    count = trials.black_holed(peer.bridge(), RECORDS, tmp_path, 1)
    assert (count.fed, count.lost) == (FIRST + RECORDS, 0)


def test_a_thingsboard_gateway_gets_its_records_through(tmp_path: Path) -> None:
    venv = thingsboard.default_venv()
    if reason := thingsboard.missing(venv):
        pytest.skip(reason)
    with stage.staged(thingsboard.kind(venv, "sqlite"), tmp_path) as on, on.proven_on(tmp_path / "kept"):
        assert on.arrived() == FIRST


def test_a_named_environment_without_a_gateway_is_told_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "pip install thingsboard-gateway" in refused(["--venv", str(tmp_path)], capsys)


def test_more_than_all_of_the_records_cannot_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--part" in refused(["--part", "2"], capsys)


def test_a_folder_that_holds_something_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter").write_text("mine")
    assert "not empty" in refused(["--only", "paho", "--fault", "kill", "--keep", str(tmp_path)], capsys)
    assert (tmp_path / "letter").read_text() == "mine"


def test_the_table_names_each_version_and_says_what_was_left_out() -> None:
    columns = {"ours": Column("1.0", {trials.TRIALS[0].name: Count(fed=3_000, lost=0, twice=2)})}
    view = comparison.table(columns, list(trials.TRIALS))
    assert [str(column.header) for column in view.columns] == ["fault", "ours\n1.0"]
    assert list(view.columns[1].cells) == ["0 of 3,000, 2 came twice", *["left out"] * (len(trials.TRIALS) - 1)]


def test_everybody_is_fed_the_same_drive() -> None:
    fixes: list[TrackPoint] = [record.point(number) for number in range(1, 101)]
    assert [record.number_of(fix) for fix in fixes] == list(range(1, 101))
    assert len({(fix.lat_e7, fix.lon_e7) for fix in fixes}) > 90
    assert json.loads(record.message(7))["lat"] == record.point(7).lat_e7 / 1e7


def test_what_did_not_arrive_is_lost_and_what_came_again_came_twice() -> None:
    assert stage.counted(4, Counter({1: 1, 2: 3, 4: 2})) == Count(fed=4, lost=1, twice=2)
