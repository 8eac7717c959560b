"""The pseudo-terminal as a serial line: read with pyserial as the terminal reads it, unplugged, full, and with a van on it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial

from drivers.errors import DriverError
from drivers.sim.line import HEARD_BYTES, HELD_BYTES, Drive, SerialLine
from drivers.sim.nmea import burst
from drivers.sim.panel import PanelHands, SimulatedPanel
from drivers.sim.ublox import SimulatedUblox
from drivers.sim.van import VirtualVan


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "gnss"


@pytest.fixture
def line(link: Path) -> Iterator[SerialLine]:
    with SerialLine(link) as plugged:
        yield plugged


@contextlib.contextmanager
def reader(port: str) -> Iterator[serial.Serial]:
    opened = serial.Serial(port, 9600, timeout=5)
    try:
        yield opened
    finally:
        opened.close()


def wait_until(holds: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(1000):
        if holds():
            return
        tick.wait(0.01)
    pytest.fail("waited ten seconds")


def test_every_byte_arrives_unchanged(line: SerialLine, link: Path) -> None:
    every_byte = bytes(range(256))
    with reader(str(link)) as port:
        assert line.write(every_byte)
        assert port.read(256) == every_byte


def test_nobody_reads_and_the_oldest_bytes_make_room(line: SerialLine) -> None:
    bursts = [b"%04d" % number * 100 for number in range(60)]
    with reader(line.port) as port:
        for number, data in enumerate(bursts, start=1):
            assert line.write(data)
            wait_until(lambda: port.in_waiting + line.dropped_bytes == number * 400)  # noqa: B023  called at once
        kept = port.read(port.in_waiting)
    assert b"".join(bursts).endswith(kept)
    assert HELD_BYTES - 400 <= len(kept) <= HELD_BYTES


def test_a_flood_that_nobody_reads_never_blocks_and_every_lost_byte_is_counted(line: SerialLine) -> None:
    kept = bytearray()
    with reader(line.port) as port:

        def all_is_accounted_for() -> bool:
            kept.extend(port.read(port.in_waiting))
            return len(kept) + line.dropped_bytes == 500 * 400

        for _ in range(500):
            line.write(b"x" * 400)
        wait_until(all_is_accounted_for)
    assert kept


def test_a_terminal_that_talks_to_the_receiver_never_blocks_it(line: SerialLine, link: Path) -> None:
    with reader(str(link)) as port:
        port.write_timeout = 5
        for _ in range(40):
            port.write(b"\xb5\x62" * 500)
            line.write(b"$")
        assert port.read(1) == b"$"


def test_an_unplugged_reader_gets_an_error_and_the_link_is_gone(line: SerialLine, link: Path) -> None:
    with reader(str(link)) as port:
        line.unplug()
        with pytest.raises(serial.SerialException):
            port.read(1)
    assert not link.is_symlink()
    assert not line.plugged
    assert not line.write(b"unheard")


def test_a_replugged_line_is_found_behind_the_same_link(line: SerialLine, link: Path) -> None:
    for number in range(20):
        line.unplug()
        line.replug()
        with reader(str(link)) as port:
            line.write(b"%02d" % number)
            assert port.read(2) == b"%02d" % number


def test_plugging_twice_and_unplugging_twice_changes_nothing(line: SerialLine, link: Path) -> None:
    port = link.readlink()
    line.replug()
    assert link.readlink() == port
    line.unplug()
    line.unplug()


def test_unplugging_leaks_no_descriptor(line: SerialLine) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        line.unplug()
        line.replug()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_reader_that_dies_leaves_the_line_to_the_next_one(line: SerialLine, link: Path) -> None:
    with reader(str(link)) as port:
        line.write(b"one")
        assert port.read(3) == b"one"
    with reader(str(link)) as port:
        line.write(b"two")
        assert port.read(3) == b"two"


def test_without_a_link_the_port_is_the_pseudo_terminal_itself() -> None:
    with SerialLine() as line, reader(line.port) as port:
        line.write(b"$")
        assert port.read(1) == b"$"


def test_a_file_that_is_no_link_is_not_overwritten(link: Path) -> None:
    link.write_text("precious")
    with pytest.raises(DriverError, match="is not a link"):
        SerialLine(link)
    assert link.read_text() == "precious"


def test_the_link_of_a_killed_run_is_taken_over(link: Path) -> None:
    link.symlink_to("/dev/pts/does-not-exist")
    with SerialLine(link) as line, reader(str(link)) as port:
        line.write(b"$")
        assert port.read(1) == b"$"


def test_the_drive_writes_what_the_van_measures(line: SerialLine, link: Path) -> None:
    expected = b"".join(burst(epoch) for epoch, _ in zip(VirtualVan(3), range(5), strict=False))
    drive = Drive(VirtualVan(3), line, speed=100)
    with reader(str(link)) as port:
        drive.start()
        assert port.read(len(expected)) == expected
        drive.stop()
    assert drive.epochs_with_fix >= 5


def test_hands_take_the_sky_away_and_give_it_back(line: SerialLine) -> None:
    drive = Drive(VirtualVan(), line, speed=200)
    drive.enter_tunnel()
    drive.start()
    wait_until(lambda: drive.epochs_written >= 5)
    assert drive.epochs_with_fix == 0
    drive.leave_tunnel()
    wait_until(lambda: drive.epochs_with_fix >= 5)
    drive.stop()
    assert drive.epochs_written > drive.epochs_with_fix


def test_epochs_of_an_unplugged_receiver_do_not_count(line: SerialLine, link: Path) -> None:
    drive = Drive(VirtualVan(), line, speed=200)
    drive.unplug()
    drive.start()
    wait_until(lambda: drive.epoch is not None and drive.epoch.at.second >= 5)
    assert drive.epochs_written == 0
    drive.replug()
    wait_until(lambda: drive.epochs_with_fix >= 1)
    drive.stop()
    assert link.is_symlink()


def test_counts_stand_still_after_stop(line: SerialLine) -> None:
    drive = Drive(VirtualVan(), line, speed=500)
    drive.start()
    wait_until(lambda: drive.epochs_written >= 3)
    drive.stop()
    written, epoch = drive.epochs_written, drive.epoch
    assert not any(thread.name == "van" for thread in threading.enumerate())
    assert (drive.epochs_written, drive.epoch) == (written, epoch)


def test_a_drive_that_never_started_can_be_stopped(line: SerialLine) -> None:
    Drive(VirtualVan(), line).stop()


def test_the_key_reaches_a_panel_that_opens_in_the_middle_of_the_drive(line: SerialLine, tmp_path: Path) -> None:
    hands = PanelHands(tmp_path / "key")
    drive = Drive(VirtualVan(), line, speed=200, panel=hands)
    drive.start()
    wait_until(lambda: drive.epochs_written >= 3)
    panel = SimulatedPanel(tmp_path / "key")
    wait_until(lambda: panel.ignition_on() is True)
    drive.stop()
    panel.close()
    hands.close()


def test_what_the_terminal_wrote_is_heard_once(line: SerialLine, link: Path) -> None:
    with reader(str(link)) as port:
        port.write(b"one")
        line.write(b"$")
        port.write(b"two")
        assert line.heard() == b"onetwo"
        assert line.heard() == b""


def test_of_a_lot_that_nobody_asked_for_the_newest_is_kept(line: SerialLine, link: Path) -> None:
    with reader(str(link)) as port:
        for number in range(40):
            port.write(b"%02d" % number * 100)
            line.write(b"$")
    heard = line.heard()
    assert len(heard) == HEARD_BYTES
    assert heard.endswith(b"39")


def test_what_was_said_before_the_plug_was_pulled_is_not_heard_after(line: SerialLine, link: Path) -> None:
    with reader(str(link)) as port:
        port.write(b"old")
        line.write(b"$")
    line.unplug()
    assert line.heard() == b""
    line.replug()
    assert line.heard() == b""


def test_a_receiver_that_takes_orders_answers_within_the_epoch(line: SerialLine, link: Path) -> None:
    ublox = SimulatedUblox(line)
    drive = Drive(VirtualVan(), line, speed=100, answer=ublox.answer)
    with reader(str(link)) as port:
        port.write(bytes.fromhex("b5 62 0a 04 00 00 0e 34"))
        drive.start()
        wait_until(lambda: b"MOD=NEO-M9N" in port.read(port.in_waiting))
        drive.stop()
