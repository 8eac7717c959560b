"""Real servers for the tests, and which of them run at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.system import postgres
from tests.system.broker import MOSQUITTO, Mosquitto
from tests.system.stores import Place, PostgresPlace, SqlitePlace

if TYPE_CHECKING:  # loaded for a run on several workers only
    from tests.lanes import Lanes

settings.register_profile("patient", deadline=None)  # a shared machine pauses at any moment
settings.load_profile("patient")

# In the background of a script, or under nohup, these are ignored, and every program that a test starts would inherit that.
for _ignored, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_ignored) is signal.SIG_IGN:
        signal.signal(_ignored, _usual)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    """Tests that disturb each other stay on one worker."""
    from tests.lanes import Lanes

    return Lanes(config, log)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A mosquitto of this test's own, without persistence."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    folder = tmp_path / "broker"
    folder.mkdir()
    mosquitto = Mosquitto(folder)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    """One PostgreSQL server for all tests; each test makes databases of its own on it."""
    found = postgres.programs()
    if found is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    server = postgres.Postgres(found)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def sqlite_place(tmp_path: Path) -> SqlitePlace:
    """An empty place for a fleet's store in one file."""
    return SqlitePlace(tmp_path)


@pytest.fixture
def postgres_place(postgres_server: postgres.Postgres) -> Iterator[PostgresPlace]:
    """An empty PostgreSQL database for a fleet's store."""
    place = PostgresPlace(postgres_server)
    yield place
    place.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Place:
    """An empty place for a fleet's store; the test runs once on each database."""
    found: Place = request.getfixturevalue("sqlite_place" if request.param == "sqlite" else "postgres_place")
    return found
