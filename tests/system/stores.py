"""Places for a fleet's store, with what an administrator does to them: back up, restore."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from fleet.store import Store, open_store
from tests.system.postgres import Postgres


class SqlitePlace:
    """A file in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "fleet.db"
        self._backup = folder / "backup.db"

    @property
    def url(self) -> str:
        return f"sqlite://{self._file}"

    def back_up(self) -> None:
        with closing(sqlite3.connect(self._file)) as source, closing(sqlite3.connect(self._backup)) as target:
            source.backup(target)

    def restore(self) -> None:
        """Nobody may have it open."""
        for leftover in self._file.parent.glob("fleet.db*"):
            leftover.unlink()
        self._file.write_bytes(self._backup.read_bytes())


class PostgresPlace:
    """A database of the test's own."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._database = server.new_database()
        self._backup: str | None = None

    @property
    def url(self) -> str:
        return self._server.url(self._database)

    def back_up(self) -> None:
        self._backup = self._server.new_database(template=self._database)

    def restore(self) -> None:
        """Nobody may be connected."""
        assert self._backup is not None
        self._server.drop(self._database)
        self._server.rename(self._backup, self._database)

    def remove(self) -> None:
        self._server.drop(self._database)


Place = SqlitePlace | PostgresPlace


def opened(place: Place, *, writing: bool = True) -> Store:
    """A store that is ready to use."""
    store = open_store(place.url, writing=writing)
    store.open()
    return store
