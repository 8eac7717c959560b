"""What the scanner tells the terminal: each code once while it is in sight, every code of a picture, and nothing twice."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator
from typing import Literal

import pytest
from PIL import Image

from drivers.barcode import Barcode
from drivers.camera import Camera, Frame
from drivers.errors import CameraError, DriverError, PictureError
from drivers.wedge import Reading
from firmware.terminal.scanner import DROPPED, SIGHT_S, Scan, Scanner, Viewfinder
from tests.pictures import coded, huge_png, jpeg

SSCC = "00340123450000000017"
STOP = threading.Event()
STOP.set()  # no wait takes any time


class Scene:
    """A camera's source whose frames all look the same; `fault` breaks it."""

    def __init__(self) -> None:
        self.fault: CameraError | None = None
        self.n = self.opened = self.closed = 0

    def open(self) -> Scene:
        if self.fault is not None:
            raise self.fault
        self.opened += 1
        return self

    def frame(self, _timeout_s: float) -> Frame | None:
        if self.fault is not None:
            raise self.fault
        self.n += 1
        return Frame(luma=bytes(1_280 * 960), width=1_280, height=960, stride=1_280, n=self.n)

    def view(self) -> Image.Image:
        return Image.new("RGB", (1_280, 960))

    def still(self) -> Image.Image:
        return self.view()

    def close(self) -> None:
        self.closed += 1


class Decoder:
    """Reads what lies in `codes`."""

    def __init__(self) -> None:
        self.codes: list[Barcode] = []
        self.asked: list[bool] = []
        self.fault: DriverError | None = None
        self.closed = False
        self.is_ready = True

    def ready(self, _timeout_s: float) -> bool:
        return self.is_ready

    def decode(self, luma: bytes, width: int, height: int, stride: int | None = None, *, thorough: bool = False) -> list[Barcode]:
        if self.fault is not None:
            raise self.fault
        assert len(luma) == height * (stride or width)
        self.asked.append(thorough)
        return self.codes

    def read_picture(self, data: bytes) -> list[Barcode]:
        if self.fault is not None:
            raise self.fault
        assert data
        return self.codes

    def close(self) -> None:
        self.closed = True


class Hand:
    """Hand scanners without a scanner."""

    def __init__(self) -> None:
        self.count = 0
        self.faults: tuple[str, ...] = ()
        self.readings: list[Reading] = []
        self.closed = False

    def read(self, _timeout_s: float) -> list[Reading]:
        readings, self.readings = self.readings, []
        return readings

    def close(self) -> None:
        self.closed = True


class Driver:
    """The driver's job: wants something of the camera, and hears what was scanned."""

    def __init__(self) -> None:
        self.wanted: Literal["scan", "photo"] | None = "scan"
        self.heard: list[Scan] = []

    def wants(self) -> Literal["scan", "photo"] | None:
        return self.wanted

    def scanned(self, scan: Scan) -> None:
        self.heard.append(scan)


