"""What only the real box can show: its receiver, its ignition line, its lamp."""

from __future__ import annotations

import time

import pytest

from drivers.board import BoardSettings, open_board
from drivers.gnss.receiver import GnssReceiver
from firmware.clock import BUILD_DATE

pytestmark = [pytest.mark.hil, pytest.mark.timeout(180)]


def test_every_part_of_the_board_opens(profile: str) -> None:
    board = open_board(BoardSettings(profile=profile))
    try:
        assert board.faults == ()
        assert board.panel.ignition_on() is not None
    finally:
        board.panel.close()


def test_the_receiver_has_a_dated_fix_within_two_minutes_under_open_sky(profile: str) -> None:
    board = open_board(BoardSettings(profile=profile))
    board.panel.close()
    receiver = GnssReceiver(board.gnss_port, board.gnss_baud, not_before=BUILD_DATE)
    end_s = time.monotonic() + 120
    try:
        while not any(epoch.has_fix for epoch in receiver.read(1.0)):
            assert time.monotonic() < end_s, receiver.status().state
    finally:
        receiver.close()
