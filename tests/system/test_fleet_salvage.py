"""`roadproof fleet salvage`: the card of a unit that was killed, into the fleet's store."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.main import main
from firmware.journal.database import held_fact
from firmware.journal.row import COLUMNS, checked, sealed, values
from firmware.journal.row import Series as Own
from firmware.journal.schema import PAGE_BYTES
from fleet.pods import sights
from mqtt.evidence.certificates import split
from mqtt.evidence.keys import new_key
from provisioning.authority.folder import Fleet
from provisioning.authority.founding import found
from provisioning.authority.settings import BrokerPlace, EstPlace, FleetPlace
from tests.eventually import eventually
from tests.journals import fixes_on_card
from tests.system.broker import free_port
from tests.system.daemon_rig import ROOT, UNIT, DaemonRig
from tests.system.notaries import Desk, World
from tests.system.stores import Place, SqlitePlace

PROOFS = 4
LEAF = 13  # kind of a page that holds a table's rows (SQLite's file format, 1.6)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("world"))
    made.pen(UNIT)
    return made


@pytest.fixture(scope="module")
def body(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a unit that drove with the real daemon, took proofs, and was killed both times in the middle of it."""
    folder = tmp_path_factory.mktemp("dead")
    rig = DaemonRig(folder, free_port(), commit_s=1, speed=20.0)
    rig.start_and_wait()
    rig.drive.start()
    eventually(lambda: rig.journal_show()["tseq"]["last"] >= 60, 30)
    rig.end(signal.SIGKILL)
    rig.close()
    keys = folder / "keys"
    shutil.copytree(world.folder / f"of-{UNIT}", keys / UNIT)
    shutil.copytree(world.folder / "desk", keys / "receiver")
    take_proofs_and_die(folder, keys, UNIT)
    return folder / "journal"


def take_proofs_and_die(folder: Path, keys: Path, unit: str) -> None:
    command = [sys.executable, "-m", "tests.system.dying_unit", str(folder), str(keys), unit, str(PROOFS)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(line.startswith("ready") for line in process.stdout)
        process.kill()


@pytest.fixture
def card(body: Path, tmp_path: Path) -> Path:
    """The root of its card, mounted somewhere."""
    shutil.copytree(body, tmp_path / "card/var/lib/roadproof")
    return tmp_path / "card"


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Desk:
    made = Desk(world, SqlitePlace(tmp_path))
    made.store.close()
    return made


def salvaged(capsys: Capture, desk: Desk, card: Path, *words: str, code: int = 0) -> Any:
    assert main(["fleet", "salvage", str(card), "--config", desk.config, "--json", *words]) == code
    return json.loads(capsys.readouterr().out)


def contents(card: Path) -> dict[str, str]:
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(card.rglob("*")) if file.is_file()}


def journal_of(card: Path) -> Path:
    return card / "var/lib/roadproof/journal.db"


def test_everything_of_a_killed_unit_reaches_the_fleet(card: Path, desk: Desk, capsys: Capture) -> None:
    before = contents(card)
    told = salvaged(capsys, desk, card)
    assert contents(card) == before
    fixes = len(fixes_on_card(journal_of(card).parent))
    assert told["unit"] == UNIT
    assert told["unreadable"] == told["held"] == told["refused"] == 0
    assert told["proofs"] == told["good"] == PROOFS
    assert told["attachments"] == told["whole"] == PROOFS
    desk.store.open()
    with closing(desk.store):
        assert desk.store.counts(UNIT).fixes == fixes >= 60 + 40 * PROOFS
        assert desk.store.counts(UNIT).records + fixes == told["new"]
        for row in desk.store.series(UNIT):
            assert row.log == told["log"]
            assert row.coverage.missing(1, row.coverage.top) == []
        proofs = sights(desk.store)
        assert [proof.verified for proof in proofs] == [True] * PROOFS
        assert all(proof.receipt for proof in proofs)
        assert {proof.photo for proof in proofs} == {"there"}


def test_a_second_time_nothing_is_new(card: Path, desk: Desk, capsys: Capture) -> None:
    first = salvaged(capsys, desk, card)
    again = salvaged(capsys, desk, card)
    assert (again["new"], again["held"]) == (0, first["new"])
    assert (again["good"], again["whole"], again["refused"]) == (PROOFS, PROOFS, 0)


def test_a_dry_run_tells_the_same_and_stores_nothing(card: Path, desk: Desk, capsys: Capture) -> None:
    dry = salvaged(capsys, desk, card, "--dry-run")
    desk.store.open()
    assert desk.store.units() == []
    desk.store.close()
    told = salvaged(capsys, desk, card)
    assert (dry["new"], dry["held"], dry["rows"]) == (told["new"], 0, told["rows"])
    assert (dry["attachments"], dry["whole"]) == (PROOFS, 0)
    after = salvaged(capsys, desk, card, "--dry-run")
    assert (after["new"], after["held"], after["whole"]) == (0, told["new"], PROOFS)


