"""From a picture to its codes: a cheap look at all of it, then a close one at the places that look like a code, until time is up."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np
from PIL import Image

from drivers.barcode.barcode import Barcode, Engines, Stage
from drivers.barcode.engines import Engine, Reading, Zbar, Zxing
from drivers.barcode.finder import SMALL_PX, locate
from drivers.barcode.gate import Gate
from drivers.barcode.ladder import Climber, Rung, rungs
from drivers.barcode.policy import believed, is_doubtful
from drivers.barcode.regions import Pixels, Region

SMALLEST_PX = 8  # a side of less holds no code, and the engines divide by it
STILL_MS = 10_000.0  # whatever can be tried of a file ends before the process that waits loses patience
REGIONS = 8  # that are looked at closely
WHOLE_MS = {Zxing.name: 35.0, Zbar.name: 60.0}  # a megapixel, of a processor like the bench's: only to know whether there is time
WITNESSES = 2
SECOND_LOOK_EVERY = 3  # pictures: then pyzbar looks, too, for what it alone reads


class Reader:
    """The engines, the ladder and the policy. Raises ImportError where zbar's library is missing; zxing-cpp may be."""

    def __init__(self, engines: Engines = "both") -> None:
        zxing = _zxing() if engines != "pyzbar" else None
        zbar = None if engines == "zxing" and zxing else Zbar()
        self._engines: tuple[Engine, ...] = tuple(engine for engine in (zxing, zbar) if engine)
        self._frames = 0
        self._gate = Gate()
        self.module_px: float | None = None  # of the largest linear code that the newest frame shows and that was not read

    def read(self, luma: Pixels, budget_ms: float | None) -> list[Barcode]:
        """The codes of a picture, each once; `budget_ms` of processor time (exceeded by a step at most), None for all that can be tried."""
        if min(luma.shape) < SMALLEST_PX:
            return []
        look = _Look(luma, self._engines, budget_ms)
        look.at_all_of_it()
        look.closely()
        return list(look.found.values())

    def watch(self, luma: Pixels, budget_ms: float) -> list[Barcode]:
        """The codes of a frame that follows others: what was tried in vain on one that looked the same is not tried again at once."""
        if min(luma.shape) < SMALLEST_PX:
            return []
        self._frames += 1
        second = self._frames % SECOND_LOOK_EVERY == 0
        look = _Look(luma, self._engines, budget_ms)
        look.at_all_of_it(second=second)
        if look.found and not second:  # a clean label is told at once; what else lies there is seen two frames later
            self._gate.forget()
            self.module_px = None
            return list(look.found.values())
        first = self._gate.begin(luma)
        reached = look.closely(first) if first is not None else None
        if first is not None or look.found:
            self.module_px = look.unread_module_px()
        if look.found:
            self._gate.forget()
        else:
            self._gate.failed(reached)
        return list(look.found.values())


def _zxing() -> Zxing | None:
    """None where there is no zxing-cpp: 32-bit boards."""
    try:
        return Zxing()
    except ImportError:
        return None


