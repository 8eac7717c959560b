"""The receiver on a pseudo-terminal: real bytes through a real serial driver, and plugs that are pulled."""

from __future__ import annotations

import os
import termios
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.errors import DriverError, PortGoneError
from drivers.gnss.fix import Epoch
from drivers.gnss.receiver import GnssReceiver
from drivers.gnss.ublox import Ublox, van_settings
from drivers.sim.line import SerialLine
from drivers.sim.ublox import FACTORY, MONITOR, SimulatedUblox
from tests.nmea import FLOOR, at, gga, gsa, rmc, sentence


class Line:
    """A serial line with a stable name, as udev's by-id links are; the far end can be pulled out and put back."""

    def __init__(self, folder: Path) -> None:
        self.port = str(folder / "receiver")
        self._far = -1
        self.plug_in()

    def plug_in(self) -> None:
        self._far, near = os.openpty()
        tty.setraw(near)
        Path(self.port).unlink(missing_ok=True)
        Path(self.port).symlink_to(os.ttyname(near))
        os.close(near)

    def unplug(self) -> None:
        os.close(self._far)
        self._far = -1
        Path(self.port).unlink()

    def write(self, data: bytes) -> None:
        os.write(self._far, data)

    @property
    def speed(self) -> int:
        """What the near end has set; a pseudo-terminal keeps it, but does not obey it."""
        return int(termios.tcgetattr(self._far)[5])

    def close(self) -> None:
        if self._far >= 0:
            os.close(self._far)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    found = Line(tmp_path)
    yield found
    found.close()


@pytest.fixture
def receiver(line: Line) -> Iterator[GnssReceiver]:
    found = GnssReceiver(line.port, 9_600, not_before=FLOOR)
    assert found.read(0.0) == []  # opened: what is written now is not lost
    yield found
    found.close()


def burst(second: int) -> bytes:
    return rmc(at(second)) + gga(at(second)) + gsa()


def read_fixes(receiver: GnssReceiver, count: int) -> list[Epoch]:
    found: list[Epoch] = []
    for _ in range(50):
        found += [epoch for epoch in receiver.read(0.5) if epoch.has_fix]
        if len(found) >= count:
            return found
    raise AssertionError(f"only {len(found)} of {count} fixes came")


def test_bytes_become_epochs_with_the_time_they_were_complete(line: Line, receiver: GnssReceiver) -> None:
    line.write(burst(0) + burst(1) + burst(2))
    found = read_fixes(receiver, 3)
    assert [epoch.at for epoch in found] == [at(0), at(1), at(2)]
    assert all(epoch.mono_s > 0 for epoch in found)


def test_a_silent_line_ends_a_burst(line: Line, receiver: GnssReceiver) -> None:
    line.write(rmc(at(0)))
    assert [epoch.at for epoch in read_fixes(receiver, 1)] == [at(0)]


def test_a_gsa_after_a_silence_belongs_to_the_coming_epoch(line: Line, receiver: GnssReceiver) -> None:
    line.write(gsa(3) + rmc(at(0)))
    assert [epoch.mode for epoch in read_fixes(receiver, 1)] == [3]
    line.write(gsa(2) + rmc(at(1)))
    assert [epoch.mode for epoch in read_fixes(receiver, 1)] == [2]


def test_a_read_waits_no_longer_than_it_is_told(receiver: GnssReceiver) -> None:
    assert receiver.read(0.01) == []


def test_a_missing_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    receiver = GnssReceiver(str(tmp_path / "nothing"), 9_600, not_before=FLOOR)
    with pytest.raises(PortGoneError, match=r"There is no serial port .*nothing; plug the receiver in"):
        receiver.read(0.1)
    assert receiver.status().state.startswith("There is no serial port")


def test_a_file_that_is_no_port_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no port")
    receiver = GnssReceiver(str(tmp_path / "file"), 9_600, not_before=FLOOR)
    with pytest.raises(DriverError, match="cannot be opened as a serial port"):
        receiver.read(0.1)


def test_a_port_held_by_another_program_is_told(line: Line, receiver: GnssReceiver) -> None:
    second = GnssReceiver(line.port, 9_600, not_before=FLOOR)
    with pytest.raises(PortGoneError, match="Another program holds"):
        second.read(0.1)


