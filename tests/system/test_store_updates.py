"""A store that an older version made, updated on each database: also where the update is killed, or another receiver still writes."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from fleet.intake import Blob
from fleet.store import Store, StoreError, migrations, open_store
from tests.eventually import eventually
from tests.system.stores import Place, PostgresPlace, opened
from tests.system.test_store import LOG, UNIT, fixes, keep, only, point

ROOT = Path(__file__).resolve().parents[2]
SHA = hashlib.sha256(b"abc").hexdigest()
ROW_A_FIX = 3  # steps of the last version that kept a fix in a row of its own
INSERT_FIX = """INSERT INTO fix (journal, tseq, t_ms, lat_e7, lon_e7, alt_m, speed_cms, course_cdeg, sats, hdop_e1, boot, received_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
DYING = """
import os, signal, sys
from fleet.store import open_store, stretches
whole, calls = stretches.write, []
def die(*words):
    calls.append(1)
    if len(calls) > 2:
        os.kill(os.getpid(), signal.SIGKILL)
    whole(*words)
stretches.write = die
open_store(sys.argv[1]).open()
"""


def made_by_version(steps: int, place: Place, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store as the version with so many steps made it, with one unit in it."""
    with monkeypatch.context() as before:
        before.setattr(migrations, "STEPS", migrations.STEPS[:steps])
        before.setattr(migrations, "NAMES", migrations.NAMES[:steps])
        old = opened(place)
    old._db.execute("INSERT INTO unit (unit, first_ms, seen_ms) VALUES (?, 1, 1)", (UNIT,))
    old._db.execute("INSERT INTO journal (unit, log, first_ms, fixes) VALUES (?, ?, 1, 700)", (UNIT, LOG))
    return old


def insert_fixes(old: Store, numbers: Sequence[int]) -> None:
    """Rows as that version wrote them."""
    ((journal,),) = old._db.query("SELECT journal FROM journal")
    old._db.execute_many(INSERT_FIX, [(journal, *msgspec.structs.astuple(point(n)), f"00000{n // 350}", 1) for n in numbers])


def with_a_row_a_fix(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """700 fixes of three starts, two of which meet in the middle of a page."""
    old = made_by_version(ROW_A_FIX, place, monkeypatch)
    insert_fixes(old, range(1, 701))
    old._db.execute("INSERT INTO coverage (journal, series, first, last) SELECT journal, 'tseq', 1, 700 FROM journal")
    old.close()


def test_fixes_of_an_older_version_a_row_each_are_all_there_after_the_update(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_row_a_fix(place, monkeypatch)
    store = opened(place)
    assert list(store.fixes(UNIT, 0, 2**60)) == [point(n) for n in range(1, 701)]
    assert store.counts(UNIT).fixes == store.counts(UNIT).fixes_distinct_time == 700
    again = keep(store, fixes(695, 705))
    assert (again.stored, again.repeated, again.refused) == (5, 6, 0)
    store.close()


def test_an_update_that_is_killed_begins_anew_with_every_fix(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_row_a_fix(place, monkeypatch)
    killed = subprocess.run([sys.executable, "-P", "-c", DYING, place.url], cwd=ROOT, check=False, env={"PYTHONPATH": str(ROOT)})
    assert killed.returncode == -signal.SIGKILL
    store = opened(place)
    assert [fix.tseq for fix in store.fixes(UNIT, 0, 2**60)] == list(range(1, 701))
    store.close()


def test_a_fix_that_an_old_receiver_commits_during_the_update_is_not_lost(
    postgres_place: PostgresPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_a_row_a_fix(postgres_place, monkeypatch)
    old, watch = open_store(postgres_place.url), open_store(postgres_place.url)
    old._db.connect()
    watch._db.connect()
    update = threading.Thread(target=lambda: opened(postgres_place).close())
    with old._db.transaction():
        insert_fixes(old, [701])
        update.start()
        eventually(lambda: watch._db.query("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'fix'::regclass"))
    update.join(30)
    with pytest.raises(StoreError):
        insert_fixes(old, [702])
    old.close()
    watch.close()
    store = opened(postgres_place)
    assert [fix.tseq for fix in store.fixes(UNIT, 0, 2**60)] == list(range(1, 702))
    store.close()


def test_a_store_of_the_first_version_is_brought_up_to_date_with_all_that_it_holds(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    old = made_by_version(1, place, monkeypatch)
    old._db.execute("INSERT INTO blob (unit, sha, at_byte, received_ms, payload) VALUES (?, ?, 0, 1, ?)", (UNIT, SHA, b"abc"))
    old.close()
    reader = open_store(place.url, writing=False)
    with pytest.raises(StoreError, match="of an older version; start the new receiver on it once"):
        reader.open()
    reader.close()
    store = opened(place)
    holding = only(keep(store, Blob(unit=UNIT, sha=SHA, at_byte=0, payload=b"abc")))
    assert (holding.blobs[SHA].upto, holding.blobs[SHA].whole) == (3, True)
    store.close()


def test_receivers_that_start_together_make_the_schema_once(postgres_place: PostgresPlace) -> None:
    failures: list[Exception] = []

    def start() -> None:
        try:
            opened(postgres_place).close()
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
