"""What is tried on a region that may be a code, the likeliest and cheapest first; one rung of every region before the next of any."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import msgspec
import numpy as np
from PIL import Image, ImageFilter, ImageOps

from drivers.barcode.engines import Engine, Reading, Wanted
from drivers.barcode.finder import LOG
from drivers.barcode.regions import Cut, Floats, Pixels, Region, Values, cut
from drivers.barcode.strips import Blur, agreement, bars_seen, drawn, lines, sharpened

RIM_PX = 16.0  # around a matrix code, whose blocks end before it does
LEAST_BARS = (
    30  # changes between dark and light: the shortest code has 40, straps and edges 10; of 91 codes that were read none had under 42
)
MODULES_A_BAR = 1.8  # of Code 128, light ones counted
LEAST_AGREEMENT = 0.3  # of the same 91 codes none had under 0.5
MIDDLE_PX = 60
MOST_GREY = 0.32  # of the pixels between a third and two thirds of the way: 19 in 20 codes less, every second piece of cardboard more
RIM = 16  # of a cut, by which it is widened before its spectrum is made
REFOCUS_PX, REFOCUS_NOISE = 2.7, 0.02
FLAT_PX = 24  # of a cut, around a pixel: a few modules
LATER_PLACES = 2.0  # by so much of its price a rung waits for each likelier region
USUAL_PX = 90_000  # of the whole picture: the region of a matrix code at a good distance, to which the prices apply
LARGE_PX = 100_000  # more than a matrix code takes up that fits into the picture with its label
LEAST_PART = 0.3


class Climber:
    """One region on its way up, with what its rungs have in common."""

    def __init__(self, image: Image.Image, region: Region) -> None:
        self.image = image
        self.region = region

    @cached_property
    def lines(self) -> Values:
        """The bars of a linear code."""
        return lines(self.image, self.region)

    @cached_property
    def may_be_code(self) -> bool:
        """Whether it is worth all rungs: straps and edges have few bars, cardboard is grey."""
        if self.region.linear:
            return bars_seen(self.lines) >= LEAST_BARS and agreement(self.lines) >= LEAST_AGREEMENT
        return self._is_black_and_white()

    @property
    def module_px(self) -> float:
        """About how wide the narrowest bar of a linear code is, in pixels of the whole picture."""
        return 2 * self.region.half_along_px / (bars_seen(self.lines) + 1) / MODULES_A_BAR

    def is_worth(self, rung: Rung) -> bool:
        """Whether this rung is: a place of a label's size is looked at once for certain."""
        return (rung is MATRIX[0] and self._area_px < LARGE_PX) or self.may_be_code

    def _is_black_and_white(self) -> bool:
        """Whether few of its pixels lie half way: noise and cardboard have most of theirs there."""
        x, y = self.region.centre
        box = (max(0, int(x) - MIDDLE_PX), max(0, int(y) - MIDDLE_PX), int(x) + MIDDLE_PX, int(y) + MIDDLE_PX)
        middle = _halved(LOG[np.asarray(self.image.crop(box))])
        dark, light = np.percentile(middle, (10, 90))
        grey = np.abs(middle - (dark + light) / 2) < (light - dark) / 6
        return bool(grey.mean() < MOST_GREY)

    @property
    def _area_px(self) -> float:
        return 4 * self.region.half_along_px * self.region.half_down_px

    def price_ms(self, rung: Rung) -> float:
        """What a rung costs here: pictures by their size."""
        if not rung.by_size:
            return rung.price_ms
        return rung.price_ms * max(LEAST_PART, self._area_px / USUAL_PX)

    def cut(self, scale: float) -> Cut:
        """The region as a picture."""
        return cut(self.image, self.region, scale=scale, rim_px=RIM_PX)


class Rung(msgspec.Struct, frozen=True):
    """One way to look at a region.

    `sharpens`: what it shows was not in the picture, and a value without protection wants a second witness. `by_all`: worth the time of
    the second engine, too.
    """

    name: str
    price_ms: float  # of a processor like the bench's: only for the order
    climb: Callable[[Climber, Engine], Iterator[Reading]]
    sharpens: bool = False
    by_all: bool = False
    by_size: bool = False


def line_rung(price_ms: float, blur: Blur | None = None, *, inverted: bool = False, by_all: bool = False) -> Rung:
    """The bars averaged, and sharpened by a blur."""

    def climb(climber: Climber, engine: Engine) -> Iterator[Reading]:
        told = sharpened(climber.lines, blur) if blur else climber.lines
        for reading in engine.read(drawn(told, inverted=inverted), Wanted.LINEAR, fast=True):
            yield msgspec.structs.replace(reading, corners=climber.region.corners)

    told = f"lines, {blur.kind} {blur.width:g}/{blur.noise:g}" if blur else "lines"
    return Rung(f"{told}, inverted" if inverted else told, price_ms, climb, sharpens=blur is not None, by_all=by_all)


