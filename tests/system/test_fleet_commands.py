"""`roadproof fleet` as it is typed."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from fleet.intake import Item, read
from mqtt import codec
from mqtt.codec import TrackPoint
from mqtt.messages import Event, Health, JournalHealth, Ledger, Ledgers, Live, State, Track, encode, utc_text
from tests.system.stores import SqlitePlace, opened
from tests.system.van import BOOT, LOG, START_MS

UNIT = "van-12"
T = utc_text(START_MS)


def came(name: str, payload: bytes, unit: str = UNIT) -> list[Item]:
    return read(f"rp/v1/{unit}/{name}", payload, START_MS + 3_600_000)


@pytest.fixture
def url(sqlite_place: SqlitePlace) -> str:
    """A store that has heard a van whose receiver lost fixes 61 to 80."""
    told = Ledgers(seq=Ledger(issued=2, receipted=2, waiting=0), tseq=Ledger(issued=100, receipted=80, waiting=20))
    points = [TrackPoint(n, START_MS + 1000 * n, 520_000_000 + 1000 * n, 134_000_000, speed_cms=1000) for n in range(1, 61)]
    journal = JournalHealth(used_bytes=1, quota_bytes=2, disk_free_bytes=3)
    state = State(unit=UNIT, boot=BOOT, log=LOG, session=1, state="online", t=T)
    other = State(unit="van-7", boot=BOOT, log=LOG, session=1, state="asleep", t=T)
    track = Track(unit=UNIT, boot=BOOT, log=LOG, tseq=1, span=60, cols=codec.to_columns(points))
    event = Event(
        unit=UNIT, boot=BOOT, log=LOG, seq=1, t=T, src="gnss", mono_ms=1, event="trip.start", data={"km": 1}, latitude=52.5, longitude=13.4
    )
    health = Health(unit=UNIT, boot=BOOT, log=LOG, t=T, src="gnss", uptime_s=1, ledger=told, journal=journal, link="tls")
    live = Live(unit=UNIT, boot=BOOT, log=LOG, t=utc_text(START_MS + 90_000), latitude=1.5, longitude=2.5)
    items = [
        came("up/state", encode(state)),
        came("up/track", codec.pack(track)),
        came("up/event", encode(event)),
        came("up/pod", json.dumps({"unit": UNIT, "log": LOG, "seq": 2}).encode()),
        came("up/health", encode(health)),
        came("up/live", encode(live)),
        came("up/state", encode(other), unit="van-7"),
    ]
    store = opened(sqlite_place)
    store.keep([item for found in items for item in found], time.time_ns() // 1_000_000)
    store.close()
    return sqlite_place.url


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["fleet", *words]) == 0
    return capsys.readouterr().out


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return json.loads(printed(capsys, *words, "--json"))


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a wrong argument is answered with: one line, exit code 2."""
    try:
        code: object = main(["fleet", *words])
    except SystemExit as end:
        code = end.code
    told = capsys.readouterr().err
    assert code == 2
    assert len(told.splitlines()) == 1
    return told


