"""`roadproof faults clock` in short; and for each thing that it watches, the product broken on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.faults.clock.cases import Case
from cli.faults.clock.wrong import DAYS, NETWORK, SATELLITES, STEPS_S, SYSTEM, Wrong, chosen
from cli.faults.power.unit import Keys, load_keys
from cli.faults.tally import Tally
from cli.main import main
from drivers.gnss import calendar
from firmware import recorder
from firmware.clock import Clock, Moment
from firmware.journal.database import Database
from firmware.journal.numbers import Numbers
from tests.proofs import keys_of_the_session

RIGHT = Wrong("an ordinary day", "1970", "right", "never", 0.0)


@pytest.fixture(scope="module")
def keys() -> Keys:
    return load_keys(keys_of_the_session().folder)


@contextmanager
def broken(monkeypatch: pytest.MonkeyPatch, where: object, name: str, by: object) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(where, name, by)
        yield


def lived(folder: Path, keys: Keys, **changes: Any) -> Tally:
    return Case(folder / "unit", keys, msgspec.structs.replace(RIGHT, **changes)).lived()


def test_every_wrong_time_is_among_the_cases_and_none_comes_twice() -> None:
    every = len(DAYS) * len(SYSTEM) * len(SATELLITES) * len(NETWORK) * len(STEPS_S)
    cases = chosen(every, 1)
    assert len(set(cases)) == every == len(cases)


def test_the_command_counts_nothing_that_must_not_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "clock", "--cases", "6", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["faults"], told["states"], told["lost"], told["corrupt"], told["tracebacks"]) == (6, 18, 0, 0, 0)
    assert told["committed"] > 200


@pytest.mark.parametrize("satellites", SATELLITES)
def test_a_unit_without_a_clock_keeps_order_and_marks_its_doubt_whatever_the_satellites_say(
    tmp_path: Path, keys: Keys, satellites: str
) -> None:
    tally = lived(tmp_path, keys, satellites=satellites)
    assert tally.is_clean, tally


def test_a_clock_that_is_always_sure_of_itself_is_seen(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    now = Clock.now

    def sure(self: Clock) -> Moment:
        return msgspec.structs.replace(now(self), src="gnss")

    with broken(monkeypatch, Clock, "now", sure):
        assert lived(tmp_path, keys, satellites="none").corrupt


def test_a_receiver_whose_weeks_rolled_over_unmended_is_seen(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(monkeypatch, calendar, "ROLLOVER", timedelta(weeks=1_025)):
        assert lived(tmp_path, keys, satellites="1024 weeks ago").corrupt


def test_events_that_are_never_given_their_time_are_seen(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(monkeypatch, recorder, "redated", lambda *_: None):
        assert lived(tmp_path, keys, satellites="late").corrupt


def test_a_session_that_follows_the_clock_backwards_is_seen(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    fact = Database.fact
    with broken(monkeypatch, Database, "fact", lambda self, name: None if name == "session" else fact(self, name)):
        assert lived(tmp_path, keys, satellites="none").numbers_reused


def test_a_journal_that_starts_its_numbers_anew_is_seen(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(monkeypatch, Numbers, "start", lambda *_, **__: None):
        assert lived(tmp_path, keys).tracebacks  # the database itself refuses the second record of a number
