"""`roadproof faults config` in short; and for each thing that it watches, the product broken on purpose."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.progress import Progress

from cli import daemon
from cli.faults.config import bytewise, process, typewise
from cli.faults.config.file import TEXT, stays_inside
from cli.faults.config.typewise import keys
from cli.faults.config.verdict import Notes
from cli.faults.report import progress
from firmware import config as configs
from firmware.config import Config
from mqtt import settings
from mqtt.settings import SettingsError

SHORT = b'unit = "van-1"\n[broker]\nhost = "h"\n'
FLIPS = {"a bit flipped": bytewise.WAYS["a bit flipped"]}


@pytest.fixture
def bars() -> Iterator[Progress]:
    with progress(shown=False) as bars:
        yield bars


def test_the_file_that_is_damaged_has_every_setting_in_it() -> None:
    told = settings.read(tomllib.loads(TEXT), Config)
    assert stays_inside(told)
    for key in keys():
        assert typewise.with_value(TEXT, key, "x") != TEXT, key


def test_every_damaged_byte_of_a_short_file_is_refused_or_told(tmp_path: Path, bars: Progress) -> None:
    tally = bytewise.damage(tmp_path, 1, bars, SHORT)
    assert tally.is_clean, tally
    assert tally.more["refused"] > 100
    assert tally.more["taken_for_an_edit_and_told"] > 10
    assert tally.faults == len(bytewise.WAYS) * len(SHORT)


def test_no_damaged_copy_gives_other_settings(tmp_path: Path, bars: Progress) -> None:
    tally = bytewise.damage_copy(tmp_path, 1, bars, SHORT, FLIPS)
    assert tally.is_clean, tally


def test_every_setting_of_a_wrong_type_is_named(tmp_path: Path, bars: Progress) -> None:
    tally = typewise.damage(tmp_path, bars, ("2026-11-21", "-1"))
    assert tally.is_clean, tally


def test_the_real_daemon_runs_on_with_the_last_good_settings(tmp_path: Path, bars: Progress) -> None:
    tally = process.damage(tmp_path, 1, 3, bars)
    assert tally.is_clean, tally
    assert (tally.states, tally.more["on_the_last_good"]) == (4, 3)


def test_a_daemon_that_knows_no_last_good_settings_is_seen(tmp_path: Path, bars: Progress) -> None:
    command = (sys.executable, "-m", "tests.system.config_child", "run")
    assert process.damage(tmp_path, 1, 1, bars, command).lost == 1


def test_a_start_that_knows_no_last_good_settings_is_seen(tmp_path: Path, bars: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configs, "load_good", lambda _: None)
    assert bytewise.damage(tmp_path, 1, bars, SHORT).lost


def test_an_edit_that_nobody_is_told_of_is_seen(tmp_path: Path, bars: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configs, "changes", lambda *_: [])
    assert bytewise.damage(tmp_path, 1, bars, SHORT).corrupt


def test_a_refusal_that_the_fleet_is_not_told_of_is_seen(tmp_path: Path, bars: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Notes, "note", lambda *_: None)
    assert bytewise.damage(tmp_path, 1, bars, SHORT).corrupt


class Sure:
    """In the place of a hash."""

    def __init__(self, told: bytes) -> None:
        self.told = told

    def hexdigest(self) -> str:
        return "0" * 64


def test_a_copy_that_is_believed_unlooked_at_is_seen(tmp_path: Path, bars: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configs, "sha256", Sure)
    assert bytewise.damage_copy(tmp_path, 1, bars, SHORT, FLIPS).corrupt


def test_a_fault_that_names_no_key_is_seen(tmp_path: Path, bars: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    load = configs.load

    def terse(path: Path) -> Config:
        try:
            return load(path)
        except SettingsError:
            raise SettingsError([f"{path} is wrong"]) from None

    monkeypatch.setattr(configs, "load", terse)
    assert typewise.damage(tmp_path, bars, ("2026-11-21",)).corrupt


def test_a_traceback_instead_of_a_sentence_is_seen(tmp_path: Path, bars: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    started = daemon.started

    def stumbling(path: Path, build: object) -> object:
        if b"\0" in path.read_bytes():
            raise ZeroDivisionError
        return started(path, build)  # type: ignore[arg-type]

    monkeypatch.setattr(daemon, "started", stumbling)
    assert bytewise.damage(tmp_path, 1, bars, SHORT).tracebacks
