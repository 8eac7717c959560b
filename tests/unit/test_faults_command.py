"""What every harm shares: numbers that are refused, folders that are kept, an answer for people, an end in order."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
from pathlib import Path

import pytest
from rich.progress import Progress

from cli.child import mortal
from cli.errors import UsageError
from cli.faults import report
from cli.faults.amount import count, number
from cli.faults.scratch import kept_or_thrown, made
from cli.faults.tally import Tally
from cli.main import main


def told(tally: Tally, *, json_only: bool = True) -> int:
    return report.run(lambda *_: tally, argparse.Namespace(json=json_only, command=None, harm=tally.harm, untyped=lambda _: None))


@pytest.mark.parametrize("text", ["0", "-3", "x", "1.5", ""])
def test_no_number_of_times_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="type 1 or more"):
        count(text)


@pytest.mark.parametrize("text", ["-1", "91", "x", "nan", "inf"])
def test_a_number_out_of_its_range_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="type 0 to 90"):
        number(0, 90)(text)


def test_a_number_without_an_upper_end_is_no_infinite_one() -> None:
    assert number(1)("1800") == 1_800
    with pytest.raises(argparse.ArgumentTypeError, match="type 1 or more"):
        number(1)("inf")


@pytest.mark.parametrize(
    "words",
    ["bits --flips 0", "clock --cases -1", "disk --sizes 0", "config --starts 0", "power --states 0", "link --loss 100", "run --hz 11"],
)
def test_what_cannot_be_done_is_refused_before_anything_is_done(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["faults", *words.split()])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_road_with_nothing_bad_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "link", "--loss", "0", "--rate-kbit", "0", "--cut-s", "0", "--json"]) == 2
    assert "nothing is bad of this road" in capsys.readouterr().err


def test_a_folder_that_is_kept_is_new_or_empty(tmp_path: Path) -> None:
    with kept_or_thrown(tmp_path / "a" / "new", "test") as folder:
        (folder / "something").touch()
    with pytest.raises(UsageError, match="is not empty; name a new folder"), kept_or_thrown(tmp_path / "a" / "new", "test"):
        pass


def test_a_folder_that_nobody_named_is_gone_at_the_end() -> None:
    with kept_or_thrown(None, "test") as folder:
        (folder / "something").touch()
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot make the folder .*; name another"):
        made(tmp_path / "file" / "below")


def test_people_are_told_the_answer_and_programs_only_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    bad = Tally(harm="bits", lost=2, numbers_reused=1, examples=["seq 3 is nowhere"])
    assert told(bad, json_only=False) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["lost"] == 2
    assert "roadproof: seq 3 is nowhere\nroadproof: faults bits: 2 lost, 1 numbers reused\n" in said.err
    assert told(Tally(harm="bits", lost=0)) == 0
    assert capsys.readouterr().err == ""


def test_the_unit_says_nothing_in_the_log_while_it_is_harmed(caplog: pytest.LogCaptureFixture) -> None:
    with report.quiet():
        logging.getLogger("firmware").critical("again")
    logging.getLogger("firmware").critical("now")
    assert caplog.messages == ["now"]


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(by: signal.Signals) -> None:
    cleared = list[bool]()

    def harm(_arguments: argparse.Namespace, _progress: Progress) -> Tally:
        try:
            os.kill(os.getpid(), by)
            signal.pause()
        finally:
            cleared.append(True)
        raise AssertionError("it went on")

    with pytest.raises(SystemExit) as ended:
        report.run(harm, argparse.Namespace(json=True))
    assert (ended.value.code, cleared) == (128 + by, [True])
    assert signal.getsignal(by) is signal.SIG_DFL


def test_a_hang_up_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with report.ended_in_order():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_program_is_started_all_the_same_where_nothing_can_bind_it_to_us(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mortal(["mosquitto", "-v"])[-2:] == ["mosquitto", "-v"]
    monkeypatch.setenv("PATH", "")
    assert mortal(["mosquitto", "-v"]) == ["mosquitto", "-v"]