def test_unplugged_while_reading_is_told_and_replugged_gives_fixes_again(line: Line, receiver: GnssReceiver) -> None:
    line.write(burst(0) + burst(1))
    read_fixes(receiver, 2)
    line.unplug()
    with pytest.raises(PortGoneError, match="unplugged"):
        receiver.read(1.0)
    with pytest.raises(PortGoneError, match="There is no serial port"):
        receiver.read(1.0)
    line.plug_in()
    receiver.read(0.0)
    line.write(burst(60) + burst(61))
    assert [epoch.at for epoch in read_fixes(receiver, 2)] == [at(60), at(61)]


def test_half_a_sentence_before_the_plug_was_pulled_does_not_spoil_the_first_one_after(line: Line, receiver: GnssReceiver) -> None:
    line.write(burst(0) + burst(1)[:40])
    read_fixes(receiver, 1)
    line.unplug()
    with pytest.raises(PortGoneError):
        receiver.read(1.0)
    line.plug_in()
    receiver.read(0.0)
    line.write(burst(2))
    assert [epoch.at for epoch in read_fixes(receiver, 1)] == [at(2)]
    assert receiver.status().sentences_bad == 0


def test_many_plugs_leak_no_descriptor_and_no_thread(line: Line, receiver: GnssReceiver) -> None:
    def open_files() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before, threads = open_files(), threading.active_count()
    for _ in range(200):
        line.unplug()
        with pytest.raises(PortGoneError):
            receiver.read(1.0)
        line.plug_in()
        receiver.read(0.0)
    assert (open_files(), threading.active_count()) == (before, threads)


def test_closing_twice_is_harmless(receiver: GnssReceiver) -> None:
    receiver.close()
    receiver.close()


def test_status_counts_and_names_what_there_is(line: Line, receiver: GnssReceiver) -> None:
    views = sentence("GPGSV,1,1,02,05,61,214,44,40,20,150,33") + sentence("GAGSV,1,1,01,05,30,100,,7")
    used = sentence("GNGSA,A,3,05,,,,,,,,,,,,1.5,1.3,1.0,1")
    notices = sentence("GNTXT,01,01,02,ANTSTATUS=OPEN") + sentence("GNTXT,01,01,01,jamming detected on L1")
    line.write(burst(0) + views + used + notices + b"$GPRMC,damaged*00\r\n" + burst(1))
    read_fixes(receiver, 2)
    status = receiver.status()
    assert [(one.constellation, one.number, one.cn0_dbhz, one.used) for one in status.satellites] == [
        ("GPS", 5, 44, True),
        ("Galileo", 5, None, False),
        ("SBAS", 40, 33, False),
    ]
    assert (status.antenna, status.jamming) == ("OPEN", "jamming detected on L1")
    assert (status.sentences_good, status.sentences_bad) == (11, 1)
    assert status.state == "The receiver has a 3D fix."
    assert status.age_s is not None
    assert not status.stale


def test_status_says_before_the_first_byte_that_the_receiver_is_silent(receiver: GnssReceiver) -> None:
    assert "silent" in receiver.status().state
    assert (receiver.status().age_s, receiver.status().stale) == (None, True)


def test_status_says_that_bytes_without_sentences_mean_a_wrong_baud_rate(line: Line, receiver: GnssReceiver) -> None:
    line.write(bytes(range(128, 256)) * 8)
    receiver.read(0.2)
    assert "no sentences at 9600 baud" in receiver.status().state


def test_the_speed_of_the_line_is_found(line: Line) -> None:
    receiver = GnssReceiver(line.port, not_before=FLOOR)
    for second in range(1_000):
        if any(epoch.has_fix for epoch in receiver.read(0.05)):
            break
        line.write(burst(second) if line.speed == termios.B115200 else bytes(range(128, 240)))
    assert receiver.status().baud == 115_200
    assert receiver.status().age_s is not None
    receiver.close()


def spoken_at(line: Line, receiver: GnssReceiver, speed: int | None) -> None:
    """Let the receiver at the other end speak until the round through the speeds is over: at `speed`, else rubbish."""
    for second in range(1_000):
        receiver.read(0.02)
        if not receiver.status().hunting:
            return
        line.write(burst(second) if line.speed == speed else bytes(range(128, 240)) * 5)
    pytest.fail("the round does not end")


