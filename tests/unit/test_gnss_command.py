from __future__ import annotations

import argparse
import json
import os
import threading
import tty
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli import gnss
from cli.errors import UsageError
from cli.gnss_picture import Rates, picture
from drivers.gnss.fix import Epoch
from drivers.gnss.receiver import GnssStatus
from drivers.gnss.sky import Satellite
from tests.nmea import at, gga, gsa, rmc

CAPTURE = b"".join(rmc(at(second)) + gga(at(second)) + gsa() for second in range(5))
KEYS = ["at", "mode", "lat_deg", "lon_deg", "alt_msl_m", "speed_mps", "course_deg", "offset_bytes"]


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    gnss.add_commands(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["gnss", *words])
    return int(arguments.run(arguments))


@pytest.fixture
def capture(tmp_path: Path) -> str:
    path = tmp_path / "drive.nmea"
    path.write_bytes(CAPTURE)
    return str(path)


def test_decode_prints_one_object_an_epoch(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("decode", capture, "--not-before", "2024-01-01") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [list(epoch) for epoch in found] == [KEYS] * 5
    assert found[0]["at"] == "2024-05-01T12:00:00.000Z"
    assert found[-1]["offset_bytes"] == len(CAPTURE) - 2


def test_a_floor_past_the_end_of_its_month_is_the_months_last_day(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("decode", capture, "--not-before", "2024-04-32") == 0
    assert "2024-05-01" in capsys.readouterr().out


@pytest.mark.parametrize("day", ["2024-13-01", "2024-00-01", "2024-05-00", "0000-05-01", "2024-05", "", "2024-05-01-01", "x-y-z"])
def test_any_other_impossible_floor_is_refused(capture: str, day: str) -> None:
    with pytest.raises(UsageError, match="is not a date"):
        run("decode", capture, "--not-before", day)


def test_decode_gives_the_same_for_any_chunk(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = set()
    for chunk in ("1", "7", "64", "4096"):
        assert run("decode", capture, "--not-before", "2024-01-01", "--chunk", chunk) == 0
        outputs.add(capsys.readouterr().out)
    assert len(outputs) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("decode", "nowhere.nmea", "--not-before", "2024-01-01"), "cannot be read: No such file"),
        (("decode", "CAPTURE", "--not-before", "01.05.2024"), "is not a date; write it as YYYY-MM-DD"),
        (("decode", "CAPTURE", "--not-before", "2024-01-01", "--chunk", "0"), "must be 1 or more"),
        (("watch", "/dev/nowhere"), "There is no serial port /dev/nowhere"),
        (("watch", "/dev/nowhere", "--baud", "-1"), "--baud is -1"),
        (("watch", "/dev/nowhere", "--not-before", "soon"), "is not a date"),
    ],
)
def test_a_wrong_argument_is_told_in_one_sentence(words: tuple[str, ...], sentence: str, capture: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        run(*(capture if word == "CAPTURE" else word for word in words))
    assert "\n" not in str(refused.value)


@pytest.fixture
def port() -> Iterator[str]:
    """A receiver that repeats its drive until the test is over."""
    far, near = os.openpty()
    tty.setraw(near)
    over = threading.Event()

    def speak() -> None:
        second = 0
        while not over.wait(0.02):
            os.write(far, rmc(at(second)) + gga(at(second)) + gsa())
            second += 1

    speaker = threading.Thread(target=speak)
    speaker.start()
    yield os.ttyname(near)
    over.set()
    speaker.join()
    os.close(far)
    os.close(near)


def test_watch_prints_epochs_for_programs(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("watch", port, "--baud", "9600", "--not-before", "2024-01-01", "--for", "1.0", "--json") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found
    assert all(list(epoch) == KEYS and epoch["mode"] == 3 for epoch in found)


def test_watch_shows_a_picture_for_people(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("watch", port, "--baud", "9600", "--not-before", "2024-01-01", "--for", "1.0") == 0
    assert "The receiver has a 3D fix." in capsys.readouterr().out


STATUS = GnssStatus(
    port="/dev/serial/by-id/usb-u-blox_AG_-_www.u-blox.com_u-blox_7_-_GPS_GNSS_Receiver-if00",
    baud=9_600,
    state="The receiver has a 3D fix.",
    bytes_read=1_000,
    sentences_good=99,
    sentences_bad=1,
    satellites=tuple(
        Satellite(name, number, 45, 90, cn0, number % 2 == 0)
        for name in ("GPS", "Galileo")
        for number, cn0 in enumerate((None, 12, 35, 48, 55), 1)
    ),
    age_s=0.4,
    stale=False,
    antenna="SHORT",
    jamming=None,
)


def drawn(status: GnssStatus, epoch: Epoch | None) -> str:
    paper = StringIO()
    Console(width=80, file=paper).print(picture(status, epoch, Rates()))
    return paper.getvalue()


def test_the_picture_fits_80_columns_and_tells_the_antenna() -> None:
    text = drawn(STATUS, Epoch(at=at(0), mode=3, lat_deg=-51.05, lon_deg=-103.72, speed_mps=12.3, course_deg=271.0, hdop=1.1, sats_used=9))
    assert max(len(line) for line in text.splitlines()) <= 80
    for part in (
        "3D",
        "0.4 s ago",
        "2024-05-01 12:00:00Z",
        "-51.050000 -103.720000",
        "12.3 m/s towards 271°",
        "GPS: 2 of 5 used",
        "Antenna SHORT",
        "1.00 %",
    ):
        assert part in text


def test_the_picture_before_the_first_byte_says_so() -> None:
    assert "never" in drawn(GnssStatus("/dev/x", 9_600, "Silent.", 0, 0, 0, (), None, stale=True, antenna=None, jamming=None), None)


def test_rates_are_those_of_the_last_seconds() -> None:
    rates = Rates()
    for second in range(20):
        rates.add(
            GnssStatus("/dev/x", 9_600, "", second * 500, second * 10, second, (), None, stale=False, antenna=None, jamming=None),
            float(second),
        )
    assert rates.per_s == (10.0, 1.0, 500.0)
