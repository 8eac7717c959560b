"""Parcel labels, encoded by zint and photographed in numbers: what the bench of scanning reads. No decoder has a part in them.

A label lies on cardboard with straps, is turned, tilted, blurred, shaded and dimmed as its condition says, and gets a sensor's noise.
"""

from __future__ import annotations

import hashlib
import io
import math
import random
import shutil
import string
import subprocess
from collections.abc import Callable
from functools import cache

import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from cli.errors import UsageError
from drivers.gs1 import mod10_holds

Luma = npt.NDArray[np.uint8]
Light = npt.NDArray[np.float32]

SIZE = (1_280, 960)
MODULE_PX = 8  # of a drawn label, from which every frame is made smaller
FINER = 2  # by so much a frame is larger while it is tilted
INK, PAPER = 20, 250
LETTERS = "ABCDEFGHIKLMNOPRSTUVWZ0123456789"


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """How a label is photographed; lengths in pixels of the frame."""

    module_px: float = 3.0
    turn_deg: float = 0.0
    tilt: float = 0.0  # by this part one side of the label is smaller than the other
    blur_px: float = 0.5
    path_px: float = 0.0  # of a moving hand
    light: float = 1.0
    noise: float = 2.0
    shadow: float = 0.0  # of the light, that it takes away
    glare: float = 0.0
    is_inverted: bool = False


class Frame(msgspec.Struct, frozen=True):
    """A picture of luma and the text on it; the group separator is 0x1D."""

    luma: Luma
    text: str


CONDITIONS: dict[str, Callable[[random.Random], Condition]] = {
    "clean": lambda dice: Condition(turn_deg=dice.uniform(-5, 5)),
    "any rotation": lambda dice: Condition(turn_deg=dice.uniform(0, 360)),
    "tilted": lambda dice: Condition(turn_deg=dice.uniform(-20, 20), tilt=dice.uniform(0.15, 0.35)),
    "moved": lambda dice: Condition(turn_deg=dice.uniform(-10, 10), path_px=dice.uniform(3, 9)),
    "out of focus": lambda dice: Condition(turn_deg=dice.uniform(-5, 5), blur_px=dice.uniform(1.2, 3.0)),
    "low light": lambda dice: Condition(light=dice.uniform(0.06, 0.25), noise=dice.uniform(3, 7), blur_px=0.8, turn_deg=3.0),
    "glare": lambda dice: Condition(turn_deg=dice.uniform(-10, 10), glare=dice.uniform(0.7, 1.5)),
    "shadow": lambda dice: Condition(turn_deg=dice.uniform(-5, 5), shadow=dice.uniform(0.6, 0.93)),
    "small": lambda dice: Condition(turn_deg=dice.uniform(-5, 5), module_px=dice.uniform(1.1, 2.0), blur_px=0.4),
    "inverted": lambda dice: Condition(turn_deg=dice.uniform(-5, 5), is_inverted=True),
    "mixed": lambda dice: Condition(
        turn_deg=dice.choice((0, 0, 90, 180, 270)) + dice.gauss(0, 12), module_px=dice.uniform(1.6, 3.4), tilt=dice.uniform(0, 0.2),
        path_px=dice.expovariate(1 / 1.6), blur_px=dice.uniform(0.4, 1.4), light=dice.uniform(0.3, 1.1), noise=dice.uniform(1.5, 5),
        shadow=dice.choice((0, 0.2, 0.5)),
    ),
}  # fmt: skip


def _digits(dice: random.Random, count: int) -> str:
    return "".join(dice.choice("0123456789") for _ in range(count))


def _checked(digits: str) -> str:
    return next(digits + check for check in string.digits if mod10_holds(digits + check))


def _gs1(*fields: tuple[str, str]) -> tuple[str, str]:
    """As zint wants it, and as it is read: a GS after a field whose length is not laid down, unless it is the last."""
    told = "".join(f"{name}{value}\x1d" if name in {"420", "21"} else f"{name}{value}" for name, value in fields)
    return "".join(f"[{name}]{value}" for name, value in fields), told


def _same(text: str) -> tuple[str, str]:
    return text, text


def _checked_by_zint(digits: str) -> tuple[str, str]:
    return digits, _checked(digits)