class Rig:
    """A scanner with everything around it, in the test's time."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.scene, self.decoder, self.hand, self.driver = Scene(), Decoder(), Hand(), Driver()
        self.camera = Camera(self.scene.open)
        self.viewfinder = Viewfinder(lambda: self.now_s)
        self.told: list[tuple[str, tuple[str, ...]]] = []
        self.scanner = Scanner(
            camera=self.camera,
            decoder=self.decoder,  # type: ignore[arg-type]  # the same calls
            wedges=self.hand,  # type: ignore[arg-type]  # the same calls
            terminal=self.driver,
            viewfinder=self.viewfinder,
            tell=lambda camera, scanners: self.told.append((camera, scanners)),
            mono_s=lambda: self.now_s,
        )

    def look(self, times: int = 1, every_s: float = 0.1) -> list[str]:
        for _ in range(times):
            self.scanner.step(STOP)
            self.now_s += every_s
        return [scan.identity for scan in self.driver.heard]


def code(text: str, symbology: str = "CODE128", aim: str | None = None) -> Barcode:
    corners = ((10, 10), (200, 10), (200, 90), (10, 90))
    return Barcode(text=text, symbology=symbology, aim=aim, corners=corners, engine="pyzbar", ms=1.0, raw=text.encode())


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.scanner.finish()
    assert made.decoder.closed
    assert made.hand.closed


def test_a_code_that_stays_in_sight_is_one_scan(rig: Rig) -> None:
    rig.decoder.codes = [code(SSCC)]
    assert rig.look(times=50) == [f"sscc:{SSCC}"]


def test_a_code_that_flickers_is_still_one_scan(rig: Rig) -> None:
    for turn in range(30):
        rig.decoder.codes = [code(SSCC)] if turn % 3 == 0 else []
        rig.look()
    assert len(rig.driver.heard) == 1


def test_a_code_that_was_away_is_scanned_again(rig: Rig) -> None:
    rig.decoder.codes = [code(SSCC)]
    rig.look()
    rig.decoder.codes = []
    rig.look(times=2, every_s=SIGHT_S)
    rig.decoder.codes = [code(SSCC)]
    rig.look()
    assert len(rig.driver.heard) == 2


def test_the_same_parcel_in_two_codes_is_one_scan(rig: Rig) -> None:
    rig.decoder.codes = [code(SSCC, aim="]C1"), code(f"https://id.gs1.org/00/{SSCC[2:]}", "QRCODE", "]Q1")]
    assert rig.look(times=3) == [f"sscc:{SSCC}"]


def test_all_labels_of_a_frame_are_told(rig: Rig) -> None:
    rig.decoder.codes = [code("TBA123456789012"), code(SSCC), code("PKG|1", "DATAMATRIX")]
    assert rig.look() == ["raw:TBA123456789012", f"sscc:{SSCC}", "raw:PKG|1"]


def test_an_ean_needs_a_second_picture(rig: Rig) -> None:
    rig.decoder.codes = [code("4006381333931", "EAN13", "]E0")]
    assert rig.look() == []
    assert rig.look() == ["gtin:04006381333931"]


def test_every_third_picture_is_read_by_both_engines(rig: Rig) -> None:
    rig.look(times=6)
    assert rig.decoder.asked == [False, False, True] * 2


def test_nothing_is_read_while_a_photo_is_wanted_and_the_picture_is_shown(rig: Rig) -> None:
    rig.driver.wanted = "photo"
    assert rig.viewfinder.latest() is None
    rig.look()
    newest = rig.viewfinder.latest()
    assert newest is not None
    assert newest[2] == ()
    assert rig.decoder.asked == []


def test_codes_are_marked_in_the_pixels_of_the_page(rig: Rig) -> None:
    rig.viewfinder.latest()
    rig.decoder.codes = [code(SSCC)]
    rig.look()
    newest = rig.viewfinder.latest()
    assert newest is not None
    n, picture, quads = newest
    assert Image.open(io.BytesIO(picture)).size == (640, 480)
    assert quads == (((5, 5), (100, 5), (100, 45), (5, 45)),)
    rig.look()
    again = rig.viewfinder.latest()
    assert again is not None
    assert again[0] == n + 1


def test_without_anybody_looking_no_picture_is_made(rig: Rig) -> None:
    rig.look(times=3)
    assert rig.viewfinder.latest() is None


def test_the_camera_rests_while_nothing_is_wanted_but_is_tried_once_at_the_start(rig: Rig) -> None:
    rig.driver.wanted = None
    rig.look(times=5)
    assert (rig.scene.opened, rig.scene.closed, rig.camera.state) == (1, 1, "ok")
    rig.driver.wanted = "scan"
    rig.look()
    assert rig.scene.opened == 2


def test_an_old_picture_does_not_look_like_now(rig: Rig) -> None:
    rig.viewfinder.latest()
    rig.look()
    assert rig.viewfinder.latest() is not None
    rig.driver.wanted = None
    rig.look()
    assert rig.viewfinder.latest() is None


def test_a_camera_that_is_gone_is_said_once_and_taken_up_again(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.scene.fault = CameraError("unplugged", "The camera was unplugged.")
    with caplog.at_level(logging.WARNING):
        rig.look(times=300)
    assert caplog.text.count("The camera was unplugged.") == 1
    assert rig.camera.state == "unplugged"
    rig.scene.fault = None
    rig.decoder.codes = [code(SSCC)]
    assert rig.look(times=120) == [f"sscc:{SSCC}"]
    assert rig.camera.state == "ok"


def test_a_camera_that_is_gone_is_tried_more_and_more_seldom(rig: Rig) -> None:
    tried: list[float] = []

    def broken() -> Scene:
        tried.append(rig.now_s)
        raise CameraError("missing", "No camera is connected.")

    rig.scene.open = broken  # type: ignore[method-assign]  # hands
    rig.camera = Camera(broken)
    rig.scanner._camera = rig.camera
    rig.look(times=600)
    assert 5 < len(tried) < 40


def test_a_camera_that_comes_back_is_noticed_though_nothing_is_wanted(rig: Rig) -> None:
    rig.driver.wanted = None
    rig.scene.fault = CameraError("missing", "No camera is connected.")
    rig.look()
    assert rig.camera.state == "missing"
    rig.scene.fault = None
    rig.look(times=120)
    assert rig.camera.state == "ok"


def test_a_hand_scanner_is_heard_with_and_without_a_camera(rig: Rig) -> None:
    reading = Reading(text="4006381333931", aim="]E0", symbology="EAN13", device="s")
    rig.hand.readings = [reading]
    rig.look()
    rig.scene.fault = CameraError("missing", "No camera is connected.")
    rig.hand.readings = [reading]
    rig.look(times=2)
    rig.driver.wanted = None
    rig.hand.readings = [reading]
    rig.look(times=2)
    assert [scan.identity for scan in rig.driver.heard] == ["gtin:04006381333931"] * 3
    assert {scan.source for scan in rig.driver.heard} == {"hand"}


def test_a_code_with_control_characters_is_answered_visibly(rig: Rig) -> None:
    rig.hand.readings = [Reading(text="AB\x04C\x7f", aim=None, symbology="", device="s")]
    assert rig.look() == ["raw:AB␄C"]
    assert rig.driver.heard[0].text == "AB␄C"


def test_a_dropped_picture_is_read_shown_and_told_each_time(rig: Rig) -> None:
    rig.scene.fault = CameraError("missing", "No camera is connected.")
    rig.decoder.codes = [code(SSCC)]
    for _ in range(2):
        rig.viewfinder.drop(jpeg(coded(SSCC, "Code128")))
        rig.look()
    assert [scan.source for scan in rig.driver.heard] == ["picture", "picture"]
    newest = rig.viewfinder.latest()
    assert newest is not None
    assert len(newest[2]) == 1


def test_a_dropped_picture_that_brings_the_reader_down_is_no_scan(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.driver.wanted = None
    rig.viewfinder.drop(jpeg(coded(SSCC, "Code128")))
    rig.decoder.fault = PictureError("the picture brings the barcode reader down; take another one")
    with caplog.at_level(logging.WARNING):
        assert rig.look() == []
    assert "brings the barcode reader down" in caplog.text


@pytest.mark.parametrize(("data", "said"), [(b"nothing", "no picture"), (huge_png(10_000, 5_000), "50 megapixels and 25 is the limit")])
def test_a_dropped_picture_that_cannot_be_used_is_refused_at_once(data: bytes, said: str) -> None:
    with pytest.raises(PictureError, match=said):
        Viewfinder().drop(data)


def test_too_many_dropped_pictures_are_refused() -> None:
    viewfinder = Viewfinder()
    picture = jpeg(coded(SSCC, "Code128"))
    for _ in range(DROPPED):
        viewfinder.drop(picture)
    with pytest.raises(PictureError, match="wait a moment"):
        viewfinder.drop(picture)


def test_a_reader_that_cannot_work_is_a_state_and_no_end(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.decoder.fault = DriverError("The barcode library is missing.")
    with caplog.at_level(logging.WARNING):
        assert rig.look(times=100) == []
    assert caplog.text.count("The barcode library is missing.") == 1


def test_while_the_reader_starts_the_viewfinder_goes_on(rig: Rig) -> None:
    rig.viewfinder.latest()
    rig.decoder.is_ready = False
    rig.decoder.codes = [code(SSCC)]
    assert rig.look(times=3) == []
    assert rig.viewfinder.latest() is not None
    rig.decoder.is_ready = True
    assert rig.look() == [f"sscc:{SSCC}"]


def test_without_a_camera_the_worker_waits_for_hands(rig: Rig) -> None:
    rig.scanner._camera = Camera(None)
    rig.hand.readings = [Reading(text="TBA123456789012", aim=None, symbology="", device="s")]
    assert rig.look(times=3) == ["raw:TBA123456789012"]
    rig.hand.count = 1
    rig.hand.readings = [Reading(text="TBA123456789012", aim=None, symbology="", device="s")]
    assert len(rig.look()) == 2


def test_how_camera_and_hand_scanners_are_is_told_when_it_changes(rig: Rig) -> None:
    rig.look(3)
    rig.hand.faults = ("The scanner at /dev/ttyUSB0 was unplugged; plug it in again.",)
    rig.look(3)
    assert rig.told == [("ok", ()), ("ok", rig.hand.faults)]