def test_units_are_a_table_for_people(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    text = printed(capsys, "units", "--store", url)
    (row,) = [line for line in text.splitlines() if "van-12" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")][:2] == ["van-12", "online"]
    assert "1.50000, 2.50000" in row
    assert "tls" in row


def test_units_are_json_for_programs_with_the_newest_position(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    van, other = asked(capsys, "units", "--store", url)
    assert (van["unit"], van["state"], van["waiting"], van["link"]) == ("van-12", "online", 40, "tls")
    assert van["position"] == {"t": utc_text(START_MS + 90_000), "latitude": 1.5, "longitude": 2.5, "speed_mps": None}
    assert (other["unit"], other["state"], other["position"], other["waiting"]) == ("van-7", "asleep", None, None)


def test_gaps_name_what_is_missing_and_what_waits(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    records, fixes = asked(capsys, "gaps", "van-12", "--store", url)
    assert (records["held"], records["complete"]) == (2, True)
    assert (fixes["held"], fixes["missing"], fixes["waiting"], fixes["complete"]) == (60, [[61, 80]], [[81, 100]], False)
    text = printed(capsys, "gaps", "--store", url)
    assert "20: 61 to 80" in text
    assert "20: 81 to 100" in text


def test_events_are_told_with_what_this_version_does_not_know(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = asked(capsys, "events", "van-12", "--store", url)
    assert (first["event"], first["data"], first["t"]) == ("trip.start", {"km": 1}, T)
    assert (first["latitude"], first["longitude"]) == (52.5, 13.4)
    assert (second["kind"], second["event"]) == ("pod", None)
    monkeypatch.setenv("COLUMNS", "140")
    text = printed(capsys, "events", "van-12", "--store", url)
    assert "(pod, kept as it came)" in text
    assert "52.50000, 13.40000" in text
    assert [event["seq"] for event in asked(capsys, "events", "van-12", "--last", "1", "--store", url)] == [2]


def test_a_long_event_is_cut_in_the_table_and_whole_in_json(
    url: str, sqlite_place: SqlitePlace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = Event(unit=UNIT, boot=BOOT, log=LOG, seq=3, t=T, src="gnss", mono_ms=9, event="unit.commissioned", data={"jws": "x" * 3_000})
    with closing(opened(sqlite_place)) as store:
        store.keep(came("up/event", encode(long)), time.time_ns() // 1_000_000)
    monkeypatch.setenv("COLUMNS", "400")
    assert printed(capsys, "events", "van-12", "--store", url).count("x") < 200
    assert asked(capsys, "events", "van-12", "--store", url)[-1]["data"] == {"jws": "x" * 3_000}


def test_a_track_goes_to_the_screen_or_into_a_file(url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    times = ("--from", utc_text(START_MS), "--to", utc_text(START_MS + 10_000))
    lines = printed(capsys, "track", "van-12", *times, "--format", "jsonl", "--store", url).splitlines()
    assert [json.loads(line)["tseq"] for line in lines] == list(range(1, 11))
    file = tmp_path / "track.geojson"
    assert printed(capsys, "track", "van-12", *times, "-o", str(file), "--store", url) == ""
    assert json.loads(file.read_text())["features"][0]["properties"]["unit"] == "van-12"


def test_a_track_without_times_is_the_last_day(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(printed(capsys, "track", "van-12", "--format", "jsonl", "--store", url).splitlines()) == 60


def test_times_may_be_days_or_carry_an_offset(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    day = ("--from", "2026-04-24T05:06:41+02:00", "--to", "2026-04-25")
    assert len(printed(capsys, "track", "van-12", *day, "--format", "jsonl", "--store", url).splitlines()) == 60


def test_the_store_may_be_named_by_the_receivers_settings(url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "fleet.toml"
    config.write_text(f'store = "{url}"\n[broker]\nhost = "broker.example"\n')
    assert len(asked(capsys, "units", "--config", str(config))) == 2


def test_a_store_that_has_heard_nobody_says_so(sqlite_place: SqlitePlace, capsys: pytest.CaptureFixture[str]) -> None:
    opened(sqlite_place).close()
    assert printed(capsys, "units", "--store", sqlite_place.url) == "no unit was heard yet\n"
    assert asked(capsys, "gaps", "--store", sqlite_place.url) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("track", "van-13", "--from", "2026-01-01", "--to", "2026-01-02"), "never heard of unit van-13; known: van-12, van-7"),
        (("track", "VAN 12", "--from", "2026-01-01", "--to", "2026-01-02"), "'VAN 12' is no unit name"),
        (("track", "van-12", "--from", "noon", "--to", "2026-01-02"), "--from noon is no time"),
        (("track", "van-12", "--from", "2026-01-02", "--to", "2026-01-01"), "--to lies before --from"),
        (("track", "van-12", "--from", "2026-01-01", "--to", "2026-01-02", "--format", "kml"), "invalid choice: 'kml'"),
        (("track", "van-12", "--from", "2026-01-01", "--to", "2026-01-02", "-o", "/nowhere/x"), "cannot write /nowhere/x"),
        (("events", "van-12", "--last", "0"), "--last is a whole number, 1 or more"),
        (("gaps", "van-13"), "never heard of unit van-13"),
    ],
)
def test_a_wrong_argument_is_one_clear_line(url: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], reason: str) -> None:
    assert reason in refusal(capsys, *words, "--store", url)


def test_a_store_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "there is no store at" in refusal(capsys, "units", "--store", f"sqlite://{tmp_path}/fleet.db")
    assert "mysql://x is no store" in refusal(capsys, "units", "--store", "mysql://x")


def test_a_typing_error_in_the_settings_is_named_with_the_nearest_key(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "fleet.toml"
    config.write_text('stores = "sqlite:/x"\n[broker]\nhost = "broker.example"\n')
    assert "unknown setting stores; did you mean store?" in refusal(capsys, "receive", "--config", str(config))


def test_every_command_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("receive", "units", "gaps", "track", "events"):
        with pytest.raises(SystemExit):
            main(["fleet", command, "--help"])
        assert "example:" in capsys.readouterr().out
