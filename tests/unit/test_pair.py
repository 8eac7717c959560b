"""The TLS key with its certificate, and the renewed one beside it: what is in the way costs nothing, and never the pair that works."""

from __future__ import annotations

from pathlib import Path

import pytest

from mqtt.login import BrokerSettings, pair_of
from mqtt.pair import ANOTHER_TRY_S, Pair, beside


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tls.pem"
    path.write_text("old", encoding="utf-8")
    return path


def test_without_a_renewed_file_there_is_nothing_to_try(file: Path) -> None:
    assert Pair(file).renewed() is None


def test_what_a_broker_took_is_the_pair_from_then_on(file: Path) -> None:
    beside(file).write_text("new", encoding="utf-8")
    pair = Pair(file)
    tried = pair.renewed()
    assert tried is not None
    assert tried.path == beside(file)
    pair.promote(tried)
    assert file.read_text(encoding="utf-8") == "new"
    assert pair.renewed() is None


def test_what_did_not_work_is_tried_again_on_another_day(file: Path) -> None:
    beside(file).write_text("new", encoding="utf-8")
    clock = Clock()
    pair = Pair(file, mono_s=clock)
    tried = pair.renewed()
    assert tried is not None
    pair.refuse(tried, "no")
    assert pair.renewed() is None
    clock.now_s += ANOTHER_TRY_S
    assert pair.renewed() == tried
    assert file.read_text(encoding="utf-8") == "old"


def test_a_newer_one_is_tried_at_once_whatever_became_of_the_last(file: Path) -> None:
    beside(file).write_text("new", encoding="utf-8")
    pair = Pair(file)
    tried = pair.renewed()
    assert tried is not None
    pair.refuse(tried, "no")
    fresh = file.with_name("fresh")
    fresh.write_text("newer", encoding="utf-8")
    fresh.replace(beside(file))
    assert pair.renewed() is not None


def test_one_that_came_while_another_was_tried_waits_for_its_own_session(file: Path) -> None:
    beside(file).write_text("new", encoding="utf-8")
    pair = Pair(file)
    tried = pair.renewed()
    assert tried is not None
    fresh = file.with_name("fresh")
    fresh.write_text("newer", encoding="utf-8")
    fresh.replace(beside(file))
    pair.promote(tried)
    assert file.read_text(encoding="utf-8") == "old"
    assert pair.renewed() is not None


def test_a_folder_that_cannot_be_written_keeps_the_session_and_is_told(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    beside(file).write_text("new", encoding="utf-8")
    pair = Pair(file)
    tried = pair.renewed()
    assert tried is not None
    file.unlink()
    file.mkdir()
    pair.promote(tried)
    assert "check the owner of its folder" in caplog.text
    assert pair.renewed() is None


def test_only_a_file_with_its_key_in_it_can_be_renewed() -> None:
    assert pair_of(BrokerSettings(host="h", tls_cert="tls.pem")) is not None
    assert pair_of(BrokerSettings(host="h", tls_cert="unit.pem", tls_key="unit.key")) is None
    assert pair_of(BrokerSettings(host="h")) is None
    assert pair_of(BrokerSettings(host="127.0.0.1", tls=False, tls_cert="tls.pem")) is None