@pytest.mark.parametrize("name", ["card", "card/var/lib/roadproof", "card/var/lib/roadproof/journal.db"])
def test_a_card_is_found_by_its_root_its_folder_or_its_file(name: str, card: Path, desk: Desk, capsys: Capture) -> None:
    assert salvaged(capsys, desk, card.parent / name, "--dry-run")["new"] > 0


def test_what_the_fleet_said_that_it_has_is_sent_when_asked_for(card: Path, desk: Desk, capsys: Capture) -> None:
    whole = salvaged(capsys, desk, card, "--dry-run")
    with closing(sqlite3.connect(journal_of(card))) as db, db:
        for series in Own:
            value = sealed(held_fact(series), "[[1,1000000]]")
            db.execute("INSERT INTO fact VALUES (?, ?)", (held_fact(series), value))
        db.execute("UPDATE record_seq SET level = 0")
    told = salvaged(capsys, desk, card)
    assert told["new"] == told["proofs"] == PROOFS  # a plain receipt is no signature: proofs go until one came
    told = salvaged(capsys, desk, card, "--all")
    assert told["new"] + told["held"] == whole["new"]


def test_a_damaged_row_is_counted_and_the_rest_is_saved(card: Path, desk: Desk, capsys: Capture) -> None:
    whole = salvaged(capsys, desk, card, "--dry-run")
    with closing(sqlite3.connect(journal_of(card))) as db, db:
        db.execute("UPDATE record_tseq SET payload = CAST(payload || x'20' AS BLOB) WHERE number = (SELECT min(number) FROM record_tseq)")
        ((span,),) = db.execute("SELECT span FROM record_tseq ORDER BY number LIMIT 1").fetchall()
    told = salvaged(capsys, desk, card, code=1)
    assert (told["unreadable"], told["new"]) == (1, whole["new"] - span)


def page_holding(journal: Path, table: str) -> int:
    """The first page of a table that holds rows, once all of the log is in the database."""
    with closing(sqlite3.connect(journal)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((root,),) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchall()
    data, at = journal.read_bytes(), (root - 1) * PAGE_BYTES
    if data[at] == LEAF:
        return int(root)
    cell = at + int.from_bytes(data[at + 12 : at + 14])
    return int.from_bytes(data[cell : cell + 4])


def spoil_page(journal: Path, page: int) -> None:
    with journal.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES)
        file.write(bytes(PAGE_BYTES))


def test_a_card_whose_first_page_is_gone_gives_everything(card: Path, desk: Desk, capsys: Capture) -> None:
    with closing(sqlite3.connect(journal_of(card))) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spoil_page(journal_of(card), 1)
    told = salvaged(capsys, desk, card)
    assert (told["good"], told["whole"]) == (PROOFS, PROOFS)


def test_a_page_that_is_gone_costs_the_rows_in_it(card: Path, desk: Desk, capsys: Capture) -> None:
    whole = salvaged(capsys, desk, card, "--dry-run")
    spoil_page(journal_of(card), page_holding(journal_of(card), "record_seq"))
    told = salvaged(capsys, desk, card, code=1)
    assert told["unreadable"] >= 1
    assert 0 < told["new"] < whole["new"]
    assert told["whole"] == PROOFS  # their records may be the ones that are gone: a photo is sent all the same


def test_a_unit_that_died_while_it_saved_its_journal_is_read_from_quarantine(card: Path, desk: Desk, capsys: Capture) -> None:
    whole = salvaged(capsys, desk, card, "--dry-run")
    journal = journal_of(card)
    (journal.parent / "quarantine").mkdir()
    for ending in ("", "-wal"):
        journal.with_name(f"journal.db{ending}").replace(journal.parent / f"quarantine/journal-1.db{ending}")
    journal.write_bytes(b"")
    journal.with_name("journal.db.salvage").write_text("journal-1.db", encoding="utf-8")
    assert salvaged(capsys, desk, card)["new"] == whole["new"]


def test_a_photo_that_the_card_spoilt_is_counted(card: Path, desk: Desk, capsys: Capture) -> None:
    photo = min((card / "var/lib/roadproof/attachments").iterdir())
    photo.write_bytes(photo.read_bytes()[:-1] + b"?")
    told = salvaged(capsys, desk, card, code=1)
    assert (told["spoilt"], told["whole"], told["attachments"]) == (1, PROOFS - 1, PROOFS)


