"""What the scanner tells the terminal: each code once while it is in sight, every code of a picture, and nothing twice."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator
from typing import Literal

import pytest
from PIL import Image, ImageFilter

from drivers.barcode import Barcode
from drivers.camera import Camera, Frame
from drivers.errors import CameraError, DriverError, PictureError
from drivers.wedge import Reading
from firmware.day.work import Scanned
from firmware.terminal.scanner import FOCUSING_S, Scanner
from firmware.terminal.sight import SIGHT_S, WITNESS_S
from firmware.terminal.viewfinder import DROPPED, Mark, Picture, Viewfinder
from tests.pictures import coded, huge_png, jpeg

SSCC = "00340123450000000017"
SIZE = (1_280, 960)
STOP = threading.Event()
STOP.set()  # no wait takes any time


class Scene:
    """A camera's source whose frames all look the same; `fault` breaks it."""

    def __init__(self) -> None:
        self.fault: CameraError | None = None
        self.n = self.opened = self.closed = self.refocused = 0
        self.luma = bytes(SIZE[0] * SIZE[1])
        self.focusing = False

    def open(self) -> Scene:
        if self.fault is not None:
            raise self.fault
        self.opened += 1
        return self

    def frame(self, _timeout_s: float) -> Frame | None:
        if self.fault is not None:
            raise self.fault
        self.n += 1
        return Frame(luma=self.luma, width=SIZE[0], height=SIZE[1], stride=SIZE[0], n=self.n, focusing=self.focusing)

    def view(self) -> Image.Image:
        return Image.new("RGB", (1_280, 960))

    def still(self) -> Image.Image:
        return self.view()

    def refocus(self) -> None:
        self.refocused += 1

    def close(self) -> None:
        self.closed += 1


class Decoder:
    """Reads what lies in `codes`."""

    def __init__(self) -> None:
        self.codes: list[Barcode] = []
        self.asked = 0
        self.module_px: float | None = None
        self.fault: DriverError | None = None
        self.closed = False
        self.is_ready = True

    def ready(self, _timeout_s: float) -> bool:
        return self.is_ready

    def decode(self, luma: bytes, width: int, height: int, stride: int | None = None) -> list[Barcode]:
        if self.fault is not None:
            raise self.fault
        assert len(luma) == height * (stride or width)
        self.asked += 1
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
        self.told: list[tuple[Scanned, ...]] = []
        self.settles = True

    def wants(self) -> Literal["scan", "photo"] | None:
        return self.wanted

    @property
    def heard(self) -> list[Scanned]:
        return [scan for together in self.told for scan in together]

    def scanned(self, *read: Scanned) -> bool:
        self.told.append(read)
        return self.settles


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
    return Barcode(text=text, symbology=symbology, aim=aim, corners=corners, engine="pyzbar", stage="cheap", ms=1.0, raw=text.encode())


