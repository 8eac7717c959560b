"""What is read from a picture, and the words between the terminal and the process that reads."""

from __future__ import annotations

from typing import Literal

import msgspec

Point = tuple[int, int]
Engines = Literal["both", "pyzbar", "zxing"]
Stage = Literal["cheap", "region", "still"]  # a look at all of the picture, at a place in it, or at both without a limit of time


class Barcode(msgspec.Struct, frozen=True):
    """One code of a picture, as it passed the policy."""

    text: str  # GS is 0x1D; an AIM prefix is never in it
    symbology: str  # CODE128 CODE39 EAN13 ITF QRCODE DATAMATRIX PDF417 AZTEC; a UPC-A is the EAN13 with a zero in front
    aim: str | None  # ISO/IEC 15424, "]C1" for GS1-128; None where the engine does not tell
    corners: tuple[Point, ...]  # four, in pixels of the picture, clockwise from the code's own top left where the engine knows that
    engine: str  # pyzbar or zxing
    stage: Stage
    ms: float  # of processor time until it was found, from the beginning of the picture
    raw: bytes


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The picture is in the shared memory: `size` bytes of it, luma without padding, or a picture file where `width` is 0."""

    size: int
    width: int
    height: int
    budget_ms: float | None  # of processor time; None: whatever can be tried
    engines: Engines = "both"
    limit_s: int  # the child ends itself after so long, should nobody be left to do it


class Answer(msgspec.Struct, frozen=True):
    """What the child says: first, once, that it is ready; then one for each request."""

    barcodes: tuple[Barcode, ...] = ()
    module_px: float | None = None  # of the largest linear code that a frame shows and that was not read
    refusal: str | None = None  # the picture file cannot be used: one sentence
    missing: str | None = None  # the child cannot work at all: one sentence
