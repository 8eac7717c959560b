from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from firmware.config import JournalSettings
from firmware.selftest import storage as probe
from firmware.selftest.finding import Result
from firmware.selftest.place import Place
from firmware.selftest.storage import PROBE, Speed, mount_of, storage
from tests.journals import BOOT, event, open_journal
from tests.selftests import place, write


@pytest.fixture
def unit(tmp_path: Path) -> Place:
    """A unit with three records in its journal, which may grow to 50 MB."""
    journal = open_journal(tmp_path)
    journal.append(BOOT, [event(), event(), event()])
    journal.close()
    whole = place(tmp_path)
    settings = JournalSettings(folder=str(tmp_path), quota_mb=50)
    return msgspec.structs.replace(whole, config=msgspec.structs.replace(whole.config, journal=settings))


def on_card(unit: Place, options: str = "rw,noatime", state: str = "rw", **card: str) -> None:
    """The journal's folder is on the second partition of a card that says this of itself."""
    folder = unit.journal_folder
    line = f"30 1 179:2 / {folder} {options} shared:1 - ext4 /dev/mmcblk0p2 {state}\n"
    disk = "sys/devices/mmc0/block/mmcblk0"
    write(folder, {"proc/self/mountinfo": f"29 1 0:25 / / rw - overlay overlay rw\n{line}", f"{disk}/mmcblk0p2/partition": "2\n"})
    write(folder, {f"{disk}/device/{name}": f"{text}\n" for name, text in card.items()})
    links = folder / "root" / "sys/dev/block"
    links.mkdir(parents=True)
    (links / "179:2").symlink_to(folder / "root" / disk / "mmcblk0p2")


def test_a_healthy_card_is_told_with_its_name_and_its_speed(unit: Place) -> None:
    on_card(unit, name="SC64G", type="SD", cid="035344534336344780", date="03/2024")
    found = storage(unit)
    assert found.state == "ok", found.sentence
    assert found.facts["card_name"] == "SC64G"
    assert (found.facts["journal_checked"], found.facts["journal_damaged"], found.facts["writes"]) == (3, 0, 100)
    assert not (unit.journal_folder / PROBE).exists()


def test_a_folder_that_no_mount_table_knows_is_judged_all_the_same(unit: Place) -> None:
    assert storage(unit).state == "ok"


@pytest.mark.parametrize(("options", "state"), [("ro,noatime", "rw"), ("rw,noatime", "ro,errors=remount-ro")], ids=["mount", "failed"])
def test_a_card_that_went_read_only_is_bad(unit: Place, options: str, state: str) -> None:
    on_card(unit, options, state)
    found = storage(unit)
    assert (found.state, "is read-only" in found.sentence) == ("bad", True)


@pytest.mark.parametrize(("life", "state"), [("0x01 0x02", "ok"), ("0x09 0x01", "warn"), ("0x01 0x0b", "bad"), ("rubbish", "ok")])
def test_the_worse_of_two_estimates_of_a_card_s_life_counts(unit: Place, life: str, state: str) -> None:
    on_card(unit, life_time=life)
    assert storage(unit).state == state


@pytest.mark.parametrize(
    ("p95_ms", "state", "words"), [(30, "ok", "30 ms"), (400, "warn", "class A1"), (2_500, "bad", "A write takes 2.5 s")]
)
def test_slow_writes_are_told(unit: Place, monkeypatch: pytest.MonkeyPatch, p95_ms: float, state: str, words: str) -> None:
    monkeypatch.setattr(probe, "measured", lambda _: Speed(100, p95_ms))
    found = storage(unit)
    assert (found.state, words in found.sentence) == (state, True)


def test_a_full_card_says_how_to_make_room(unit: Place) -> None:
    (unit.journal_folder / PROBE).symlink_to("/dev/full")
    found = storage(unit)
    assert (found.state, "no space left on device" in found.sentence, "make room" in found.sentence) == ("bad", True, True)


def test_a_folder_of_somebody_else_names_the_user() -> None:
    refused = PermissionError(13, "Permission denied")
    assert probe._why(refused) == "check that the folder belongs to the user roadproof"


class _Usage(msgspec.Struct):
    free: int


def test_little_room_is_bad_and_less_than_the_journal_may_want_is_told(unit: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(60_000_000))
    assert (storage(unit).state, "Only 60 MB are free" in storage(unit).sentence) == ("bad", True)
    large = msgspec.structs.replace(unit.config, journal=msgspec.structs.replace(unit.config.journal, quota_mb=1_000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(500_000_000))
    found = storage(msgspec.structs.replace(unit, config=large))
    assert (found.state, "lower journal.quota_mb" in found.sentence) == ("warn", True)


def test_a_record_that_does_not_fit_its_hash_is_a_failing_card(unit: Place) -> None:
    with closing(sqlite3.connect(unit.journal_folder / "journal.db")) as db, db:
        db.execute("UPDATE record_seq SET payload = x'00' WHERE number = 2")
    found: Result = storage(unit)
    assert (found.state, found.facts["journal_damaged"]) == ("bad", 1)


def test_no_journal_is_told_in_the_journal_s_words(tmp_path: Path) -> None:
    assert storage(place(tmp_path)).state == "bad"


def test_the_longest_mount_point_is_the_folder_s(unit: Place) -> None:
    on_card(unit)
    mount = mount_of(unit, unit.journal_folder / "attachments")
    assert mount is not None
    assert (mount.device, mount.kind, mount.source) == ("179:2", "ext4", "/dev/mmcblk0p2")
