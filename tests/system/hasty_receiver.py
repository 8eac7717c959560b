"""A receiver with a fault that the storm must see: it commits every other second only, and sends its receipts before that."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cli.main import main
from fleet.store.sqlite import SqliteDatabase

HELD_S = 2.0
begun_s = 0.0


@contextmanager
def held_open(self: SqliteDatabase) -> Iterator[None]:
    """A transaction that goes on into the next."""
    global begun_s  # noqa: PLW0603  one receiver a process
    if not self._open.in_transaction:
        self._open.execute("BEGIN IMMEDIATE")
        begun_s = time.monotonic()
    yield
    if time.monotonic() - begun_s > HELD_S:
        self._open.execute("COMMIT")


if __name__ == "__main__":
    SqliteDatabase.transaction = held_open  # type: ignore[method-assign]  # the fault
    sys.exit(main(["fleet", "receive", *sys.argv[1:]]))