def test_a_proof_that_somebody_altered_on_the_card_is_not_good(card: Path, desk: Desk, capsys: Capture) -> None:
    with closing(sqlite3.connect(journal_of(card))) as db, db:
        found = db.execute(f"SELECT {COLUMNS}, hash FROM record_seq WHERE kind = 'pod' ORDER BY number LIMIT 1").fetchone()  # noqa: S608
        row, _ = checked(found)
        forged = msgspec.structs.replace(row, payload=row.payload.replace(b"Kowalska", b"Kowalski"))
        db.execute("DELETE FROM record_seq WHERE number = ?", (row.number,))
        db.execute(f"INSERT INTO record_seq VALUES ({', '.join('?' * 8)})", values(forged))  # noqa: S608
    told = salvaged(capsys, desk, card, code=1)
    assert (told["proofs"], told["good"]) == (PROOFS, PROOFS - 1)
    assert "altered" in told["faults"][0]


def test_a_unit_whose_certificate_is_not_here_is_stored_and_said_so(card: Path, world: World, desk: Desk, capsys: Capture) -> None:
    certificate = world.units / f"{UNIT}.pem"
    kept = certificate.read_bytes()
    certificate.unlink()
    try:
        told = salvaged(capsys, desk, card, code=1)
    finally:
        certificate.write_bytes(kept)
    assert (told["proofs"], told["good"], told["whole"]) == (PROOFS, 0, PROOFS)
    assert f"no certificate of unit {UNIT}" in told["faults"][0]
    assert salvaged(capsys, desk, card)["good"] == PROOFS


def test_what_a_revoked_unit_left_is_as_good_as_before(tmp_path: Path, capsys: Capture) -> None:
    found(
        tmp_path / "fleet",
        FleetPlace(
            name="Roadproof",
            crl_urls=("http://127.0.0.1/crl",),
            reload=(),
            broker=BrokerPlace(host="127.0.0.1"),
            est=EstPlace(host="127.0.0.1"),
        ),
    )
    keys = tmp_path / "keys"
    (keys / "van-9").mkdir(parents=True)
    shutil.copytree(tmp_path / "fleet/receiver", keys / "receiver")
    with Fleet.open(tmp_path / "fleet") as fleet:
        fleet.expect("van-9")
        chain = fleet.issue_evidence("van-9", new_key(str(keys / "van-9/unit.key")).public_key)
        (keys / "van-9/unit.pem").write_bytes(split(chain, "unit")[0])
        for name in ("issuing.pem", "root.pem"):
            shutil.copyfile(keys / "receiver" / name, keys / "van-9" / name)
        take_proofs_and_die(tmp_path / "unit", keys, "van-9")
        fleet.revoke("van-9", "the unit was stolen")
    config = tmp_path / "fleet.toml"
    settings = (tmp_path / "fleet/fleet.toml").read_text(encoding="utf-8")
    config.write_text(f'store = "sqlite://{tmp_path}/fleet.db"\n{settings}', encoding="utf-8")
    assert main(["fleet", "salvage", str(tmp_path / "unit/journal"), "--config", str(config), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["unit"], told["good"], told["whole"]) == ("van-9", PROOFS, PROOFS)


def test_a_dead_unit_does_not_count_as_seen(card: Path, world: World, place: Place, capsys: Capture) -> None:
    desk = Desk(world, place)
    with closing(desk.store):
        salvaged(capsys, desk, card)
        (before,) = desk.store.units()
        salvaged(capsys, desk, card)
        (after,) = desk.store.units()
    assert after.seen_ms == before.seen_ms


def test_a_unit_that_still_runs_is_left_alone(card: Path, desk: Desk, capsys: Capture) -> None:
    with (card / "var/lib/roadproof/journal.db.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["fleet", "salvage", str(card), "--config", desk.config]) == 2
    assert "stop it first" in capsys.readouterr().err


def test_a_folder_without_a_journal_is_one_sentence(tmp_path: Path, desk: Desk, capsys: Capture) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["fleet", "salvage", str(tmp_path / "empty"), "--config", desk.config]) == 2
    assert "there is no journal.db on" in capsys.readouterr().err
    (tmp_path / "empty/journal.db").write_bytes(b"no database at all" * 500)
    assert main(["fleet", "salvage", str(tmp_path / "empty"), "--config", desk.config]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_records_of_another_unit_are_kept_aside(card: Path, desk: Desk, capsys: Capture) -> None:
    told = salvaged(capsys, desk, card, "--unit", "van-2", code=1)
    assert told["refused"] > PROOFS
    assert told["proofs"] == told["good"] == 0
    assert main(["fleet", "salvage", str(card), "--config", desk.config, "--unit", "Van 2"]) == 2
    assert "is no unit name" in capsys.readouterr().err


def test_people_are_told_in_sentences(card: Path, desk: Desk, capsys: Capture) -> None:
    assert main(["fleet", "salvage", str(card), "--config", desk.config]) == 0
    told = capsys.readouterr().out
    assert f"{PROOFS} of {PROOFS} proofs are good" in told
    assert "everything on the card is at the fleet" in told
