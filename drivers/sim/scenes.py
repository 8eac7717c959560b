"""What a simulated camera sees: a parcel with its label, and a doorstep with the parcel left on it. Drawn: no picture need be kept."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFilter

SIZE = (1_280, 960)
MODULE_PX = 3  # of the label's bars: what a camera sees of a label at arm's length
CARDBOARD, LABEL, INK = (168, 132, 92), (247, 246, 242), (18, 18, 20)
BRACKETED = re.compile(r"\(\d{2,4}\)")
LABEL_ROOM_PX = 40


def parcel(codes: Sequence[str], *, symbology: str = "Code128", turn_deg: float = 2.0, lines: Sequence[str] = ()) -> Image.Image:
    """A parcel seen from above with one label a code. "(00)..." becomes GS1-128, other texts plain codes of that symbology."""
    scene = _textured(CARDBOARD, seed="".join(codes))
    labels = [label(code, symbology=symbology, lines=lines) for code in codes]
    top = (SIZE[1] - sum(made.height + 24 for made in labels)) // 2
    for made in labels:
        turned = made.convert("RGBA").rotate(turn_deg, expand=True, resample=Image.Resampling.BICUBIC)
        scene.paste(turned, ((SIZE[0] - turned.width) // 2, top), turned)
        top += turned.height + 24
    return scene


def label(code: str, *, symbology: str = "Code128", lines: Sequence[str] = ()) -> Image.Image:
    """A white label with lines of text, the code, and the code in words."""
    import zxingcpp  # by the hands alone: a simulated camera in the daemon does without

    gs1 = {"gs1": True} if BRACKETED.match(code) else {}
    made = zxingcpp.create_barcode(code, getattr(zxingcpp.BarcodeFormat, symbology), **gs1)
    drawn = Image.fromarray(made.to_image(scale=MODULE_PX))
    bars = drawn.resize((drawn.width, max(drawn.height, 120))) if drawn.width > 2 * drawn.height else drawn
    text_px = 22 * len(lines)
    paper = Image.new("RGB", (bars.width + LABEL_ROOM_PX, bars.height + text_px + 60), LABEL)
    draw = ImageDraw.Draw(paper)
    for row, line in enumerate(lines):
        draw.text((20, 12 + 22 * row), line, fill=INK, font_size=20)
    paper.paste(bars.convert("RGB"), (20, 16 + text_px))
    draw.text((20, 22 + text_px + bars.height), code.replace("\x1d", " "), fill=INK, font_size=18)
    draw.rectangle((2, 2, paper.width - 3, paper.height - 3), outline=INK)
    return paper


def doorstep(number: str = "12") -> Image.Image:
    """A door with its number, a mat, and a parcel on the mat."""
    scene = _textured((176, 160, 142), seed=number)
    draw = ImageDraw.Draw(scene)
    for row in range(12):  # bricks
        for column in range(15):
            left, top = column * 92 - (row % 2) * 46, row * 56
            draw.rectangle((left, top, left + 86, top + 50), fill=(150 + (row * column) % 24, 84, 66))
    draw.rectangle((430, 60, 850, 720), fill=(38, 62, 84), outline=(228, 226, 220), width=14)
    for left in (480, 660):
        draw.rectangle((left, 120, left + 140, 380), outline=(20, 36, 52), width=6)
    draw.ellipse((800, 400, 826, 426), fill=(208, 180, 90))
    draw.text((600, 78), number, fill=(244, 240, 226), font_size=40)
    draw.polygon(((300, 740), (980, 740), (1_120, 940), (160, 940)), fill=(74, 66, 58))
    for row in range(748, 936, 12):
        draw.line((300 - (row - 740) * 7 // 10, row, 980 + (row - 740) * 7 // 10, row), fill=(92, 84, 74), width=3)
    draw.rectangle((450, 640, 830, 860), fill=CARDBOARD, outline=(90, 68, 44), width=4)
    draw.rectangle((450, 736, 830, 752), fill=(196, 170, 126))
    draw.rectangle((490, 660, 790, 800), fill=LABEL, outline=INK)  # its code is too far away to be read
    for row, line in enumerate(("To: H. Vogel", f"Hauptstrasse {number}", "48143 Muenster")):
        draw.text((506, 674 + 40 * row), line, fill=INK, font_size=30)
    return scene


def _textured(colour: tuple[int, int, int], seed: str) -> Image.Image:
    """A surface with the grain of cardboard or plaster, the same for the same seed."""
    noise = random.Random(seed)
    grain = Image.frombytes("L", (160, 120), noise.randbytes(160 * 120)).filter(ImageFilter.GaussianBlur(1)).resize(SIZE)
    surface = Image.new("RGB", SIZE, colour)
    return Image.blend(surface, Image.merge("RGB", [grain] * 3), 0.12)
