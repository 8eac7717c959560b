"""Which box is on the bench."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--profile", default="raspberry-pi-4", help="the board profile of the box on the bench")


@pytest.fixture
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--profile"))
