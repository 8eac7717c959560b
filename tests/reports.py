"""A commissioning report of every part, before it is signed."""

from __future__ import annotations

import uuid
from typing import Any

from msgspec.structs import replace

from mqtt.evidence.record import Where
from mqtt.evidence.report import Clock, Fact, Line, Report, State
from tests.journals import BOOT
from tests.proofs import UNIT

MADE = "2026-12-01T10:00:00.000Z"
FOUND: tuple[tuple[str, State, str, dict[str, Fact]], ...] = (
    ("gnss", "ok", "A 3D fix from 11 satellites.", {"sats": 11, "hdop": "0.8", "ttff_s": 31}),
    ("antenna", "warn", "Weak: the best four satellites are heard at 31 dB-Hz; give the antenna a free view.", {"best_db": 31}),
    ("camera", "ok", "A picture came.", {"width_px": 4608}),
    ("scanner", "skipped", "No hand scanner is fitted.", {}),
    ("touch", "ok", "9 of 9 targets hit, 1.2 mm off at most.", {"most_mm": "1.2"}),
    ("ignition", "bad", "The key did not turn: check the wire on pin 11 (GPIO 17).", {}),
    ("voltage", "ok", "No undervoltage since the start.", {"throttled": 0}),
    ("storage", "ok", "100 writes of 4 KiB, the slowest twentieth took 12 ms.", {"p95_ms": 12, "free_mb": 20_000}),
    ("clock", "ok", "Set by satellites; the clock chip keeps it.", {"drift_ms": 4}),
    ("modem", "skipped", "No modem is fitted.", {}),
    ("broker", "ok", "Connected by TLS; the certificate is good for 397 more days.", {"days": 397}),
    ("record", "ok", "Record 42 was receipted after 0.3 s.", {"seq": 42, "ms": 300}),
    ("plug", "ok", "Of 61 records promised, 0 were lost when the plug was pulled.", {"lost": 0}),
)


def whole(**changes: Any) -> Report:
    """A report of every part."""
    lines = tuple(Line(key=key, state=state, text=text, facts=facts, ms=5) for key, state, text, facts in FOUND)
    made = Report(
        unit=UNIT, vehicle="Van 17 \N{EN DASH} Kraków", id=str(uuid.uuid4()), boot=BOOT, fw="0.1.0", t=Clock(wall=MADE, src="gnss"),
        pos=Where(lat_e7=510_502_000, lon_e7=37_301_000, acc_m=4, fix=3, sats=11, age_ms=300),
        board={"board": "Raspberry Pi 4 Model B Rev 1.4", "storage": "SD64G (63.9 GB, SanDisk, 03/2024)"}, findings=lines,
    )  # fmt: skip
    return replace(made, **changes)
