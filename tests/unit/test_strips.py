"""Bars averaged along their length, and a blur undone."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from drivers.barcode.engines import Wanted, Zxing
from drivers.barcode.finder import locate
from drivers.barcode.regions import Region, Values
from drivers.barcode.strips import Blur, agreement, bars_seen, drawn, lines, sharpened
from tests.pictures import coded

TEXT = "TBA123456789012"


def noisy(picture: Image.Image, noise: float, seed: int = 1) -> Image.Image:
    pixels = np.asarray(picture, float) + np.random.default_rng(seed).normal(0, noise, (picture.height, picture.width))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def code(turn_deg: float = 0.0, blur: float = 0.0, noise: float = 2.0) -> Image.Image:
    paper = Image.new("L", (900, 900), 200)
    drawn_code = coded(TEXT, "Code128", 3).convert("LA").rotate(turn_deg, expand=True, resample=Image.Resampling.BICUBIC)
    paper.paste(drawn_code.getchannel(0), (150, 120), drawn_code.getchannel(1))
    return noisy(paper.filter(ImageFilter.GaussianBlur(blur)), noise)


def told(picture: Image.Image, blur: Blur | None = None) -> list[str]:
    of = first(picture)
    seen = drawn(sharpened(of, blur) if blur else of)
    return [reading.text for reading in Zxing().read(seen, Wanted.LINEAR, fast=True)]


def first(picture: Image.Image) -> Values:
    return lines(picture, next(region for region in locate(np.asarray(picture)) if region.linear))


@pytest.mark.parametrize("turn_deg", [0, 7, 31, 88])
def test_averaged_bars_are_read_at_any_angle(turn_deg: float) -> None:
    assert told(code(turn_deg)) == [TEXT]


def test_noise_that_no_decoder_reads_through_is_averaged_away() -> None:
    picture = noisy(Image.eval(code(), lambda value: value // 4), 16)
    assert list(Zxing().read(np.asarray(picture))) == []
    assert told(picture) == [TEXT]


def test_a_blur_that_no_decoder_reads_through_is_undone() -> None:
    picture = code(blur=2.3, noise=1.0)
    assert list(Zxing().read(np.asarray(picture))) == []
    assert told(picture) == []
    assert TEXT in told(picture, Blur("focus", 4.8, 0.01)) + told(picture, Blur("focus", 3.6, 0.002)) + told(
        picture, Blur("focus", 3.6, 0.01)
    )


def test_sharpening_puts_back_what_the_blur_took() -> None:
    bars = np.repeat(np.random.default_rng(4).integers(0, 2, 60), 8)[None].astype(np.float32) * 200
    frequencies = np.fft.rfftfreq(bars.shape[1])
    blurred = np.fft.irfft(np.fft.rfft(bars) * np.exp(-2 * (np.pi * frequencies * 3) ** 2), bars.shape[1]).astype(np.float32)
    mended = sharpened(blurred, Blur("focus", 3, 0.001))
    inner = slice(40, -40)
    assert np.abs(mended - bars)[:, inner].mean() < 0.75 * np.abs(blurred - bars)[:, inner].mean()


def test_bars_are_many_and_agree_in_a_code_and_not_in_an_edge_or_in_noise() -> None:
    bars = first(code())
    assert bars_seen(bars) >= 60
    assert agreement(bars) > 0.9
    edge = np.repeat(np.array([[20.0, 220.0]], np.float32), 200, axis=1).repeat(5, axis=0)
    assert bars_seen(edge) <= 2
    noise = np.random.default_rng(5).normal(100, 20, (5, 600)).astype(np.float32)
    assert bars_seen(noise) > 60
    assert abs(agreement(noise)) < 0.2


def test_a_picture_of_lines_is_black_and_white_along_all_of_its_length() -> None:
    bars = np.tile(np.repeat(np.array([30.0, 90.0], np.float32), 6), 40)[None] * np.linspace(1, 0.3, 480, dtype=np.float32)
    seen = drawn(bars)
    for part in (seen[:, 60:160], seen[:, 320:420]):
        assert part.min() < 40
        assert part.max() > 200
    assert np.array_equal(drawn(bars, inverted=True) > 127, seen < 128)


def test_a_region_of_a_few_pixels_is_lines_all_the_same() -> None:
    places = (np.array([50, 66], np.float32), np.array([50, 50], np.float32))
    region = Region(linear=True, strength=1.0, places=places)
    region.straighten(0.0)
    assert lines(code(), region).ndim == 2
