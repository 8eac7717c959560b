"""The bench measures: each part, at its smallest, gives every figure that it announces. What they say is nobody's test."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import mosquitto
from cli.bench import pictures, terminal

pytestmark = pytest.mark.skipif(mosquitto.program() is None, reason="needs mosquitto: apt-get install mosquitto")


def test_a_proof_is_measured_from_its_confirm_to_both_verifiers(tmp_path: Path) -> None:
    told = terminal.measured(tmp_path, proofs=1, whole=1, settled_s=0.0)
    assert set(told) == {figure.name for figure in terminal.FIGURES}
    assert all(value > 0 for value in told.values())


def test_pictures_are_measured() -> None:
    told = pictures.measured(1, frames=1, photos=1)
    assert set(told) == {figure.name for figure in pictures.FIGURES}
    assert all(value > 0 for value in told.values())
