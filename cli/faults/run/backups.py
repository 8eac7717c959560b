"""The fleet's backups: what an administrator does to the store while no receiver runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from cli.errors import UsageError

KEPT = 2  # the older one is the one to restore: more has come since
MISSING = "--postgres needs pg_dump and pg_restore; install them with: sudo apt-get install postgresql-client"


class Place(Protocol):
    """A store that can be copied and set back."""

    url: str

    def save(self, backup: Path) -> None:
        """Copy all of it to a new file or folder; nobody has it open."""

    def restore(self, backup: Path) -> None:
        """Set it back to what was copied; nobody has it open."""


class SqlitePlace:
    """A file, with what its last commits left beside it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "fleet.db"
        self.url = f"sqlite://{self._file}"

    def save(self, backup: Path) -> None:
        """Copy the file and its log."""
        backup.mkdir()
        for part in self._parts():
            shutil.copy(part, backup)

    def restore(self, backup: Path) -> None:
        """Put the copies in their place."""
        for part in self._parts():
            part.unlink()
        for part in backup.iterdir():
            shutil.copy(part, self._file.parent)

    def _parts(self) -> list[Path]:
        whole = (self._file, self._file.with_name("fleet.db-wal"))  # its index in memory, -shm, is made anew
        return [part for part in whole if part.exists()]


class PostgresPlace:
    """A database."""

    def __init__(self, url: str) -> None:
        if shutil.which("pg_dump") is None or shutil.which("pg_restore") is None:
            raise UsageError(MISSING)
        self.url = url
        if "CREATE TABLE" in _typed("pg_dump", "--schema-only", url):
            raise UsageError("the database of --postgres is not empty; name a new one")

    def save(self, backup: Path) -> None:
        """Dump it."""
        _typed("pg_dump", "--format=custom", f"--file={backup}", self.url)

    def restore(self, backup: Path) -> None:
        """Drop what is there and load the dump."""
        _typed("pg_restore", "--clean", "--if-exists", "--single-transaction", f"--dbname={self.url}", str(backup))


class Backups:
    """The newest few of them."""

    def __init__(self, place: Place, folder: Path) -> None:
        self._place = place
        self._folder = folder
        self._made: list[Path] = []
        self._number = 0

    @property
    def any(self) -> bool:
        """Whether there is one to go back to."""
        return bool(self._made)

    def make(self) -> None:
        """Make one now, and drop the oldest."""
        self._number += 1
        made = self._folder / f"backup-{self._number}"
        self._place.save(made)
        self._made.append(made)
        for old in self._made[:-KEPT]:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        self._made = self._made[-KEPT:]

    def go_back(self) -> None:
        """Restore the oldest."""
        self._place.restore(self._made[0])


def _typed(*command: str) -> str:
    """What a program of PostgreSQL says when it ends well; UsageError with its reason when it does not."""
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    if ended.returncode:
        raise UsageError(f"the database of --postgres cannot be used: {' '.join(ended.stderr.split())}")
    return ended.stdout
