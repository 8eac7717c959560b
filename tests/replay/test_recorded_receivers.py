"""The reader against recordings of real receivers, where they are at hand: they belong to another project and stay outside."""

from __future__ import annotations

import base64
import importlib.util
import json
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cli.gnss import epoch_json
from drivers.gnss.decode import decode

SHARED = Path(__file__).resolve().parents[3] / "shared"
SUITE = SHARED / "data" / "gnss" / "dev.jsonl"
JUDGE = SHARED / "tools" / "gnss_conformance.py"

pytestmark = pytest.mark.skipif(
    not (SUITE.exists() and JUDGE.exists()), reason="the recordings of real receivers (shared/data/gnss beside the checkout) are not here"
)


@pytest.fixture(scope="module")
def judge() -> Any:
    spec = importlib.util.spec_from_file_location("gnss_conformance", JUDGE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def records(judge: Any) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in SUITE.read_text().splitlines()]
    for record in found:
        record["body"] = base64.b64decode(record["input_b64"])
        record["positions"] = judge.known_positions(record)
    return [record for record in found if record["epochs"] and record["class"] == "nmea"]


def read(record: dict[str, Any]) -> list[dict[str, Any]]:
    floor = record.get("not_before") or record["clock_hint"] or "1999-08-22"
    return [json.loads(epoch_json(epoch)) for epoch in decode([record["body"]], date.fromisoformat(floor[:10]))]


@pytest.mark.parametrize(
    ("variant", "least_pct"),
    [
        ("clean", 99.9),
        ("midnight", 99.9),
        ("wnro", 99.9),
        ("bit1e4", 99.0),
        ("bit1e3", 97.5),
        ("drop1e3", 97.0),
        ("burstloss", 98.0),
        ("ubxmix", 99.5),
    ],
)
def test_real_receivers_are_read_right_or_not_at_all(judge: Any, records: list[dict[str, Any]], variant: str, least_pct: float) -> None:
    total: Counter[str] = Counter()
    for record in records:
        changed = judge.VARIANTS[variant](record, Random(record["id"] + "dev" + variant))
        if changed is not None:
            verdict = judge.judge(changed, read(changed), variant)
            total.update({name: count for name, count in verdict.items() if isinstance(count, int)})
    assert (total["wrong_pos"], total["wrong_date"]) == (0, 0)
    assert 100 * total["ok"] / total["epochs"] >= least_pct
    if variant == "clean":
        assert 100 * total["in_burst"] / total["fixes"] >= 95