# zint's words for each symbology, and what to say in it: for zint, and as it is read.
SYMBOLOGIES: dict[str, tuple[tuple[str, ...], Callable[[random.Random], tuple[str, str]]]] = {
    "SSCC": (("GS1_128", "--height=45"), lambda dice: _gs1(("00", _checked(_digits(dice, 17))))),
    "GS1-128": (("GS1_128", "--height=45"), lambda dice: _gs1(("420", _digits(dice, 5)), ("92", _digits(dice, 18)))),
    "Code 128": (("CODE128", "--height=45"), lambda dice: _same(f"TBA{_digits(dice, 12)}")),
    "EAN-13": (("EANX", "--height=45"), lambda dice: _same(_checked(f"40{_digits(dice, 10)}"))),
    "ITF-14": (("ITF14", "--height=40"), lambda dice: _checked_by_zint(f"1{_digits(dice, 12)}")),
    "Code 39": (("CODE39", "--height=45"), lambda dice: _same(f"PKG{_digits(dice, 8)}")),
    "QR": (("QRCODE", "--secure=2"), lambda dice: _same(f"https://t.example.com/p/{_digits(dice, 12)}")),
    "DataMatrix": (("DATAMATRIX", "--square"), lambda dice: _same(f"PKG{_digits(dice, 10)}|R{_digits(dice, 3)}")),
    "GS1 DataMatrix": (
        ("DATAMATRIX", "--square", "--gs1"),
        lambda dice: _gs1(("01", _checked(_digits(dice, 13))), ("21", _digits(dice, 10)), ("10", "L1")),
    ),
    "PDF417": (("PDF417", "--cols=5", "--secure=3"), lambda dice: _same(f"SHIP|{_digits(dice, 12)}|A SMITH|{_digits(dice, 4)} MAIN|1OF9")),
    "Aztec": (("AZTEC",), lambda dice: _same(f"M1{_digits(dice, 20)}")),
}  # fmt: skip


def frame(condition: str, symbology: str, seed: int) -> Frame:
    """A label of that symbology in that condition; the same one for the same seed. UsageError where there is no zint."""
    number = int(hashlib.sha256(f"{condition}/{symbology}/{seed}".encode()).hexdigest()[:12], 16)
    dice = random.Random(number)  # noqa: S311  pictures to be drawn anew
    return photographed(*label(symbology, dice), CONDITIONS[condition](dice), number)


