"""What only the real box can show: its camera, its buzzer, a hand scanner in somebody's hand."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from drivers.barcode import Decoder
from drivers.board import Board, BoardSettings, open_board
from drivers.camera import Camera, open_camera
from drivers.errors import CameraError
from drivers.wedge import Reading, Wedges, WedgeSettings

pytestmark = [pytest.mark.hil, pytest.mark.timeout(180)]

FRAMES = 100


@pytest.fixture
def board(profile: str) -> Iterator[Board]:
    opened = open_board(BoardSettings(profile=profile))
    yield opened
    opened.panel.close()


@pytest.fixture
def camera(board: Board) -> Iterator[Camera]:
    opened = open_camera(board.camera)
    yield opened
    opened.close()


def test_the_camera_gives_frames_and_a_photo_in_daylight(camera: Camera) -> None:
    begun_s = time.monotonic()
    assert sum(camera.frame(1.0) is not None for _ in range(FRAMES)) == FRAMES, camera.sentence
    print(f"{FRAMES / (time.monotonic() - begun_s):.1f} frames a second")
    photo = camera.still()
    assert photo.warning is None, photo
    assert len(photo.jpeg) <= 300_000


def test_a_label_held_before_the_camera_is_read_within_a_minute(camera: Camera) -> None:
    decoder, until_s, slowest_s = Decoder(), time.monotonic() + 60, 0.0
    try:
        while True:
            frame = camera.frame(1.0)
            assert time.monotonic() < until_s, "no code was read"
            if frame is None:
                continue
            begun_s = time.monotonic()
            codes = decoder.decode(frame.luma, frame.width, frame.height, frame.stride)
            slowest_s = max(slowest_s, time.monotonic() - begun_s)
            if codes:
                break
    finally:
        decoder.close()
    print(codes[0].text, f"slowest picture {slowest_s * 1000:.0f} ms")


def test_a_camera_pulled_out_is_said_within_three_seconds(camera: Camera) -> None:
    input("Pull the camera's cable when frames run, then press Enter here first: ")
    until_s = time.monotonic() + 60
    while camera.state in {"ok", "opening"} and time.monotonic() < until_s:
        try:
            camera.frame(0.5)
        except CameraError as error:
            print(error)
    assert camera.state == "unplugged"


def test_the_four_sounds_are_heard(board: Board) -> None:
    for name in ("accept", "duplicate", "wrong", "done"):
        board.panel.sound(name)
        assert input(f"Did you hear '{name}'? [y] ") in {"", "y"}


def test_a_usb_scanner_is_read_and_types_nothing_into_the_terminal() -> None:
    wedges = Wedges(WedgeSettings(usb="auto"))
    until_s = time.monotonic() + 60
    readings: list[Reading] = []
    while not readings:
        assert time.monotonic() < until_s, wedges.faults or "no scan came; is the scanner's name known to drivers/wedge/wedges.py?"
        readings = wedges.read(1.0)
    wedges.close()
    print(readings)
