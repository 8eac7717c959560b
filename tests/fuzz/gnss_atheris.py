"""Coverage-guided fuzzing of the reader: `python -P -m tests.fuzz.gnss_atheris -max_total_time=120`.

Not part of the test run: atheris (pip install atheris) has no wheels for aarch64. What it finds becomes a named test.
"""

from __future__ import annotations

import importlib
import sys

from tests.nmea import at, gga, gsa, rmc, zda

atheris = importlib.import_module("atheris")  # not installed where the tests are checked

with atheris.instrument_imports(include=["drivers.gnss"]):
    from tests.fuzz.test_gnss_garbage import Reader

LEAD = rmc(at(0)) + gga(at(0)) + gsa() + zda(at(0))


def one_input(data: bytes) -> None:
    """A stream cut where the first byte says, after a burst that makes the reader receptive."""
    reader, size = Reader(), data[0] % 64 + 1 if data else 1
    reader.push(LEAD)
    for start in range(1, len(data), size):
        reader.push(data[start : start + size])


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