def label(symbology: str, dice: random.Random) -> tuple[Image.Image, str]:
    """The label as it is printed, and the text of its code."""
    words, say = SYMBOLOGIES[symbology]
    told, text = say(dice)
    code = _encoded((*words, "-d", told))
    room = 10 * MODULE_PX
    paper = Image.new("L", (max(code.width + 2 * room, 110 * MODULE_PX), code.height + 6 * room), PAPER)
    draw = ImageDraw.Draw(paper)
    for row in (1.2, 2.4, (code.height / room) + 3.6, (code.height / room) + 4.7):
        line = " ".join("".join(dice.choice(LETTERS) for _ in range(dice.randint(2, 8))) for _ in range(3))
        draw.text((room, row * room), line, fill=INK, font_size=dice.randint(4, 7) * MODULE_PX)
    draw.rectangle((MODULE_PX, MODULE_PX, paper.width - MODULE_PX, paper.height - MODULE_PX), outline=INK, width=MODULE_PX // 2)
    paper.paste(Image.eval(code, lambda value: INK if value < PAPER // 2 else PAPER), ((paper.width - code.width) // 2, round(3.5 * room)))
    return paper, text


@cache
def _encoded(words: tuple[str, ...]) -> Image.Image:
    program = shutil.which("zint")
    if program is None:
        raise UsageError("the bench of scanning draws its labels with zint; install it with: sudo apt-get install zint")
    command = [program, "-b", *words, f"--scale={MODULE_PX / 2:g}", "--quietzones", "--notext", "--direct", "--filetype=PNG"]
    made = subprocess.run(command, capture_output=True, check=True)
    return Image.open(io.BytesIO(made.stdout)).convert("L")


def photographed(paper: Image.Image, text: str, how: Condition, seed: int) -> Frame:
    """The label before a camera."""
    chance = np.random.default_rng(seed)
    surface = Image.fromarray(cardboard(seed)).resize((SIZE[0] * FINER, SIZE[1] * FINER))
    if how.is_inverted:
        paper = Image.eval(paper, lambda value: 270 - value)
    scale = how.module_px * FINER / MODULE_PX
    small = paper.resize((round(paper.width * scale), round(paper.height * scale)), Image.Resampling.BOX if scale < 1 else None)
    tilted = _tilted(small.convert("LA"), how.tilt)
    turned = tilted.rotate(how.turn_deg, expand=True, resample=Image.Resampling.BICUBIC)
    place = [(side * FINER - own) // 2 + int(chance.integers(-60, 60)) for side, own in zip(SIZE, turned.size, strict=True)]
    surface.paste(turned.getchannel(0), (place[0], place[1]), turned.getchannel(1))
    return Frame(_exposed(np.asarray(surface.resize(SIZE, Image.Resampling.BOX), np.float32), how, chance), text)


def cardboard(seed: int, noise: float = 0.0) -> Luma:
    """A surface with straps and edges, and no code."""
    chance, (width, height) = np.random.default_rng(seed), SIZE
    rough = sum(_grain(chance, cell, depth) for cell, depth in ((8, 10), (64, 18)))
    scene = Image.fromarray(np.clip(rough + chance.uniform(70, 150), 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(scene)
    for _ in range(chance.integers(3, 9)):
        ends = [(int(chance.integers(0, width)), int(chance.integers(0, height))) for _ in range(2)]
        draw.line(ends, fill=int(chance.integers(30, 220)), width=int(chance.integers(1, 30)))
    light = np.asarray(scene.filter(ImageFilter.GaussianBlur(0.6)), np.float32) + chance.normal(0, noise, (height, width))
    return np.clip(light, 0, 255).astype(np.uint8)


def _grain(chance: np.random.Generator, cell_px: int, depth: float) -> Light:
    cells = chance.normal(0, depth, (SIZE[1] // cell_px + 1, SIZE[0] // cell_px + 1)).astype(np.float32)
    return np.asarray(Image.fromarray(cells).resize(SIZE, Image.Resampling.BICUBIC), np.float32)


def _tilted(paper: Image.Image, by: float) -> Image.Image:
    """With its right side farther away."""
    width, height = paper.size
    matrix = (1 - by, 0.0, 0.0, -by * height / (2 * width), 1.0, 0.0, -by / width, 0.0)
    return paper.transform(paper.size, Image.Transform.PERSPECTIVE, matrix, Image.Resampling.BICUBIC) if by else paper


def _exposed(light: Light, how: Condition, chance: np.random.Generator) -> Luma:
    """What the sensor makes of it."""
    light = light.copy()
    across, down = np.meshgrid(np.linspace(-1, 1, light.shape[1], dtype=np.float32), np.linspace(-1, 1, light.shape[0], dtype=np.float32))
    angle = float(chance.uniform(0, 2 * math.pi))
    if how.shadow:
        edge = across * math.cos(angle) + down * math.sin(angle) - float(chance.uniform(-0.2, 0.2))
        light *= (1 - how.shadow / (1 + np.exp(np.clip(-edge * float(chance.uniform(10, 80)), -50, 50)))).astype(np.float32)
    if how.glare:
        x, y = chance.uniform(-0.3, 0.3, 2).tolist()
        light += (255 * how.glare * np.exp(-(((across - x) / 0.15) ** 2 + ((down - y) / 0.09) ** 2) / 2)).astype(np.float32)
    blurred = np.clip(_blurred(light, how, angle), 0, 255) * how.light
    noise = chance.normal(0, 1, light.shape) * np.sqrt(how.noise**2 + 0.08 * np.clip(blurred, 0, None))
    luma: Luma = np.clip(blurred + noise, 0, 255).astype(np.uint8)
    return luma


def _blurred(light: Light, how: Condition, angle: float) -> Light:
    """Through a lens out of focus and a hand's path, both in the spectrum."""
    down, across = np.fft.fftfreq(light.shape[0])[:, None], np.fft.rfftfreq(light.shape[1])[None]
    lens = np.exp(-2 * (math.pi * how.blur_px) ** 2 * (down**2 + across**2))
    path = np.sinc((across * math.cos(angle) + down * math.sin(angle)) * how.path_px)
    return np.fft.irfft2(np.fft.rfft2(light) * lens * path, light.shape).astype(np.float32)
