from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.board import SIMULATED, BoardSettings, open_board
from drivers.chrony import SAMPLE, ChronySocket, sample
from firmware.clock import AGREEING_FIXES
from tests.unit.test_recorder import Hands


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "chrony.sock"


@pytest.fixture
def listener(place: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(place))
        yield found


def test_a_sample_has_the_bytes_of_chrony_s_struct() -> None:
    moment = struct.pack("@ll", 1_795_248_000, 250_001)
    assert sample(1_795_248_000.250_001, -1.5) == moment + struct.pack("=diiii", -1.5, 0, 0, 0, 0x534F434B)


@pytest.mark.parametrize("system_s", [0.0, 0.999_999_7, 1_795_248_000.999_999_9])
def test_microseconds_never_reach_a_second(system_s: float) -> None:
    seconds, microseconds = struct.unpack_from("@ll", sample(system_s, 0.0))
    assert 0 <= microseconds < 1_000_000
    assert abs(seconds + microseconds / 1e6 - system_s) < 2e-6


def test_the_offset_is_what_the_system_s_clock_lacks(place: Path, listener: socket.socket) -> None:
    chrony = ChronySocket(str(place))
    assert chrony.feed(system_s=1_000.0, true_s=1_002.5)
    assert listener.recv(100) == sample(1_000.0, 2.5)
    assert chrony.state == f"chrony is fed through {place}"
    chrony.close()
    chrony.close()


def test_no_chrony_is_a_state(place: Path) -> None:
    chrony = ChronySocket(str(place))
    assert "nothing was sent" in chrony.state
    assert not chrony.feed(system_s=1.0, true_s=1.0)
    assert "does not exist: chrony is not running" in chrony.state
    chrony.close()


def test_a_chrony_that_starts_later_is_fed_without_more_ado(place: Path) -> None:
    chrony = ChronySocket(str(place))
    chrony.feed(system_s=1.0, true_s=1.0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(place))
        assert chrony.feed(system_s=1.0, true_s=1.0)
    assert not chrony.feed(system_s=1.0, true_s=1.0)
    assert "left over" in chrony.state
    chrony.close()


def test_a_chrony_that_does_not_read_blocks_nobody(place: Path, listener: socket.socket) -> None:
    chrony = ChronySocket(str(place))
    while chrony.feed(system_s=1.0, true_s=1.0):
        pass
    assert "is full" in chrony.state
    chrony.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_socket_of_another_user_is_told(place: Path, listener: socket.socket) -> None:
    place.chmod(0)
    chrony = ChronySocket(str(place))
    assert not chrony.feed(system_s=1.0, true_s=1.0)
    assert "may not be written" in chrony.state
    chrony.close()


def test_a_name_that_is_no_socket_s_is_told(place: Path) -> None:
    chrony = ChronySocket(str(place / ("x" * 200)))
    assert not chrony.feed(system_s=1.0, true_s=1.0)
    assert "cannot be used" in chrony.state
    chrony.close()


def test_the_board_feeds_chrony_only_where_a_technician_named_its_socket(place: Path) -> None:
    assert open_board(BoardSettings(profile=SIMULATED, gnss_port="/dev/x")).chrony is None
    chrony = open_board(BoardSettings(profile=SIMULATED, gnss_port="/dev/x", chrony_socket=str(place))).chrony
    assert chrony is not None
    assert str(place) in chrony.state
    chrony.close()


def test_the_recorder_passes_on_believed_times_and_no_wild_one(tmp_path: Path, place: Path, listener: socket.socket) -> None:
    hands = Hands(tmp_path)
    listener.setblocking(False)  # noqa: FBT003  the standard library's own
    hands.recorder._chrony = ChronySocket(str(place))
    hands.drive(AGREEING_FIXES - 1)
    with pytest.raises(BlockingIOError):
        listener.recv(100)
    hands.drive(3)
    hands.drive(2, step_s=3_600.0)
    offsets_s = [SAMPLE.unpack(listener.recv(100))[2] for _ in range(3)]
    assert [round(offset_s, 3) for offset_s in offsets_s] == [3.0, 4.0, 5.0]  # the test's system clock stands still
    with pytest.raises(BlockingIOError):
        listener.recv(100)
    assert "is fed" in hands.status.snapshot().chrony
    hands.recorder.finish()
    hands.journal.close()
