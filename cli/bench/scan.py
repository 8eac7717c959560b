"""What is read of labels that a decoder alone does not read, what that costs, and how soon a hand that comes nearer has its label read.

Ratios are to the better of the two libraries, each with all it can on the same pixels in the same run. The frames are made anew for each
seed; nothing was tuned on them.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np

from cli.bench.figure import Told, at_least, at_most
from cli.bench.labels import CONDITIONS, SYMBOLOGIES, Condition, Frame, Luma, cardboard, frame, label, photographed
from drivers.barcode.engines import Engine, Zbar, Zxing
from drivers.barcode.finder import locate
from drivers.barcode.reader import Reader
from drivers.sim import scenes

BUDGET_MS = 100.0
BY_PYZBAR = ("SSCC", "GS1-128", "Code 128", "EAN-13", "ITF-14", "Code 39", "QR")
SCENES = 5  # without a code
STILL_FRAMES = 12  # of each: a second of a camera that looks at nothing
FPS, SLOWED = 12, 4.0  # a Raspberry Pi 4 against this kind of processor, estimated
APPROACH_S, APPROACHES = 2.0, 2
APPROACH_MS = 50.0  # of budget: what 200 are there

FIGURES = (
    Told(
        "scan",
        "%",
        "codes read of made frames of parcel labels, 11 conditions and 11 symbologies, 100 ms of processor time each",
        at_least(78),
    ),
    Told("scan, ratio", "x", "the same against the better of pyzbar and zxing-cpp alone", at_least(1.35)),
    Told("scan, low light", "%", "of those in 6 to 25 % of the light", at_least(65)),
    Told("scan, inverted", "%", "of those with light bars on dark", at_least(75)),
    Told("scan, any rotation", "%", "of those turned by any angle", at_least(100)),
    Told("scan, pyzbar alone, ratio", "x", "linear codes and QR without zxing-cpp, against pyzbar", at_least(1.4)),
    Told("scan, wrong values", "in 1,000 frames", "values of the frames with a label that are not on it", at_most(1)),
    Told("scan, wrong values without a code", "values", "of a second each of cardboard with straps, and of a doorstep", at_most(0)),
    Told(
        "scan, new scene without a code", "x", "processor time of its first frame, against a first look and the finder alone", at_most(1.5)
    ),
    Told("scan, still scene without a code", "x", "the same over its second: what was tried in vain is not tried again"),
    Told(
        "approach",
        "%",
        "labels read within 2 s while a hand comes to rest and the camera focuses, 12 frames a second, 4 times as slow",
        at_least(95),
    ),
    Told("approach, median", "s", "until they are", at_most(1.0)),
)


class _Count(msgspec.Struct):
    """Who read how many of how many."""

    ours: int = 0
    pyzbar: int = 0
    zxing: int = 0
    frames: int = 0


def ask(_: Path, seed: int) -> Mapping[str, float]:
    """Every figure."""
    return {**labels(seed), **nothing(seed), **approach(seed)}


def labels(
    seed: int, conditions: tuple[str, ...] = tuple(CONDITIONS), symbologies: tuple[str, ...] = tuple(SYMBOLOGIES)
) -> dict[str, float]:
    """What is read, and what is misread."""
    both, alone, zbar, zxing = Reader(), Reader("pyzbar"), Zbar(), Zxing()
    counts, linear, wrong = {condition: _Count() for condition in conditions}, _Count(), 0
    for condition in conditions:
        count = counts[condition]
        for symbology in symbologies:
            made = frame(condition, symbology, seed)
            told = [barcode.text for barcode in both.read(made.luma, BUDGET_MS)]
            wrong += sum(text.rstrip("\x1d") != made.text for text in told)
            by_pyzbar = _is_read(zbar, made)
            _add(count, ours=bool(told) and made.text in told, pyzbar=by_pyzbar, zxing=_is_read(zxing, made))
            if symbology in BY_PYZBAR:
                ours = made.text in [barcode.text for barcode in alone.read(made.luma, BUDGET_MS)]
                _add(linear, ours=ours, pyzbar=by_pyzbar, zxing=False)
    total = _Count(*(sum(getattr(count, field) for count in counts.values()) for field in _Count.__struct_fields__))
    return {
        "scan": 100 * total.ours / total.frames,
        "scan, ratio": total.ours / max(1, total.pyzbar, total.zxing),
        **{
            f"scan, {name}": 100 * counts[name].ours / counts[name].frames
            for name in ("low light", "inverted", "any rotation")
            if name in counts
        },
        "scan, pyzbar alone, ratio": linear.ours / max(1, linear.pyzbar),
        "scan, wrong values": 1000 * wrong / total.frames,
    }


def _add(count: _Count, *, ours: bool, pyzbar: bool, zxing: bool) -> None:
    count.ours += ours
    count.pyzbar += pyzbar
    count.zxing += zxing
    count.frames += 1


def _is_read(engine: Engine, made: Frame) -> bool:
    return made.text in [reading.text for reading in engine.read(made.luma)]


def nothing(seed: int, scenery: int = SCENES) -> dict[str, float]:
    """What frames without a code cost, and what is read of them all the same."""
    reader, zxing, found = Reader(), Zxing(), 0
    spent_s: dict[bool, list[tuple[float, float]]] = {True: [], False: []}  # whether a scene is new -> with the close look, and without
    for frames in (*(_still(cardboard(1_000 * seed + number), number) for number in range(scenery)), _still(_doorstep(seed), seed)):
        for number, luma in enumerate(frames):
            least_s = _took_s(lambda luma=luma: (list(zxing.read(luma, fast=True)), locate(luma)))  # type: ignore[misc]  # bound at once
            began_s = time.process_time()
            found += len(reader.watch(luma, BUDGET_MS))
            spent_s[number == 0].append((time.process_time() - began_s, least_s))
    new, still = (
        sum(whole for whole, _ in every) / sum(least for _, least in every) for every in (spent_s[True], [*spent_s[True], *spent_s[False]])
    )
    return {
        "scan, wrong values without a code": float(found),
        "scan, new scene without a code": new,
        "scan, still scene without a code": still,
    }


def _still(scene: Luma, seed: int) -> Iterator[Luma]:
    """A second of it, with a sensor's noise."""
    chance = np.random.default_rng(seed)
    for _ in range(STILL_FRAMES):
        yield np.clip(scene + chance.normal(0, 2, scene.shape), 0, 255).astype(np.uint8)


