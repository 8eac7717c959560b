"""Where a code may be, how it lies, and the cut that stands it upright."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image, ImageDraw

from drivers.barcode.finder import locate
from drivers.barcode.regions import Pixels, Region, cut
from drivers.sim import scenes
from tests.pictures import coded

SIZE = (1_280, 960)


def rough(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Noise all over, and no code."""
    noise = np.random.default_rng(seed).normal(120, 12, size[::-1])
    return Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))


def scene(code: Image.Image, at: tuple[int, int] = (500, 400), turn_deg: float = 0.0, size: tuple[int, int] = SIZE) -> Pixels:
    paper = rough(1, size)
    turned = code.convert("LA").rotate(turn_deg, expand=True, resample=Image.Resampling.BICUBIC)
    paper.paste(turned.getchannel(0), (at[0] - turned.width // 2, at[1] - turned.height // 2), turned.getchannel(1))
    return np.asarray(paper)


@pytest.mark.parametrize("turn_deg", [0, 12, 45, 90, 133, 180, 260])
def test_a_turned_linear_code_is_found_where_it_lies_and_as_it_lies(turn_deg: float) -> None:
    region = locate(scene(coded("TBA123456789012", "Code128"), turn_deg=turn_deg))[0]
    assert region.linear
    assert region.may_be_code
    assert math.dist(region.centre, (500, 400)) < 25
    apart_deg = (math.degrees(region.turn) + turn_deg) % 180  # a picture's y points down
    assert min(apart_deg, 180 - apart_deg) < 2


@pytest.mark.parametrize("turn_deg", [0, 20, 45])
def test_a_turned_matrix_code_is_found_and_its_cut_is_upright(turn_deg: float) -> None:
    luma = scene(coded("PKG0123|R1|12345", "DataMatrix", 6), turn_deg=turn_deg)
    region = locate(luma)[0]
    assert not region.linear
    assert region.may_be_code
    assert region.holds(500, 400)
    pixels = cut(Image.fromarray(luma), region, scale=1).pixels.astype(float)
    across, down = np.abs(np.diff(pixels, axis=1)), np.abs(np.diff(pixels, axis=0))
    assert np.sort(across.mean(0))[-20:].mean() > 2 * across.mean()  # edges lie on one another: columns of them
    assert np.sort(down.mean(1))[-20:].mean() > 2 * down.mean()


def test_a_code_in_deep_shadow_is_found() -> None:
    luma = scene(coded("TBA123456789012", "Code128")).copy()
    luma[:, :640] //= 8
    assert any(region.linear and math.dist(region.centre, (500, 400)) < 60 for region in locate(luma)[:3])


def test_straps_are_told_from_codes_by_their_width() -> None:
    paper = Image.new("L", SIZE, 120)
    ImageDraw.Draw(paper).line((0, 300, 1_280, 300), fill=30, width=20)
    straps = [region for region in locate(np.asarray(paper)) if region.linear]
    assert straps
    assert not any(region.may_be_code for region in straps)


def test_noise_holds_nothing_worth_a_look() -> None:
    assert not [region for region in locate(np.asarray(rough(3))) if region.may_be_code]


@pytest.mark.parametrize("size", [(320, 240), (640, 480), (1_600, 1_200), (4_000, 3_000)])
def test_a_code_is_found_in_small_and_in_large_pictures(size: tuple[int, int]) -> None:
    code = coded("4006381333931", "EAN13")
    code = code.resize((size[0] // 2, size[0] // 2 * code.height // code.width))
    region = locate(scene(code, (size[0] // 2, size[1] // 2), 10, size))[0]
    assert region.linear
    assert math.dist(region.centre, (size[0] / 2, size[1] / 2)) < size[0] / 20
    assert 0.6 * size[0] / 2 < 2 * region.half_along_px < 1.2 * size[0] / 2


def test_a_code_that_fills_the_picture_is_one_region() -> None:
    code = coded("4006381333931", "EAN13", 4).crop((84, 50, 464, 250)).resize((640, 480))
    assert any(region.linear and 2 * region.half_along_px > 560 for region in locate(np.asarray(code)))


@pytest.mark.parametrize("size", [(8, 8), (15, 2_000), (17, 17), (33, 640)])
def test_a_picture_too_small_for_a_block_has_no_places(size: tuple[int, int]) -> None:
    assert locate(np.asarray(rough(1, size)))[1:] == []


def test_places_of_a_cut_are_places_of_the_picture() -> None:
    places = (np.array([300, 500], np.float32), np.array([200, 260], np.float32))
    region = Region(linear=True, strength=1.0, places=places)
    region.straighten(math.radians(30))
    piece = cut(Image.new("L", SIZE), region, scale=2, quiet_px=0, rim_px=0)
    width, height = piece.image.size
    told = piece.corners(((0, 0), (width, 0), (width, height), (0, height)))
    for one, other in zip(told, region.corners, strict=True):
        assert math.dist(one, other) < 2


def test_beyond_the_picture_a_cut_is_as_light_as_its_paper() -> None:
    luma = scene(coded("TBA123456789012", "Code128"), at=(150, 60))
    region = locate(luma)[0]
    assert region.light > 200
    pixels = cut(Image.fromarray(luma), region, scale=1, quiet_px=200).pixels
    assert pixels[len(pixels) // 2, 0] == region.light


def test_a_doorstep_has_few_places_worth_a_look() -> None:
    luma = np.asarray(scenes.doorstep("3").convert("L"))
    assert len([region for region in locate(luma) if region.may_be_code]) <= 5
