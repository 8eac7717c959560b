"""A million bytes of structured garbage through the whole reader; ROADPROOF_FUZZ_BYTES=10000000 for the full length."""

from __future__ import annotations

import gc
import os
import tracemalloc
from datetime import UTC, datetime

from drivers.gnss.epoch import Assembler
from drivers.gnss.fields import FieldError
from drivers.gnss.framer import Framer
from drivers.gnss.sentences import parse
from drivers.gnss.sky import Sky
from drivers.gnss.ublox import Ublox, van_settings
from drivers.gnss.ubx import UbxFramer
from tests.fuzz.garbage import garbage
from tests.nmea import FLOOR

BYTES = int(os.environ.get("ROADPROOF_FUZZ_BYTES", "1000000"))
SEED = 2_026
LEARNED_BYTES = 100_000  # by then every table has the size that it keeps
KEPT_BYTES = 100_000  # of ten million bytes read not a hundredth may stay
PEAK_BYTES = 4_000_000  # at any moment; most of it waits for Python's own garbage collection


class Reader:
    """All that a byte from the line passes through, without a line."""

    def __init__(self) -> None:
        self.framer, self.assembler, self.sky = Framer(), Assembler(FLOOR), Sky()
        self.ubx, self.ublox = UbxFramer(), Ublox(van_settings())
        self.read_bytes = self.epochs = self.frames = 0

    def push(self, chunk: bytes) -> None:
        self.read_bytes += len(chunk)
        now_s = self.read_bytes / 960  # 9600 baud
        for sentence in self.framer.push(chunk):
            try:
                value = parse(sentence.text)
            except FieldError:
                continue
            if value is not None:
                self.sky.add(value, now_s)
                for epoch in self.assembler.add(value, sentence.end_bytes, now_s):
                    self.epochs += 1
                    assert epoch.at is None or epoch.at >= datetime(FLOOR.year, FLOOR.month, FLOOR.day, tzinfo=UTC)
                    assert epoch.lat_deg is None or abs(epoch.lat_deg) <= 90
                    assert epoch.lon_deg is None or abs(epoch.lon_deg) <= 180
                    assert epoch.speed_mps is None or epoch.speed_mps >= 0
        frames = self.ubx.push(chunk)
        self.frames += len(frames)
        self.ublox.update(now_s, speaking=self.framer.good > 0, frames=frames)


def test_garbage_raises_nothing_and_leaves_nothing_behind() -> None:
    reader, chunks = Reader(), garbage(SEED, BYTES)
    tracemalloc.start()
    try:
        while reader.read_bytes < LEARNED_BYTES:
            reader.push(next(chunks))
        gc.collect()
        learned_bytes, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for chunk in chunks:
            reader.push(chunk)
            assert reader.framer.held_bytes < 4_096
            assert len(reader.sky.satellites(reader.read_bytes / 960)) < 1_000
        gc.collect()
        kept_bytes, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes - learned_bytes < KEPT_BYTES
    assert peak_bytes - learned_bytes < PEAK_BYTES
    assert reader.framer.read_bytes == reader.read_bytes >= BYTES
    # It was not all refused at the door: the garbage reaches every part.
    assert min(reader.epochs, reader.frames, reader.framer.good, reader.framer.bad, reader.framer.mended) > BYTES / 50_000
