"""Pictures for tests: labels that decode, and files that nobody should have to open."""

from __future__ import annotations

import io
import struct
import zlib

import zxingcpp
from PIL import Image

from drivers.sim import scenes

SSCC_LABEL = "(00)340123450000000017"


def coded(text: str, symbology: str, scale: int = 3, *, gs1: bool = False) -> Image.Image:
    """One code with its quiet zone on white."""
    options = {"gs1": True} if gs1 else {}
    drawn = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, symbology), **options).to_image(scale=scale)
    code = Image.fromarray(drawn)
    paper = Image.new("L", (code.width + 80, code.height + 80), 255)
    paper.paste(code, (40, 40))
    return paper


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def parcel() -> Image.Image:
    return scenes.parcel([SSCC_LABEL], lines=("To: H. Vogel", "Hauptstrasse 12"))


def huge_png(width: int, height: int) -> bytes:
    """A few hundred bytes that say they are so large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(width))) + chunk(b"IEND", b"")