def cut_rung(
    name: str, price_ms: float, scale: float, change: Callable[[Image.Image], Pixels], wanted: Wanted = Wanted.ALL, *, by_all: bool = False
) -> Rung:
    """The region as a picture, changed."""

    def climb(climber: Climber, engine: Engine) -> Iterator[Reading]:
        piece = climber.cut(scale)
        for reading in engine.read(change(piece.image), wanted):
            yield msgspec.structs.replace(reading, corners=piece.corners(reading.corners))

    return Rung(f"{name} x{scale:g}", price_ms, climb, by_all=by_all, by_size=True)


def plain(image: Image.Image) -> Pixels:
    """As it is."""
    return np.asarray(image)


def inverted(image: Image.Image) -> Pixels:
    """Light for dark: zxing-cpp does not try that with PDF417."""
    return 255 - np.asarray(image)


def calmed(image: Image.Image) -> Pixels:
    """Without the noise of a dark picture; for a doubled scale."""
    return np.asarray(image.filter(ImageFilter.GaussianBlur(2)))


def unsharp(image: Image.Image) -> Pixels:
    """With stronger edges, in full contrast."""
    return np.asarray(ImageOps.autocontrast(image.filter(ImageFilter.UnsharpMask(4, 250, 0)), cutoff=1))


def flattened(image: Image.Image) -> Pixels:
    """Each place in the full contrast of its surroundings."""
    around = image.filter(ImageFilter.BoxBlur(FLAT_PX))
    off = LOG[np.asarray(image)] - LOG[np.asarray(around)]
    size = Image.fromarray(_bytes(np.abs(off) * 2))
    usual = np.asarray(size.filter(ImageFilter.BoxBlur(FLAT_PX)), np.float32) / 2
    return _bytes(128 + off / (usual + 4) * 64)


def refocused(image: Image.Image) -> Pixels:
    """Before a blur of 1.8 pixels of the whole picture (Wiener's filter); for one and a half times the scale."""
    pixels = np.pad(np.asarray(image, np.float32), RIM, mode="edge")
    down, along = np.fft.fftfreq(pixels.shape[0])[:, None], np.fft.rfftfreq(pixels.shape[1])[None]
    kernel = np.exp(-2 * (np.pi * REFOCUS_PX) ** 2 * (down**2 + along**2))
    undone = np.fft.irfft2(np.fft.rfft2(pixels) * (kernel / (kernel**2 + REFOCUS_NOISE)), pixels.shape)[RIM:-RIM, RIM:-RIM]
    dark, light = np.percentile(undone, (2, 98))
    return _bytes((undone - dark) / (light - dark + 1e-6) * 255)


def _halved(picture: Values) -> Values:
    rows = picture[:-1] + picture[1:]
    return rows[:, :-1] + rows[:, 1:]


def _bytes(values: Floats) -> Pixels:
    pixels: Pixels = np.clip(values, 0, 255).astype(np.uint8)
    return pixels


# Blurs and their order by how many codes of made label frames each read that none before it did.
LINEAR = (
    line_rung(4, by_all=True),
    line_rung(1, inverted=True, by_all=True),
    line_rung(1, Blur("focus", 2.4, 0.01)),
    cut_rung("plain", 5, 1.5, plain),
    line_rung(1, Blur("focus", 3.6, 0.01)),
    line_rung(1, Blur("motion", 6, 0.01)),
    line_rung(1, Blur("focus", 2.4, 0.002)),
    line_rung(1, Blur("motion", 10, 0.01)),
    line_rung(1, Blur("focus", 4.8, 0.01)),
    line_rung(1, Blur("focus", 2.4, 0.01), inverted=True),
    line_rung(1, Blur("focus", 3.6, 0.002)),
    line_rung(1, Blur("motion", 14, 0.01)),
    cut_rung("inverted", 5, 1.5, inverted, Wanted.LINEAR),
)
MATRIX = (
    cut_rung("plain", 4, 1.0, plain),
    cut_rung("calmed", 10, 2.0, calmed, Wanted.MATRIX),
    cut_rung("refocused", 15, 1.5, refocused, Wanted.MATRIX),
    cut_rung("plain", 10, 2.0, plain),
    cut_rung("unsharp", 15, 2.0, unsharp, Wanted.MATRIX),
    cut_rung("inverted", 5, 1.0, inverted, Wanted.MATRIX),
    cut_rung("flattened", 10, 1.5, flattened, Wanted.MATRIX),
)


def rungs(climbers: Sequence[Climber]) -> list[tuple[Climber, Rung]]:
    """All rungs of all regions in the order in which they are tried."""
    steps = []
    for place, climber in enumerate(climbers):
        spent_ms = 0.0
        for rung in LINEAR if climber.region.linear else MATRIX:
            spent_ms += climber.price_ms(rung)
            steps.append((spent_ms * (1 + LATER_PLACES * place), place, climber, rung))
    return [(climber, rung) for _, _, climber, rung in sorted(steps, key=lambda step: step[:2])]
