"""`roadproof journal`, `roadproof status`: what a technician types."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from cli.main import main
from firmware import status as statuses
from firmware.journal import Series
from firmware.status import PositionStatus, SeriesStatus, Status
from mqtt.ranges import Ranges
from tests.journals import BOOT, event, open_journal, points


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with closing(open_journal(tmp_path)) as journal:
        for n in range(5):
            journal.append(BOOT, [event("ignition.on", journal.log)], points(10, 1_797_000_000_000 + n * 10_000))
        journal.acknowledge(Series.TSEQ, Ranges([(1, 20)]))
    return tmp_path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "unit.toml"
    path.write_text(
        f'unit = "van-1"\nruntime_folder = "{tmp_path}"\n[broker]\nhost = "broker.example"\n[journal]\nfolder = "{tmp_path}"\n', "utf-8"
    )
    return path


def test_show_says_what_waits(folder: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "show", "--config", str(config), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["log"]) == 8
    seq, tseq = told["series"]
    assert (seq["series"], seq["rows"], seq["last"], seq["waiting"]) == ("seq", 5, 5, 5)
    assert (tseq["series"], tseq["last"], tseq["receipted"], tseq["waiting"]) == ("tseq", 50, 20, 30)
    assert folder.exists()


def test_show_is_a_table_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "show", "--file", str(folder / "journal.db")]) == 0
    told = capsys.readouterr().out
    assert "fixes" in told
    assert "events" in told
    assert "0 records set aside" in told


def test_show_works_while_the_daemon_holds_the_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(open_journal(tmp_path)) as journal:
        journal.append(BOOT, [event()], points(10))
        assert main(["journal", "show", "--file", str(tmp_path / "journal.db"), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["series"][1]["last"] == 10
        journal.append(BOOT, [event()], points(10))


def test_export_writes_every_record_as_a_line(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "records.jsonl"
    assert main(["journal", "export", "--file", str(folder / "journal.db"), "-o", str(out)]) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    fixes = [line for line in lines if line.get("typ") == "fix"]
    assert [line["event"] for line in lines if "event" in line] == ["ignition.on"] * 5
    assert [(fix["tseq"], fix["boot"]) for fix in fixes] == [(n, BOOT) for n in range(fixes[0]["tseq"], 51)]
    assert fixes[-1]["tseq"] == 50


def test_export_goes_to_standard_output_without_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "export", "--file", str(folder / "journal.db")]) == 0
    assert all(json.loads(line) for line in capsys.readouterr().out.splitlines())


def test_export_names_a_damaged_record_and_leaves_it_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        db.execute("UPDATE record_seq SET payload = x'7b7d' WHERE number = 3")
        db.commit()
    assert main(["journal", "export", "--file", str(folder / "journal.db")]) == 1
    told = capsys.readouterr()
    assert told.err == "roadproof: record 3 is damaged and left out\n"
    assert '"seq": 3,' not in told.out


def test_a_payload_that_is_no_text_is_exported_all_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from firmware.journal import Draft

    with closing(open_journal(folder)) as journal:
        journal.append(BOOT, [Draft("blob", lambda _: b"\xff\xd8\xff")])
    assert main(["journal", "export", "--file", str(folder / "journal.db")]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 36


@pytest.mark.parametrize("content", [None, b"", b"no database at all, but long enough to be read as one" * 100])
def test_what_is_no_journal_is_one_line(tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.db"
    if content is not None:
        path.write_bytes(content)
    assert main(["journal", "show", "--file", str(path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("roadproof: ")
    assert told.count("\n") == 1


def test_an_output_that_cannot_be_written_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "export", "--file", str(folder / "journal.db"), "-o", "/proc/no/records.jsonl"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("roadproof: cannot write /proc/no/records.jsonl")
    assert told.count("\n") == 1


def status_of(tmp_path: Path) -> Status:
    found = Status(
        unit="van-1", log="0a0a0a0a", at_ms=1_797_000_000_000, time_source="gnss", link="no_receiver", link_sentence="start the receiver",
        gnss="The receiver has a 3D fix.", ignition=True, trip="driving", seq=SeriesStatus(issued=5, receipted=5),
        tseq=SeriesStatus(issued=100, receipted=40, waiting=60), journal_quota_bytes=10**9, journal_used_bytes=5_000_000,
        position=PositionStatus(at_ms=1_797_000_000_000, mono_s=1.0, lat_deg=51.0543, lon_deg=3.725),
    )  # fmt: skip
    statuses.write(tmp_path / "status.json", found)
    return found


def test_status_says_what_is_wrong_and_what_waits(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status_of(tmp_path)
    assert main(["status", "--config", str(config)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for piece in ("van-1", "no_receiver: start the receiver", "3D fix", "51.054300 3.725000", "ignition on", "60 waiting"):
        assert piece in told


def test_status_for_programs_has_everything(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = status_of(tmp_path)
    assert main(["status", "--config", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tseq"]["waiting"] == found.tseq.waiting


def test_a_status_that_nobody_renews_is_no_status(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status_of(tmp_path)
    old_s = time.time() - 60
    os.utime(tmp_path / "status.json", (old_s, old_s))
    assert main(["status", "--config", str(config)]) == 1
    assert capsys.readouterr().err == "roadproof: the daemon is not running; start it with: systemctl start roadproof\n"


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"unit": 5}'])
def test_without_a_readable_status_the_daemon_is_not_running(
    tmp_path: Path, config: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "status.json").write_bytes(content)
    assert main(["status", "--config", str(config)]) == 1
    assert "the daemon is not running" in capsys.readouterr().err
