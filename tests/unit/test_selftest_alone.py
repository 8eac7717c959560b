"""How the self-test listens to the receiver: without the daemon it opens the port itself and tries every speed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.board import SIMULATED, BoardSettings, open_board
from drivers.errors import PortGoneError
from drivers.gnss.baud import RATES
from drivers.gnss.receiver import GnssReceiver
from drivers.sim.line import Drive, SerialLine
from drivers.sim.nmea import sentence
from drivers.sim.van import VirtualVan
from firmware.clock import BUILD_DATE, Clock
from firmware.selftest import alone, here
from firmware.selftest.place import Heard


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "LISTEN_S", 0.3)
    monkeypatch.setattr(alone, "EVERY_RATE_S", 1.5)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    with SerialLine(tmp_path / "gnss") as made:
        yield made


def heard(folder: Path, clock: Clock | None = None) -> Heard:
    return alone.listen(open_board(BoardSettings(profile=SIMULATED, gnss_port=str(folder / "gnss"))), clock or Clock())


def test_a_receiver_is_heard_and_its_time_is_believed(line: SerialLine, tmp_path: Path) -> None:
    drive = Drive(VirtualVan(1, start=datetime(2026, 12, 11, 6, 30, tzinfo=UTC)), line, speed=20)
    clock = Clock()
    drive.start()
    found = heard(tmp_path, clock)
    drive.stop()
    assert found.good > 10
    assert (found.trouble, found.now.baud) == ("", RATES[0])


def test_rubbish_is_listened_to_at_one_speed_after_the_other(line: SerialLine, tmp_path: Path) -> None:
    end = threading.Event()

    def talk() -> None:
        while not end.wait(0.01):
            line.write(os.urandom(1_500))

    talking = threading.Thread(target=talk)
    talking.start()
    found = heard(tmp_path)
    end.set()
    talking.join()
    assert (found.good, found.trouble) == (0, "")
    assert found.bytes_read > 0
    assert found.now.baud != RATES[0] or found.bytes_read > len(RATES) * 1_500


def test_a_port_that_is_not_there_is_trouble_in_the_driver_s_words(tmp_path: Path) -> None:
    assert heard(tmp_path).trouble.startswith("There is no serial port")


# --- in the daemon, beside the recorder that reads the port


def test_a_port_that_the_daemon_cannot_read_is_trouble_in_the_driver_s_words(tmp_path: Path) -> None:
    receiver = GnssReceiver(str(tmp_path / "gnss"), 9600, not_before=BUILD_DATE)
    with pytest.raises(PortGoneError):
        receiver.read(0)
    assert here.listen(receiver, lambda _: False).trouble.startswith("There is no serial port")


def test_a_line_with_nothing_readable_has_every_speed_tried_while_the_daemon_goes_on(line: SerialLine, tmp_path: Path) -> None:
    receiver = GnssReceiver(str(tmp_path / "gnss"), 9600, not_before=BUILD_DATE)
    receiver.read(0)
    speeds: set[int] = set()

    def meanwhile(_: float) -> bool:
        line.write(os.urandom(1_500))
        with suppress(PortGoneError):
            receiver.read(0.01)
        speeds.add(receiver.status().baud)
        return False

    found = here.listen(receiver, meanwhile)
    receiver.close()
    assert (found.good, found.trouble) == (0, "")
    assert speeds >= set(RATES) - {RATES[-1]}
    assert not receiver.status().hunting


def test_what_came_while_the_daemon_was_watched_is_counted(line: SerialLine, tmp_path: Path) -> None:
    receiver = GnssReceiver(str(tmp_path / "gnss"), 9600, not_before=BUILD_DATE)
    receiver.read(0)

    said = iter([sentence("GPTXT,01,01,02,ANTSTATUS=OK") * 2])

    def meanwhile(_: float) -> bool:
        line.write(next(said, b""))
        receiver.read(0.01)
        return False

    found = here.listen(receiver, meanwhile)
    receiver.close()
    assert (found.good, found.bad, found.trouble) == (2, 0, "")
    assert found.now.antenna == "OK"
