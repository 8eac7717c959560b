"""An authority for the tests of a file, with a broker or without, and a card for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.card import Card
from tests.system.enrolled import Fleet, a_fleet
from tests.system.offices import Box, Office, office


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office and its server, for all tests of a file."""
    with office(tmp_path_factory.mktemp("office") / "fleet") as one:
        yield one


@pytest.fixture
def box(there: Office, tmp_path: Path) -> Box:
    """A blank box with a card for a vehicle of this test's own."""
    return Box(tmp_path / "box", there, there.card())


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A whole fleet for all tests of a file; who needs its broker starts it."""
    with a_fleet(tmp_path_factory.mktemp("fleet")) as one:
        yield one


@pytest.fixture
def card(fleet: Fleet) -> Card:
    """For a vehicle of this test's own."""
    return fleet.card()
