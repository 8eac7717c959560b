"""What our camera promises on any picamera2: run against the fake every day, and against the real one where it is built.

Imports nothing that the real one's tree does not have. Each check takes `library`, which opens a Picamera2 or something like it that shows
labels whose code begins with PARCEL-.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import zxingcpp

from drivers.camera.frame import CameraSettings, Frame
from drivers.camera.pi import PiCamera
from drivers.errors import CameraError

Library = Callable[[], Any]
Check = Callable[[Library], None]
SENSOR = CameraSettings(kind="picamera2", width_px=1_920, height_px=1_080)


def a_frame(camera: PiCamera) -> Frame:
    for _ in range(20):
        frame = camera.frame(0.5)
        if frame is not None:
            return frame
    raise AssertionError("no frame in ten seconds")


def frames_are_luma_that_decodes(library: Library) -> None:
    camera = PiCamera(SENSOR, library)
    try:
        frame = a_frame(camera)
        assert frame.stride >= frame.width
        assert len(frame.luma) == frame.stride * frame.height
        rows = memoryview(frame.luma).cast("B", shape=[frame.height, frame.stride])
        texts = [found.text for found in zxingcpp.read_barcodes(rows)]
        assert texts, "no code in the picture"
        assert texts[0].startswith("PARCEL-")
        assert a_frame(camera).n == frame.n + 1
    finally:
        camera.close()


def view_is_the_frame_in_colour_and_still_the_large_stream(library: Library) -> None:
    camera = PiCamera(SENSOR, library)
    try:
        frame = a_frame(camera)
        assert camera.view().size == (frame.width, frame.height)
        still = camera.still()
        assert still.size == (1_920, 1_080)
        paper = still.convert("RGB").resize((1, 1)).getpixel((0, 0))
        assert isinstance(paper, tuple)
        assert max(paper) - min(paper) < 12, "a grey scene stays grey: the planes are where we think"
    finally:
        camera.close()


def a_camera_held_by_another_is_busy(library: Library) -> None:
    camera = PiCamera(SENSOR, library)
    try:
        PiCamera(SENSOR, library)
    except CameraError as error:
        assert error.state == "busy", error  # noqa: PT017  pytest is not everywhere here
    else:
        raise AssertionError("it opened twice")
    finally:
        camera.close()


def a_closed_camera_opens_again(library: Library) -> None:
    for _ in range(2):
        camera = PiCamera(SENSOR, library)
        a_frame(camera)
        camera.close()
        camera.close()


def an_unknown_control_is_an_error_and_ours_are_asked_for_first(library: Library) -> None:
    camera = library()
    try:
        assert "AfMode" not in camera.camera_controls
        try:
            camera.configure(camera.create_video_configuration(main={"size": (1_920, 1_080), "format": "YUV420"}))
            camera.set_controls({"AfMode": 2})
            camera.start()
        except RuntimeError as error:
            assert "AfMode" in str(error)  # noqa: PT017
        else:
            raise AssertionError("it took a control that it does not have")
    finally:
        camera.close()


def the_format_given_is_not_the_one_asked_for(library: Library) -> None:
    camera = library()
    try:
        camera.configure(camera.create_video_configuration(main={"size": (1_920, 1_080), "format": "YUV420"}))
        assert camera.camera_configuration()["main"]["format"] == "NV12"
    finally:
        camera.close()


CHECKS = (
    frames_are_luma_that_decodes,
    view_is_the_frame_in_colour_and_still_the_large_stream,
    a_camera_held_by_another_is_busy,
    a_closed_camera_opens_again,
    an_unknown_control_is_an_error_and_ours_are_asked_for_first,
    the_format_given_is_not_the_one_asked_for,
)