def label(blur_px: float = 0) -> bytes:
    """The luma of a code on grey."""
    paper = Image.new("L", SIZE, 120)
    drawn = coded(SSCC, "Code128", 3)
    paper.paste(drawn.point(lambda luma: luma * 9 // 10), ((SIZE[0] - drawn.width) // 2, (SIZE[1] - drawn.height) // 2))
    return paper.filter(ImageFilter.GaussianBlur(blur_px)).tobytes()


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


def test_an_ean_needs_a_second_picture_soon_and_is_told_as_doubtful(rig: Rig) -> None:
    rig.decoder.codes = [code("4006381333931", "EAN13", "]E0")]
    assert rig.look(every_s=WITNESS_S) == []
    assert rig.look() == []
    assert rig.look(times=20) == ["gtin:04006381333931"]
    assert not rig.driver.heard[0].sure


def test_what_one_picture_shows_is_told_together_and_once(rig: Rig) -> None:
    rig.decoder.codes = [code("TBA123456789012"), code(SSCC)]
    rig.look(times=30)
    assert [[scan.code for scan in together] for together in rig.driver.told] == [["TBA123456789012", SSCC]]


def test_of_several_to_choose_from_the_one_that_is_left_in_sight_is_told_again(rig: Rig) -> None:
    rig.driver.settles = False
    rig.decoder.codes = [code("TBA123456789012"), code(SSCC)]
    rig.look(times=5)
    rig.decoder.codes = [code(SSCC)]
    rig.look(times=2)
    assert len(rig.driver.told) == 1, "the other one only flickers"
    rig.look(times=30)
    assert [[scan.code for scan in together] for together in rig.driver.told[1:]] == [[SSCC]]


def test_one_of_several_that_were_settled_is_not_told_again(rig: Rig) -> None:
    rig.decoder.codes = [code("TBA123456789012"), code(SSCC)]
    rig.look(times=5)
    rig.decoder.codes = [code(SSCC)]
    rig.look(times=50)
    assert len(rig.driver.told) == 1


def a_shown(rig: Rig) -> Picture:
    newest = rig.viewfinder.latest()
    assert newest is not None
    return newest


def test_in_the_dark_a_light_is_asked_for_after_a_while_and_no_longer_once_something_is_read(rig: Rig) -> None:
    rig.viewfinder.latest()
    rig.look()
    assert a_shown(rig).hint is None
    for _ in range(15):
        rig.look()
        newest = a_shown(rig)
    assert newest.hint == "torch"
    rig.decoder.codes = [code(SSCC)]
    rig.look()
    assert a_shown(rig).hint is None


def test_a_code_too_small_to_read_is_said(rig: Rig) -> None:
    rig.scene.luma = label()
    rig.decoder.module_px = 0.9
    rig.viewfinder.latest()
    for _ in range(15):
        rig.look()
        newest = a_shown(rig)
    assert newest.hint == "closer"


def test_hints_are_for_scanning_and_begin_anew_with_each_screen(rig: Rig) -> None:
    rig.viewfinder.latest()
    for _ in range(15):
        rig.look()
        assert a_shown(rig)
    rig.driver.wanted = None
    rig.look()
    rig.driver.wanted = "photo"
    rig.look()
    assert a_shown(rig).hint is None
    rig.driver.wanted = "scan"
    rig.look()
    assert a_shown(rig).hint is None


def test_a_lens_on_its_way_is_waited_for_but_not_for_ever(rig: Rig) -> None:
    rig.scene.focusing = True
    rig.look(times=9, every_s=FOCUSING_S / 10)
    assert rig.decoder.asked == 0
    rig.look(times=5, every_s=FOCUSING_S / 10)
    assert rig.decoder.asked > 0


def test_a_lens_that_stays_blurred_is_freed_now_and_then(rig: Rig) -> None:
    rig.scene.luma = label(blur_px=8)
    rig.look(times=100)
    assert 2 <= rig.scene.refocused <= 3
    rig.scene.luma = label()
    rig.look(times=100)
    assert rig.scene.refocused <= 3


def test_nothing_is_read_while_a_photo_is_wanted_and_the_picture_is_shown(rig: Rig) -> None:
    rig.driver.wanted = "photo"
    assert rig.viewfinder.latest() is None
    rig.look()
    newest = rig.viewfinder.latest()
    assert newest is not None
    assert newest.marks == ()
    assert rig.decoder.asked == 0


def test_codes_are_marked_in_the_pixels_of_the_page(rig: Rig) -> None:
    rig.viewfinder.latest()
    rig.decoder.codes = [code(SSCC)]
    rig.look()
    newest = rig.viewfinder.latest()
    assert newest is not None
    assert Image.open(io.BytesIO(newest.jpeg)).size == (640, 480)
    assert newest.marks == (Mark(((5, 5), (100, 5), (100, 45), (5, 45)), SSCC),)
    rig.look()
    again = rig.viewfinder.latest()
    assert again is not None
    assert again.n == newest.n + 1


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
    assert all(scan.sure for scan in rig.driver.heard), "a scanner in the hand reads what it is aimed at"


def test_a_code_with_control_characters_is_answered_visibly(rig: Rig) -> None:
    rig.hand.readings = [Reading(text="AB\x04C\x7f", aim=None, symbology="", device="s")]
    assert rig.look() == ["raw:AB␄C"]
    assert rig.driver.heard[0].code == "AB␄C"


def test_a_dropped_picture_is_read_shown_and_told_each_time(rig: Rig) -> None:
    rig.scene.fault = CameraError("missing", "No camera is connected.")
    rig.decoder.codes = [code(SSCC)]
    for _ in range(2):
        rig.viewfinder.drop(jpeg(coded(SSCC, "Code128")))
        rig.look()
    assert len(rig.driver.heard) == 2
    newest = rig.viewfinder.latest()
    assert newest is not None
    assert len(newest.marks) == 1


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