def test_a_speed_that_was_set_wrongly_is_left_when_somebody_asks_for_the_others(line: Line) -> None:
    receiver = GnssReceiver(line.port, 9600, not_before=FLOOR)
    receiver.read(0)
    receiver.hunt()
    assert receiver.status().hunting
    spoken_at(line, receiver, termios.B38400)
    line.write(burst(1_001) + burst(1_002))
    read_fixes(receiver, 1)
    assert receiver.status().baud == 38_400
    receiver.close()


@pytest.mark.parametrize("speaks", [None, termios.B4800])
def test_the_speed_that_was_set_is_gone_back_to_when_no_other_is_right(line: Line, speaks: int | None) -> None:
    receiver = GnssReceiver(line.port, 4800, not_before=FLOOR)
    receiver.read(0)
    receiver.hunt()
    spoken_at(line, receiver, speaks)
    line.write(burst(2_000) + burst(2_001))
    read_fixes(receiver, 1)
    assert (receiver.status().baud, line.speed) == (4_800, termios.B4800)
    for _ in range(20):
        line.write(bytes(range(128, 240)) * 6)
        receiver.read(0.02)
    assert line.speed == termios.B4800
    receiver.close()


# A u-blox at the other end


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[SerialLine]:
    with SerialLine(tmp_path / "ublox") as plugged:
        yield plugged


def listen(receiver: GnssReceiver, ublox: SimulatedUblox, wire: SerialLine, until: str) -> list[Epoch]:
    """Let both talk, with an epoch between two answers, until the receiver's set-up reads so."""
    found: list[Epoch] = []
    for second in range(200):
        wire.write(burst(second))
        found += receiver.read(0.05)
        ublox.answer()
        if until in receiver.status().setup:
            return found
    raise AssertionError(receiver.status().setup)


def test_a_ublox_is_set_up_while_its_epochs_go_on(wire: SerialLine) -> None:
    ublox = SimulatedUblox(wire)
    receiver = GnssReceiver(wire.port, 9_600, not_before=FLOOR, ublox=Ublox(van_settings()))
    receiver.read(0.0)
    found = listen(receiver, ublox, wire, "every setting acknowledged")
    assert [epoch.at for epoch in found if epoch.has_fix] == [at(second) for second in range(len(found))]
    assert len(found) >= 5
    assert (receiver.status().sentences_bad, receiver.status().jamming) == (0, None)
    assert ublox.ram[MONITOR] == 1
    receiver.close()


def test_a_replugged_ublox_is_set_up_again(wire: SerialLine) -> None:
    ublox = SimulatedUblox(wire)
    receiver = GnssReceiver(wire.port, 9_600, not_before=FLOOR, ublox=Ublox(van_settings()))
    receiver.read(0.0)
    listen(receiver, ublox, wire, "every setting acknowledged")
    wire.unplug()
    with pytest.raises(PortGoneError):
        receiver.read(1.0)
    wire.replug()
    ublox.ram = dict(FACTORY)
    receiver.read(0.0)
    assert "not been asked yet" in receiver.status().setup
    listen(receiver, ublox, wire, "every setting acknowledged")
    assert ublox.ram[MONITOR] == 1
    receiver.close()


def test_a_ublox_that_restarts_on_an_open_line_is_set_up_again(wire: SerialLine) -> None:
    ublox = SimulatedUblox(wire)
    receiver = GnssReceiver(wire.port, 9_600, not_before=FLOOR, ublox=Ublox(van_settings()))
    receiver.read(0.0)
    listen(receiver, ublox, wire, "every setting acknowledged")
    ublox.restart()
    listen(receiver, ublox, wire, "setting 1 of 4")
    listen(receiver, ublox, wire, "every setting acknowledged")
    assert ublox.ram[MONITOR] == 1
    receiver.close()


def test_a_line_that_takes_no_orders_never_blocks_the_reader(line: Line) -> None:
    receiver = GnssReceiver(line.port, 9_600, not_before=FLOOR, ublox=Ublox(van_settings()))
    receiver.read(0.0)
    line.write(burst(0) + burst(1))
    assert len(read_fixes(receiver, 2)) == 2
    assert "Asking" in receiver.status().setup
    receiver.close()


def test_without_a_talk_nothing_is_written(wire: SerialLine) -> None:
    receiver = GnssReceiver(wire.port, 9_600, not_before=FLOOR)
    receiver.read(0.0)
    wire.write(burst(0) + burst(1))
    read_fixes(receiver, 2)
    assert wire.heard() == b""
    assert receiver.status().setup == "Nothing was written to the receiver."
    receiver.close()
