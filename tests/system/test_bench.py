"""The bench measures: each part, at its smallest, gives every figure that it announces. What they say is nobody's test."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import mosquitto
from cli.bench import backlog, card, drain, pictures, running, terminal
from cli.errors import UsageError

pytestmark = pytest.mark.skipif(mosquitto.program() is None, reason="needs mosquitto: apt-get install mosquitto")


def test_a_proof_is_measured_from_its_confirm_to_both_verifiers(tmp_path: Path) -> None:
    told = terminal.measured(tmp_path, proofs=1, whole=1, settled_s=0.0)
    assert set(told) == {figure.name for figure in terminal.FIGURES}
    assert all(value > 0 for value in told.values())


def test_pictures_are_measured() -> None:
    told = pictures.measured(1, frames=1, photos=1)
    assert set(told) == {figure.name for figure in pictures.FIGURES}
    assert all(value > 0 for value in told.values())


def test_a_drain_is_measured_to_the_receipt_and_beside_bare_loops(tmp_path: Path) -> None:
    told = drain.measured(tmp_path, 1, short=600, long=900)
    assert set(told) == {figure.name for figure in drain.FIGURES}
    assert all(value > 0 for value in told.values())


def test_the_memory_of_a_unit_with_a_backlog_is_measured(tmp_path: Path) -> None:
    told = backlog.measured(tmp_path, 1, waiting=(600,), settled_s=0.0)
    assert list(told) == ["memory at rest", "memory, 600 waiting", "memory, growth"]
    assert told["memory at rest"] > 0


def test_a_driving_unit_is_measured(tmp_path: Path) -> None:
    told = running.measured(tmp_path, 1, settled_s=0.0, window_s=0.5)
    assert set(told) == {figure.name for figure in running.FIGURES}
    in_ticks = {name for name in told if name.startswith("CPU")}  # of 10 ms: half a second of a unit at rest may take none
    assert all(value > 0 or name in in_ticks for name, value in told.items())


def test_what_is_written_reaches_the_card_s_device(tmp_path: Path) -> None:
    try:
        with card.mounted(tmp_path) as mounted:
            before_bytes = mounted.written_bytes()
            (mounted.folder / "file").write_bytes(bytes(1_000_000))
            grown_bytes = mounted.written_bytes() - before_bytes
    except UsageError as error:
        pytest.skip(str(error))
    assert 1_000_000 < grown_bytes < 2_000_000
    assert not list((tmp_path / "card").iterdir())
