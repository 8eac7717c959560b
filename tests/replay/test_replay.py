from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from cli.gnss import epoch_json
from drivers.gnss.decode import decode

HERE = Path(__file__).parent


@pytest.mark.parametrize("capture", sorted(HERE.glob("*.nmea")), ids=lambda path: path.stem)
@pytest.mark.parametrize("chunk", [1, 64, 4_096])
def test_a_recording_gives_its_epochs(capture: Path, chunk: int) -> None:
    head, *truth = [json.loads(line) for line in capture.with_suffix(".jsonl").read_text().splitlines()]
    stream = capture.read_bytes()
    pieces = (stream[start : start + chunk] for start in range(0, len(stream), chunk))
    found = [json.loads(epoch_json(epoch)) for epoch in decode(pieces, date.fromisoformat(head["not_before"]))]
    assert [epoch["at"] for epoch in found] == [epoch["at"] for epoch in truth]
    for epoch, true in zip(found, truth, strict=True):
        assert epoch["mode"] == true["mode"], true["at"]
        for name, tolerance in {"lat_deg": 1e-6, "lon_deg": 1e-6, "alt_msl_m": 0.01, "speed_mps": 0.01, "course_deg": 0.01}.items():
            assert epoch[name] == (None if true[name] is None else pytest.approx(true[name], abs=tolerance)), (true["at"], name)
