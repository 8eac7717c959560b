"""A linear code as a few lines: its bars averaged along their length, and sharpened where camera or hand have blurred them.

A bar is fifty rows high: their mean has a seventh of the noise, so that a blur can be undone which no decoder undoes in a picture.
"""

from __future__ import annotations

import itertools
import math
from typing import Literal

import msgspec
import numpy as np
from PIL import Image

from drivers.barcode.finder import slant
from drivers.barcode.regions import Floats, Pixels, Region, Values, cut

MOST_ROWS = 128  # of the picture that are averaged: more take time and bend
STRIPS = 4  # beside the mean of all: where a scratch or a glare hides one, another is whole
SCALE = 2.0  # samples a pixel of the picture
MOST_SAMPLES = 1_200  # four a module of the longest code: of a large picture more would be blur
RIM = 0.15  # of the region's height, above and below: text, and the ends of bars that lean
WINDOW = 60  # samples on both sides whose darkest and lightest count as black and white: a quiet zone and three characters
ROWS = 6  # of the picture a line becomes: the engines want a few that agree
PAD = 32
LEAN_LEAST, LEAN_MOST = 0.004, 0.2  # radians: less makes no difference, more is no slant of a linear code


class Blur(msgspec.Struct, frozen=True):
    """A blur to undo. `width` in samples: the deviation of a camera out of focus, or the length of a moving hand's path."""

    kind: Literal["focus", "motion"]
    width: float
    noise: float  # power against that of the bars: the less, the sharper, and the noisier


def lines(image: Image.Image, region: Region) -> Values:
    """Brightness along the code, a row for each strip and one for all of it. Straightens the region by what it still leans."""
    rows = min(1.0, MOST_ROWS / (2 * region.half_down_px))
    level = cut(image, region, scale=1.0, scale_down=rows, rim_px=0).pixels
    lean = math.atan(rows * math.tan(slant(_middle(level, 0.2))))  # of rows that were pressed together
    if LEAN_LEAST < abs(lean) < LEAN_MOST:
        region.straighten(lean)
    bars = _middle(
        cut(image, region, scale=min(SCALE, MOST_SAMPLES / (2 * region.half_along_px)), scale_down=rows, rim_px=0).pixels, RIM
    ).astype(np.float32)
    ends = np.linspace(0, len(bars), STRIPS + 1).astype(int)
    parts = [bars[first:last].mean(0) for first, last in itertools.pairwise(ends) if last > first]
    return np.stack([*parts, bars.mean(0)])


def sharpened(of: Values, blur: Blur) -> Values:
    """The lines before they were blurred so (Wiener's filter)."""
    width = of.shape[1]
    length = 1 << (width + 2 * PAD - 1).bit_length()
    padded = np.pad(of, ((0, 0), (PAD, length - width - PAD)), mode="edge")
    kernel = _kernel(np.fft.rfftfreq(length), blur)
    undone = np.fft.irfft(np.fft.rfft(padded, axis=1) * (kernel / (kernel * kernel + blur.noise)), length, axis=1)
    return undone[:, PAD : PAD + width].astype(np.float32)


def drawn(of: Values, *, inverted: bool = False) -> Pixels:
    """The lines as a picture for a decoder, each in full contrast along all of its length."""
    even = np.stack([_even(line) for line in of])
    if inverted:
        even = 1 - even
    return np.repeat(np.clip(even * 255, 0, 255).astype(np.uint8), ROWS, axis=0)


def bars_seen(of: Values) -> int:
    """How often the mean of all strips goes over from light to dark and back: few in a strap or an edge."""
    even = _even(of[-1])
    above = even > 0.5  # noqa: PLR2004  half way between black and white
    return int(np.count_nonzero(above[1:] != above[:-1]))


def agreement(of: Values) -> float:
    """How alike neighbouring strips are, -1 to 1: bars run through all of them, roughness does not."""
    even = np.stack([_even(line) for line in of[:-1]]) - 0.5  # half way between black and white
    apart = even - even.mean(1, keepdims=True)
    size = np.linalg.norm(apart, axis=1) + 1e-6
    return float(((apart[1:] * apart[:-1]).sum(1) / (size[1:] * size[:-1])).mean()) if len(even) > 1 else 1.0


def _middle(pixels: Pixels, rim: float) -> Pixels:
    height = len(pixels)
    first = int(height * rim)
    return pixels[first : max(first + 2, height - first)]


def _kernel(frequencies: Floats, blur: Blur) -> Floats:
    if blur.kind == "focus":
        return _bell(frequencies * blur.width)
    path: Floats = np.sinc(frequencies * blur.width) * _bell(frequencies)
    return path


def _bell(frequencies: Floats) -> Floats:
    """The spectrum of a Gaussian whose deviation is one sample."""
    bell: Floats = np.exp(-2 * (math.pi * frequencies) ** 2)
    return bell


def _even(line: Values) -> Values:
    """0 at the darkest and 1 at the lightest nearby."""
    padded = np.pad(line, WINDOW, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * WINDOW + 1)
    dark, light = _smooth(windows.min(1)), _smooth(windows.max(1))
    even: Values = (line - dark) / np.maximum(light - dark, np.float32(1e-3))
    return even


def _smooth(line: Values) -> Values:
    total = np.cumsum(np.pad(line, (WINDOW + 1, WINDOW), mode="edge"), dtype=np.float64)
    return ((total[2 * WINDOW + 1 :] - total[: -2 * WINDOW - 1]) / (2 * WINDOW + 1)).astype(np.float32)
