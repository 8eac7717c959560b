"""The storm: a short one over the real product loses nothing, and each fault that is built into the product is seen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.faults import report
from cli.faults.run import NAMES
from cli.faults.run.forecast import Forecast
from cli.faults.run.storm import FAULTS, blow
from cli.faults.tally import Tally
from cli.main import main
from tests.system.broker import MOSQUITTO

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
HASTY = (sys.executable, "-P", "-m", "tests.system.hasty_receiver")


STORMS = {
    "whole": Forecast(seconds=16, seed=1, gap_s=1.0),
    # Twice this seed wipes the broker while it holds what came for two seconds and more for a receiver that lies dead.
    "puback": Forecast(
        seconds=8, seed=178, kinds=("wipe", "receiver"), gap_s=2.0, rate_hz=10, forget_on="puback", patience_s=30
    ),
    "hasty": Forecast(seconds=5, seed=3, kinds=("receiver",), gap_s=1.0, receiver=HASTY, patience_s=30),
}  # fmt: skip


@pytest.fixture(scope="module")
def storms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Tally]]]:
    """They mostly wait: all blow at once, each over a site of its own."""
    with ThreadPoolExecutor(len(STORMS)) as pool:
        yield {name: pool.submit(storm, tmp_path_factory.mktemp(name), forecast) for name, forecast in STORMS.items()}


def storm(folder: Path, forecast: Forecast) -> Tally:
    with report.progress(shown=False) as bars:
        return blow(folder, forecast, bars)


def test_nothing_is_lost_in_a_storm_with_every_kind_of_fault(storms: dict[str, Future[Tally]]) -> None:
    tally = storms["whole"].result()
    assert tally.examples == []
    assert tally.is_clean
    assert set(tally.more["done"]) == set(NAMES)
    assert tally.committed is not None
    assert tally.more["fixes"] + tally.more["records"] >= tally.committed > 50
    assert tally.more["attachments"] >= 2 * tally.more["proofs"] > 0


@pytest.mark.parametrize("broken", ["puback", "hasty"])
def test_records_that_are_forgotten_or_receipted_before_they_are_stored_are_seen_to_be_lost(
    storms: dict[str, Future[Tally]], broken: str
) -> None:
    tally = storms[broken].result()
    assert tally.lost, tally
    assert any("was committed, and is not in the fleet's store" in sentence for sentence in tally.examples)


def test_every_kind_that_may_be_typed_is_there() -> None:
    assert [fault.name for fault in FAULTS] == list(NAMES)


@pytest.mark.parametrize("words", [["--seconds", "0"], ["--hz", "11"]])
def test_a_storm_that_cannot_be_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["faults", "run", *words])
    assert f"argument {words[0]}: {words[1]} is out of range" in capsys.readouterr().err
