"""What reading a barcode and taking a photo cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image

from cli.bench.figure import Told, p50
from cli.demo import day
from drivers.barcode import Decoder
from drivers.camera.photo import develop, view
from drivers.sim import scenes

FRAMES = 20
PHOTOS = 5
SENSOR = (4_608, 2_592)  # of the Raspberry Pi camera module 3
READY_S = 15.0

FIGURES = (
    Told("read a label", "ms", "a GS1-128 label in a frame of 1,280 x 960 to its text, through the reader's process"),
    Told("read a frame without a code", "ms", "a doorstep: nothing is found at a first and at a close look"),
    Told("photo", "ms", "a picture of 1,280 x 960 to a judged and stamped JPEG"),
    Told("photo, 12 megapixels", "ms", "the same from 4,608 x 2,592"),
    Told("viewfinder picture", "ms", "a frame to the JPEG of the page"),
)


def ask(_: Path, seed: int) -> Mapping[str, float]:
    """Every figure."""
    return measured(seed, frames=FRAMES, photos=PHOTOS)


def measured(seed: int, *, frames: int, photos: int) -> dict[str, float]:
    """Every figure, over so many frames and photos."""
    label, doorstep = scenes.parcel([f"(00){day.sscc(seed)[2:]}"], lines=["ROADPROOF BENCH"]), scenes.doorstep(str(seed))
    large = doorstep.resize(SENSOR)
    decoder = Decoder()
    try:
        decoder.ready(READY_S)
        return {
            "read a label": _decode_ms(decoder, label, frames),
            "read a frame without a code": _decode_ms(decoder, doorstep, frames),
            "photo": _ms(lambda: develop(doorstep), photos),
            "photo, 12 megapixels": _ms(lambda: develop(large), photos),
            "viewfinder picture": _ms(lambda: view(label), frames),
        }
    finally:
        decoder.close()


def _decode_ms(decoder: Decoder, scene: Image.Image, frames: int) -> float:
    luma = scene.convert("L").tobytes()
    return _ms(lambda: decoder.decode(luma, *scene.size), frames)


def _ms(work: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        began_s = time.perf_counter()
        work()
        took.append((time.perf_counter() - began_s) * 1000)
    return p50(took)
