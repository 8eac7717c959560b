"""The power goes at every instant of an enrolment, with whatever the card may hold then (cli/faults/power/card.py): never half an identity.

A key that a certificate was asked for with is on the card before it was asked: otherwise the same card would be refused as used.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.faults.power.card import Card as Memory
from cli.faults.power.card import Model
from cli.faults.power.trace import Line, Operation, Sync, record
from provisioning.card import Card
from provisioning.est.wire import key_sha256
from provisioning.identity import FOLDER, Draft, IdentityError, read
from tests.system.broker import MOSQUITTO
from tests.system.enrolled import a_fleet

pytestmark = [
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto"),
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt install strace"),
]
COMMAND = [sys.executable, "-P", "-c", "import sys; sys.path.insert(0, '.'); import tests.system.enrol_recorded"]
MODELS: tuple[tuple[Model, int], ...] = (("ordered", 0), ("unsynced_lost", 0), *(("torn", seed) for seed in range(1, 5)))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Card, list[Operation]]:
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "state").mkdir()
    with a_fleet(folder / "fleet") as fleet:
        card = fleet.card()
        (folder / "card").write_text(card.text, encoding="utf-8")
        return card, record(folder / "state", folder, seed=0, steps=0, command=COMMAND)


def states(operations: list[Operation], folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every folder that a cut may leave, and what had been said by then."""
    memory, said = Memory(), list[str]()
    for after, operation in enumerate(operations):
        memory.do(operation)
        if isinstance(operation, Line):
            said.append(operation.text.strip())
        for model, seed in MODELS[:1] if memory.is_settled else MODELS:
            left = folder / f"{after}-{model}-{seed}"
            memory.save(left, model, random.Random(left.name))
            for path in (left, *left.rglob("*")):
                path.chmod(0o700 if path.is_dir() else 0o600)  # modes are not modelled
            yield left, said
            shutil.rmtree(left)


def faults(card: Card, operations: list[Operation], folder: Path) -> tuple[int, list[str]]:
    """How many states were looked at, and what is wrong with them."""
    wrong, seen = [], 0
    for left, said in states(operations, folder):
        seen += 1
        try:
            found = read(left / FOLDER)
        except IdentityError as error:
            wrong.append(f"{left.name}: {error}")
            continue
        if found is None and "enrolled" in said:
            wrong.append(f"{left.name}: it was told that it is enrolled")
        if found is None:
            asked = dict(line.split()[1:] for line in said if line.startswith("asked"))
            wrong += [f"{left.name}: the key for {purpose} is lost" for purpose in asked if _key(card, left, purpose) != asked[purpose]]
    return seen, wrong


def _key(card: Card, left: Path, purpose: str) -> str:
    """What the same card would ask with now."""
    draft = Draft.begin(left, card)
    return key_sha256((draft.tls_key() if purpose == "tls" else draft.evidence_key()).public_key)


def test_there_is_never_half_an_identity_and_no_key_is_lost_wherever_the_power_goes(
    recorded: tuple[Card, list[Operation]], tmp_path: Path
) -> None:
    seen, wrong = faults(*recorded, tmp_path)
    print(f"{seen} states of the card")
    assert wrong == []
    assert seen > 100


@pytest.mark.parametrize("skipped", [f"{FOLDER}.new", ""])
def test_an_enrolment_that_does_not_wait_for_its_folder_is_seen(
    skipped: str, recorded: tuple[Card, list[Operation]], tmp_path: Path
) -> None:
    card, operations = recorded
    careless = [operation for operation in operations if not (isinstance(operation, Sync) and operation.path == skipped)]
    assert len(careless) < len(operations)
    assert faults(card, careless, tmp_path)[1]