def _doorstep(seed: int) -> Luma:
    return np.asarray(scenes.doorstep(str(seed)).convert("L"))


def _took_s(work: Callable[[], object]) -> float:
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def approach(seed: int, times: int = APPROACHES, symbologies: tuple[str, ...] = tuple(SYMBOLOGIES)) -> dict[str, float]:
    """How soon a label is read that a hand holds nearer."""
    took_s = [_approached_s(symbology, 100 * seed + number) for symbology in symbologies for number in range(times)]
    read_s = [after_s for after_s in took_s if after_s <= APPROACH_S]
    return {"approach": 100 * len(read_s) / len(took_s), "approach, median": statistics.median(took_s)}


def _approached_s(symbology: str, seed: int) -> float:
    """The reader takes the newest frame whenever it is free; longer than APPROACH_S when it does not read it."""
    paper, text = label(symbology, random.Random(seed))  # noqa: S311  pictures to be drawn anew
    reader, now_s = Reader(), 0.0
    while now_s < APPROACH_S:
        taken_s = int(now_s * FPS) / FPS
        luma = photographed(paper, text, _after(taken_s, seed), seed).luma
        began_s = time.process_time()
        is_read = text in [barcode.text for barcode in reader.watch(luma, APPROACH_MS)]
        spent_s = (time.process_time() - began_s) * SLOWED
        now_s = max(now_s + spent_s, taken_s + 1 / FPS)
        if is_read:
            return now_s
    return 2 * APPROACH_S


def _after(at_s: float, seed: int) -> Condition:
    """A label in a hand that comes to rest, while the camera finds its focus."""
    rest = float(np.exp(-at_s / 0.4))
    return Condition(
        module_px=2.4, turn_deg=(seed * 7) % 20 - 10 + 8 * rest, blur_px=0.7 + 3 * rest, path_px=1 + 8 * rest, light=0.7, noise=3
    )
