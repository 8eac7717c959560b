"""What the driver is told while nothing is read, from pictures with one fault each."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops, ImageEnhance, ImageFilter

from drivers.camera import Frame
from firmware.terminal.hints import DARK_UNDER, KEPT_S, LOOK_EVERY_S, REFOCUS_EVERY_S, STUCK_S, UNREAD_S, Hint, Hints, glimpse
from tests.pictures import coded

SIZE = (1_280, 960)
MODULE_PX = 3.0


def label(left: int = 250) -> Image.Image:
    """A Code 128 on a parcel, in daylight."""
    paper = Image.new("L", SIZE, 120)
    drawn = coded("00340123450000000017", "Code128", 3).resize((780, 420))
    paper.paste(drawn, (left, 270))
    return Image.eval(paper, lambda luma: luma * 9 // 10)  # an exposure leaves room above white paper


def frame(picture: Image.Image) -> Frame:
    return Frame(luma=picture.tobytes(), width=picture.width, height=picture.height, stride=picture.width, n=1)


def said(*pictures: Image.Image, module_px: float | None = MODULE_PX) -> Hint | None:
    """After these pictures over and over, until something may be said."""
    hints, at_s = Hints(), 0.0
    while at_s < UNREAD_S + 0.3:
        for picture in pictures:
            if hints.due(at_s):
                hints.look(glimpse(frame(picture)), module_px, at_s)
            at_s += LOOK_EVERY_S
    return hints.hint(at_s)


def reflecting(picture: Image.Image) -> Image.Image:
    """With a lamp in its middle."""
    lamp = Image.new("L", SIZE, 0)
    lamp.paste(255, (480, 340, 860, 600))
    return ImageChops.lighter(picture, lamp.filter(ImageFilter.GaussianBlur(20)))


@pytest.mark.parametrize(
    ("picture", "hint"),
    [
        (label(), None),
        (Image.new("L", SIZE, 120), None),
        (ImageEnhance.Brightness(label()).enhance(0.2), "torch"),
        (Image.new("L", SIZE, 0), "torch"),
        (reflecting(label()), "glare"),
        (label().filter(ImageFilter.BoxBlur(9)), "still"),
    ],
)
def test_each_fault_has_its_word_and_a_good_picture_none(picture: Image.Image, hint: Hint | None) -> None:
    assert said(picture) == hint


def test_a_hand_that_moves_is_told_so_though_each_picture_is_sharp() -> None:
    assert said(label(50), label(450)) == "still"


def test_a_code_whose_bars_are_narrower_than_the_pixels_is_too_far_away() -> None:
    assert said(label(), module_px=0.9) == "closer"
    assert said(label(), module_px=None) is None


def test_nothing_is_said_at_once_and_what_is_said_can_be_read() -> None:
    hints = Hints()
    dark, good = (glimpse(frame(Image.new("L", SIZE, luma))) for luma in (DARK_UNDER - 1, DARK_UNDER + 1))
    assert hints.due(0.0)
    hints.look(dark, None, 0.0)
    assert hints.hint(0.1) is None
    hints.look(dark, None, UNREAD_S)
    assert hints.hint(UNREAD_S) == "torch"
    hints.look(good, None, UNREAD_S + KEPT_S / 2)
    assert hints.hint(UNREAD_S + KEPT_S / 2) == "torch"
    hints.look(good, None, UNREAD_S + KEPT_S)
    assert hints.hint(UNREAD_S + KEPT_S) is None


def test_what_was_read_ends_every_hint_for_a_while() -> None:
    hints, dark = Hints(), glimpse(frame(Image.new("L", SIZE, 0)))
    hints.due(0.0)
    hints.look(dark, None, UNREAD_S)
    hints.read(UNREAD_S)
    hints.look(dark, None, UNREAD_S + LOOK_EVERY_S)
    assert hints.hint(UNREAD_S + LOOK_EVERY_S) is None
    assert hints.hint(2 * UNREAD_S) == "torch"


def test_a_focus_that_stays_blurred_is_stuck_once_in_a_while() -> None:
    hints = Hints()
    blurred = glimpse(frame(label().filter(ImageFilter.GaussianBlur(8))))
    stuck = []
    for tenth in range(100):
        hints.look(blurred, None, tenth / 10)
        if hints.stuck(tenth / 10):
            stuck.append(tenth / 10)
    assert stuck == [STUCK_S, STUCK_S + REFOCUS_EVERY_S, STUCK_S + 2 * REFOCUS_EVERY_S]


def test_a_wall_is_not_blurred() -> None:
    hints, wall = Hints(), glimpse(frame(Image.new("L", SIZE, 120)))
    hints.look(wall, None, 0.0)
    hints.look(wall, None, 10.0)
    assert not hints.stuck(10.0)


def test_rows_with_padding_are_measured_without_it() -> None:
    picture = label()
    padded = Image.new("L", (SIZE[0] + 64, SIZE[1]), 255)
    padded.paste(picture)
    wide = Frame(luma=memoryview(padded.tobytes()), width=SIZE[0], height=SIZE[1], stride=padded.width, n=1)
    assert glimpse(wide).sharpness == glimpse(frame(picture)).sharpness