class _Look:
    """One picture being read."""

    def __init__(self, luma: Pixels, engines: tuple[Engine, ...], budget_ms: float | None) -> None:
        self.found: dict[tuple[str, str], Barcode] = {}
        self._luma = luma
        self._engines = engines
        self._hurried = budget_ms is not None
        self._budget_ms = STILL_MS if budget_ms is None else budget_ms
        self._begun_s = time.process_time()
        self._doubted: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self._climbers: list[Climber] = []
        self._done: list[Climber] = []

    def at_all_of_it(self, *, second: bool = False) -> None:
        """The cheap look: a clean upright label needs no other. `second`: by the second engine, too."""
        for engine in self._engines if second or not self._hurried else self._engines[:1]:
            # pyzbar on a quarter of the pixels takes a fifth of the time; in a small picture there is time, and no pixel to spare
            is_halved = self._hurried and engine.name == Zbar.name and max(self._luma.shape) > SMALL_PX
            picture, scale = (self._luma[::2, ::2], 2) if is_halved else (self._luma, 1)
            for reading in engine.read(picture, fast=self._hurried):
                self._believe(reading, engine, "cheap" if self._hurried else "still", [(x * scale, y * scale) for x, y in reading.corners])

    def closely(self, first: int = 0) -> int | None:
        """The places that look like a code, from a rung on, until each is read or time is up: at which rung, None when all were tried."""
        if not self._has_time(0):
            return first
        image = Image.fromarray(self._luma)
        regions = [region for region in locate(self._luma)[:REGIONS] if self._is_worth_it(region)]
        self._climbers = [Climber(image, region) for region in regions]
        for number, (climber, rung) in enumerate(rungs(self._climbers)):
            if number < first:
                continue
            if not self._has_time(climber.price_ms(rung)):
                return number
            if not self._is_done(climber) and climber.is_worth(rung) and self._climb(climber, rung):
                self._done.append(climber)
        if not self.found and any(climber.may_be_code for climber in self._climbers):
            self._at_all_of_it_again()
        return None

    def unread_module_px(self) -> float | None:
        """How wide a module is of the largest linear code that was seen and not read; None where there is none."""
        unread = [one for one in self._climbers if one.region.linear and not self._is_done(one) and one.may_be_code]
        largest = max(unread, key=lambda climber: climber.region.half_along_px, default=None)
        return largest.module_px if largest else None

    def _is_done(self, climber: Climber) -> bool:
        """Whether it was read, or what it lies in."""
        return any(read is climber or read.region.holds(*climber.region.centre) for read in self._done)

    def _at_all_of_it_again(self) -> None:
        """With all that the engines can, where something is there and its place did not help; a still was looked at so."""
        for engine in self._engines if self._hurried else ():
            if self._has_time(WHOLE_MS[engine.name] * self._luma.size / 1e6):
                for reading in engine.read(self._luma):
                    self._believe(reading, engine, "cheap", reading.corners)

    def _is_worth_it(self, region: Region) -> bool:
        """Not where a code was read already; in a hurry not where hardly any is."""
        return (not self._hurried or region.may_be_code) and not self._is_read(*region.centre)

    def _climb(self, climber: Climber, rung: Rung) -> bool:
        """Whether this rung read something to believe."""
        before = len(self.found)
        for engine in self._engines if rung.by_all or not self._hurried else self._engines[:1]:
            for reading in rung.climb(climber, engine):
                self._believe(reading, engine, "region" if self._hurried else "still", reading.corners, rung)
            if len(self.found) > before:
                return True
        return False

    def _believe(
        self, reading: Reading, engine: Engine, stage: Stage, corners: Iterable[tuple[int, int]], rung: Rung | None = None
    ) -> None:
        text = believed(reading.text, reading.symbology, close=rung is not None)
        if text is None:
            return
        symbology = "EAN13" if reading.symbology == "UPCA" else reading.symbology
        key = (symbology, text)
        if is_doubtful(symbology, reading.lines, close=rung is not None, sharpened=rung is not None and rung.sharpens):
            witnesses = self._doubted.setdefault(key, set())
            witnesses.add((rung.name if rung else "", engine.name))
            if len(witnesses) < WITNESSES:
                return
        ms = round((time.process_time() - self._begun_s) * 1000, 1)
        barcode = Barcode(
            text=text, symbology=symbology, aim=reading.aim, corners=tuple(corners), engine=engine.name, stage=stage, ms=ms, raw=reading.raw
        )
        self.found.setdefault(key, barcode)

    def _is_read(self, x: float, y: float) -> bool:
        """Whether a code was read there."""
        return any(_holds(barcode.corners, x, y) for barcode in self.found.values())

    def _has_time(self, price_ms: float) -> bool:
        return (time.process_time() - self._begun_s) * 1000 + 0.7 * price_ms < self._budget_ms


def _holds(corners: tuple[tuple[int, int], ...], x: float, y: float) -> bool:
    """Whether a place lies in the box around these corners."""
    if not corners:
        return False
    xs, ys = np.array(corners).T
    return bool(xs.min() <= x <= xs.max() and ys.min() <= y <= ys.max())
