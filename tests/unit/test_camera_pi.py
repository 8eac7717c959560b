"""The Pi's camera on a picamera2 that is not one; tests/system/test_real_picamera2.py runs the same body on the real library."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from drivers.camera.pi import PiCamera
from drivers.errors import CameraError
from tests import picamera2_body
from tests.fake_picamera2 import FakePicamera2
from tests.picamera2_body import SENSOR


@pytest.fixture(autouse=True)
def released() -> Iterator[None]:
    yield
    FakePicamera2.held = False
    FakePicamera2.plugged = True


@pytest.mark.parametrize("check", picamera2_body.CHECKS, ids=lambda check: check.__name__)
def test_the_fake_keeps_the_real_ones_promises(check: picamera2_body.Check) -> None:
    check(FakePicamera2)


def test_autofocus_is_set_where_the_camera_has_it() -> None:
    library = FakePicamera2(autofocus=True)
    camera = PiCamera(SENSOR, lambda: library)
    assert library.controls == {"AfMode": 2, "AfRange": 1, "AfMetering": 1, "AfWindows": [(1_202, 648, 2_204, 1_296)]}
    camera.close()


def test_a_lens_on_its_way_is_told_with_the_picture() -> None:
    library = FakePicamera2(autofocus=True)
    camera = PiCamera(SENSOR, lambda: library)
    told = []
    for state in ({"AfState": 1}, {"AfState": 2}, {"AfState": 3}, {}):
        library.told = state
        frame = camera.frame(0.1)
        assert frame is not None
        told.append(frame.focusing)
    assert told == [True, False, False, False]
    camera.close()


def test_a_stuck_lens_is_freed_by_hand_for_two_pictures_and_then_focuses_again() -> None:
    library = FakePicamera2(autofocus=True)
    camera = PiCamera(SENSOR, lambda: library)
    library.set.clear()
    camera.refocus()
    camera.refocus()
    camera.frame(0.1)
    assert library.set == [{"AfMode": 0}]
    camera.frame(0.1)
    camera.frame(0.1)
    assert library.set == [{"AfMode": 0}, {"AfMode": 2}]
    camera.close()


def test_a_fixed_lens_is_left_alone() -> None:
    library = FakePicamera2()
    camera = PiCamera(SENSOR, lambda: library)
    camera.refocus()
    camera.frame(0.1)
    assert library.set == []
    camera.close()


def test_a_camera_with_one_stream_uses_it_for_both() -> None:
    camera = PiCamera(SENSOR, lambda: FakePicamera2(one_stream=True))
    assert camera.frame(0.1) is not None
    assert camera.still().size == (1_920, 1_080)
    camera.close()


def test_planar_rows_are_understood_as_interleaved_ones_are() -> None:
    camera = PiCamera(SENSOR, lambda: FakePicamera2(layout="YUV420"))
    assert camera.frame(0.1) is not None
    assert camera.view().convert("RGB").getpixel((100, 100)) == (200, 200, 200)
    camera.close()


def test_pictures_without_a_luma_plane_are_refused() -> None:
    with pytest.raises(CameraError, match="gives RGB888 pictures"):
        PiCamera(SENSOR, lambda: FakePicamera2(layout="RGB888"))
    assert not FakePicamera2.held


def test_a_late_picture_is_waited_for_again_and_silence_is_a_lost_cable() -> None:
    library = FakePicamera2()
    camera = PiCamera(SENSOR, lambda: library)
    library.frames_come = False
    assert camera.frame(0.5) is None
    library.frames_come = True
    assert camera.frame(0.5) is not None
    library.frames_come = False
    assert [camera.frame(0.5) for _ in range(3)] == [None] * 3
    with pytest.raises(CameraError, match="check its cable") as error:
        camera.frame(0.5)
    assert error.value.state == "unplugged"
    camera.close()
    assert not FakePicamera2.held


def test_a_photo_from_a_lost_camera_is_a_lost_cable_too() -> None:
    library = FakePicamera2()
    camera = PiCamera(SENSOR, lambda: library)
    library.frames_come = False
    with pytest.raises(CameraError) as error:
        camera.still()
    assert error.value.state == "unplugged"
    camera.close()


def test_no_camera_is_missing() -> None:
    FakePicamera2.plugged = False
    with pytest.raises(CameraError, match="No camera is connected") as error:
        PiCamera(SENSOR, FakePicamera2)
    assert error.value.state == "missing"


def test_a_camera_that_stops_is_broken_and_given_back() -> None:
    library = FakePicamera2()
    camera = PiCamera(SENSOR, lambda: library)
    library.jam = RuntimeError("frontend error")
    with pytest.raises(CameraError, match="frontend error") as error:
        camera.frame(0.1)
    assert error.value.state == "broken"
    with pytest.raises(CameraError, match="frontend error"):
        camera.still()
    camera.close()


def test_a_camera_that_does_not_start_is_given_back() -> None:
    library = FakePicamera2()
    library.jam = OSError("no memory")
    with pytest.raises(CameraError, match="does not start"):
        PiCamera(SENSOR, lambda: library)
    assert not FakePicamera2.held


def test_without_the_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraError, match="apt-get install python3-picamera2"):
        PiCamera(SENSOR)
