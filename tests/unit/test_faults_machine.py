"""What is done to the emulated computer counts what is lost; the computer itself is too slow for every test run."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest

from cli.faults.machine.computer import Computer
from cli.faults.machine.trials import Trials
from cli.faults.tally import Tally
from firmware.status import SeriesStatus, Status


class ToldComputer:
    """Answers with what a test says; each status is the next of its list, the last one for ever."""

    def __init__(self, *statuses: Status, log: str = "", reset_s: float | None = 14.0) -> None:
        self.typed_words: list[str] = []
        self._statuses = list(statuses)
        self._log = log
        self._reset_s = reset_s

    def typed(self, command: str) -> str:
        self.typed_words.append(command)
        if command.startswith("cat /run/roadproof/status.json"):
            return msgspec.json.encode(self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]).decode()
        if command.startswith("journalctl"):
            return self._log
        return "RuntimeWatchdogUSec=15s" if "RuntimeWatchdog" in command else "1980-01-01"

    def crash(self, within_s: float) -> float | None:
        return self._reset_s if self._reset_s is not None and self._reset_s < within_s else None


def now(pid: int = 7, *, tseq: int = 100, seq: int = 10, log: str = "0000a001", has_fix: bool = True) -> Status:
    return Status(pid=pid, log=log, has_fix=has_fix, seq=SeriesStatus(issued=seq), tseq=SeriesStatus(issued=tseq))


def trials(computer: ToldComputer) -> tuple[Trials, Tally]:
    tally = Tally(harm="machine", lost=0, tracebacks=0)
    return Trials(cast("Computer", computer), tally), tally


def test_an_unplugged_receiver_that_comes_back_costs_nothing() -> None:
    doing, tally = trials(ToldComputer(now(), now(has_fix=False), now(tseq=104)))
    doing.unplugs(1)
    assert tally.is_clean
    assert (tally.faults, tally.committed, tally.more["unplugged"]) == (1, 110, 1)


def test_a_daemon_that_ended_because_of_a_plug_is_told() -> None:
    doing, tally = trials(ToldComputer(now(7), now(7, has_fix=False), now(8, tseq=104)))
    doing.unplugs(1)
    assert tally.examples == ["an unplugged receiver ended the daemon"]
    assert not tally.is_clean


def test_numbers_that_are_gone_after_a_reset_are_lost_records() -> None:
    doing, tally = trials(ToldComputer(now(tseq=97, seq=10)))
    doing.back(now(tseq=100, seq=10))
    assert tally.lost == 3


def test_a_new_journal_after_a_reset_has_lost_the_old_one() -> None:
    doing, tally = trials(ToldComputer(now(tseq=500, seq=500, log="0000b002")))
    doing.back(now(tseq=100, seq=10))
    assert tally.lost == 110


def test_a_killed_daemon_goes_on_where_it_was() -> None:
    doing, tally = trials(ToldComputer(now(7), now(8, tseq=120), log="roadproof.service: Failed with result 'oom-kill'."))
    doing.memory()
    assert tally.is_clean


def test_a_kernel_that_hangs_and_is_not_reset_is_told() -> None:
    doing, tally = trials(ToldComputer(now(), reset_s=None))
    doing.hang()
    assert tally.examples == ["the watchdog did not reset a hung kernel"]


@pytest.mark.parametrize(("log", "count"), [("all well", 0), ("Traceback (most recent call last):\nTraceback", 2)])
def test_tracebacks_in_the_log_are_counted(log: str, count: int) -> None:
    doing, tally = trials(ToldComputer(now(), log=log))
    doing.told()
    assert tally.tracebacks == count
