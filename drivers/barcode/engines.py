"""pyzbar and zxing-cpp behind one signature; the only door to both. Runs in the child process alone.

pyzbar's own `decode` is not used: it raises on an orientation that it does not know, and every code of that picture is lost
(pyzbar issue 139); it also re-guesses the bytes of a QR code and drops what tells GS1-128 from Code 128. Its C functions do all that.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Protocol

import msgspec
import numpy as np

from drivers.barcode.barcode import Point
from drivers.barcode.regions import Pixels

CFG_BINARY = 4  # zbar.h: the bytes of a QR code as they are
MOD_GS1 = 1  # bit of zbar_symbol_get_modifiers: FNC1 in the first place
GREY = int.from_bytes(b"Y800", "little")
SYMBOLOGIES = {13: "EAN13", 12: "UPCA", 25: "ITF", 39: "CODE39", 64: "QRCODE", 128: "CODE128"}  # zbar's numbers; never all: DataBar aborts
AIMS = {"EAN13": "]E0", "UPCA": "]E0", "CODE39": "]A0", "CODE128": "]C0", "ITF": "]I0", "QRCODE": "]Q1"}
GS1_AIMS = {"CODE128": "]C1", "QRCODE": "]Q3"}


class Wanted(StrEnum):
    """Which kinds of code are looked for."""

    ALL = "all"
    LINEAR = "linear"
    MATRIX = "matrix"


LINEAR, MATRIX = ("Code128", "EAN13", "UPCA", "Code39", "ITF"), ("QRCode", "DataMatrix", "PDF417", "Aztec")
FORMATS = {Wanted.ALL: LINEAR + MATRIX, Wanted.LINEAR: LINEAR, Wanted.MATRIX: MATRIX}


class Reading(msgspec.Struct, frozen=True):
    """A code as the engine says it, believed or not."""

    text: str
    symbology: str
    aim: str | None
    corners: tuple[Point, ...]
    raw: bytes
    lines: int  # of the picture that said so: of a linear code, one is no proof


class Engine(Protocol):
    """A decoder of pictures."""

    name: str

    def read(self, picture: Pixels, wanted: Wanted = Wanted.ALL, *, fast: bool = False) -> Iterator[Reading]:
        """Every code it finds in a picture of luma."""


class Zbar:
    """libzbar through pyzbar's bindings, with one scanner for all pictures. Raises ImportError where the library is missing."""

    name = "pyzbar"

    def __init__(self) -> None:
        from pyzbar import wrapper

        self._lib: Any = wrapper
        self._modifiers: Any = wrapper.zbar_function("zbar_symbol_get_modifiers", ctypes.c_uint, ctypes.POINTER(wrapper.zbar_symbol))
        self._scanner: Any = wrapper.zbar_image_scanner_create()
        configure = wrapper.zbar_image_scanner_set_config
        configure(self._scanner, 0, wrapper.ZBarConfig.CFG_ENABLE, 0)  # 0: all of them
        for number in SYMBOLOGIES:
            configure(self._scanner, number, wrapper.ZBarConfig.CFG_ENABLE, 1)
        configure(self._scanner, wrapper.ZBarSymbol.QRCODE, CFG_BINARY, 1)

    def read(self, picture: Pixels, wanted: Wanted = Wanted.ALL, *, fast: bool = False) -> Iterator[Reading]:  # noqa: ARG002  always alike
        """Every code that zbar finds in a picture of luma. It has one way of looking, and can look for nothing less."""
        lib = self._lib
        pixels = np.ascontiguousarray(picture)
        height, width = pixels.shape
        image = lib.zbar_image_create()
        try:
            lib.zbar_image_set_format(image, GREY)
            lib.zbar_image_set_size(image, width, height)
            lib.zbar_image_set_data(image, pixels.ctypes.data, pixels.size, None)
            lib.zbar_scan_image(self._scanner, image)
            symbol = lib.zbar_image_first_symbol(image)
            while symbol:
                reading = self._reading(symbol)
                if reading is not None:
                    yield reading
                symbol = lib.zbar_symbol_next(symbol)
        finally:
            lib.zbar_image_destroy(image)

    def _reading(self, symbol: Any) -> Reading | None:
        lib = self._lib
        symbology = SYMBOLOGIES.get(symbol.contents.type)
        if symbology is None:  # also what is left of a message in several QR codes when one of them is missing: zbar cuts such texts short
            return None
        raw = ctypes.string_at(lib.zbar_symbol_get_data(symbol), lib.zbar_symbol_get_data_length(symbol))
        is_gs1 = bool(self._modifiers(symbol) & MOD_GS1)
        places = range(lib.zbar_symbol_get_loc_size(symbol))
        points = [(lib.zbar_symbol_get_loc_x(symbol, place), lib.zbar_symbol_get_loc_y(symbol, place)) for place in places]
        return Reading(
            text=_text(raw),
            symbology=symbology,
            aim=GS1_AIMS.get(symbology) if is_gs1 else AIMS[symbology],
            corners=_corners(points),
            raw=raw,
            lines=lib.zbar_symbol_get_quality(symbol),
        )


class Zxing:
    """zxing-cpp 3.1 or newer: reads what zbar cannot (DataMatrix, PDF417, Aztec), and much that it does not."""

    name = "zxing"

    def __init__(self) -> None:
        import zxingcpp

        self._lib: Any = zxingcpp
        self._formats = {wanted: zxingcpp.barcode_formats_from_str("|".join(names)) for wanted, names in FORMATS.items()}

    def read(self, picture: Pixels, wanted: Wanted = Wanted.ALL, *, fast: bool = False) -> Iterator[Reading]:
        """Every code that zxing-cpp finds in a picture of luma; fast: upright ones alone, at a third of the time."""
        lib = self._lib
        found = lib.read_barcodes(
            np.ascontiguousarray(picture),
            formats=self._formats[wanted],
            text_mode=lib.TextMode.Plain,
            try_rotate=not fast,
            try_downscale=not fast,
            try_invert=not fast,
        )
        for code in found:
            place = code.position
            corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
            yield Reading(
                text=code.text,
                symbology=_zxing_name(code.format.name),
                aim=code.symbology_identifier or None,
                corners=tuple((int(corner.x), int(corner.y)) for corner in corners),
                raw=bytes(code.bytes),
                lines=min(_apart(place.top_left, place.bottom_left), _apart(place.top_right, place.bottom_right)),
            )


def _apart(one: Any, other: Any) -> int:
    return round(math.hypot(one.x - other.x, one.y - other.y))


def _zxing_name(name: str) -> str:
    """zxing-cpp names kinds of a symbology (QRCodeModel2, Code39Std, ITF14): ours are the families."""
    upper = name.upper()
    return next((family.upper() for family in FORMATS[Wanted.ALL] if upper.startswith(family.upper())), upper)


def _text(raw: bytes) -> str:
    """UTF-8 where it is that, else Latin-1, which is what the standards say and never fails."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _corners(points: list[Point]) -> tuple[Point, ...]:
    """A QR code has its four; the many points of a linear code are put into a box."""
    if len(points) == 4 or not points:  # noqa: PLR2004
        return tuple(points)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return ((min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys)))
