"""A card that somebody prepared before it is salvaged: nothing of this machine is read by it, and nothing waits or fills up for ever."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from firmware.evidence.attachments import FOLDER
from firmware.journal import JournalError
from firmware.journal.plain_file import read_plain
from firmware.uplink.left_behind import left_behind
from tests.journals import BOOT, event, open_journal

UNIT = "van-017"


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card with one event on it."""
    folder = tmp_path / "card"
    folder.mkdir()
    journal = open_journal(folder)
    journal.append(BOOT, [event()])
    journal.close()
    return folder


def events(card: Path) -> int:
    with left_behind(card, UNIT) as left:
        return len(list(left.letters(everything=True)))


def altered(card: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(card / "journal.db", isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)
    return card


def test_an_honest_card_is_read(card: Path) -> None:
    assert events(card) == 1


def test_a_log_that_leads_into_the_machine_is_not_copied(card: Path) -> None:
    for name in ("journal.db-wal", "journal.db.numbers"):
        (card / name).unlink(missing_ok=True)
        (card / name).symlink_to("/dev/zero")  # copied, it would fill the disk
    assert events(card) == 1


def test_a_pipe_in_place_of_the_lock_or_the_identity_holds_nothing_up(card: Path) -> None:
    for name in ("journal.db.lock", "journal.db.salvage", "identity"):
        (card / name).unlink(missing_ok=True)
    (card / "identity").mkdir()
    for name in ("journal.db.lock", "journal.db.salvage", "identity/identity.json"):
        os.mkfifo(card / name)
    assert events(card) == 1
    with pytest.raises(JournalError, match="name it with --unit"), left_behind(card):
        pass


def test_a_photo_that_is_a_link_into_the_machine_is_none(card: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"of this machine")
    name = sha256(secret.read_bytes()).hexdigest()
    (card / FOLDER).mkdir(exist_ok=True)
    (card / FOLDER / name).symlink_to(secret)
    with left_behind(card, UNIT) as left:
        assert name not in left.pictures()
        assert left.pieces(name) == []


def test_a_journal_that_is_a_link_is_no_journal(card: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "var/lib").mkdir(parents=True)
    (other / "var/lib/roadproof").symlink_to(card)
    (other / "journal.db").symlink_to(card / "journal.db")
    with pytest.raises(JournalError, match=r"there is no journal\.db"), left_behind(other, UNIT):
        pass


def test_a_table_that_is_an_endless_view_is_refused(card: Path) -> None:
    altered(card, "CREATE VIEW endless AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x AS number FROM n")
    with pytest.raises(JournalError, match="not made by a unit"):
        events(card)


def test_a_file_longer_than_its_limit_is_read_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 1_000)
    assert len(read_plain(tmp_path / "long", 100)) == 100
