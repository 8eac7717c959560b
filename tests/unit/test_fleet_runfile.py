"""The run as a file: what is wrong with it is said with its place."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from fleet.dispatch import next_version
from fleet.runfile import RunFileError, read

RUN: dict[str, Any] = {
    "day": "2026-05-04",
    "drivers": [{"driver_id": "d1", "name": "Łukasz", "pin": "2468"}],
    "stops": [{"stop_id": "s1", "address": "12 King St", "lines": [{"line_id": "l1", "name": "Box", "codes": ["A1"]}]}],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The run with one value, at a place like stops.0.address."""
    run = json.loads(json.dumps(RUN))
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = run
    for part in way:
        place = place[part]
    place[last] = value
    return run  # type: ignore[no-any-return]


def faults(run: Any) -> list[str]:
    with pytest.raises(RunFileError) as caught:
        read(run if isinstance(run, str) else json.dumps(run))
    return caught.value.faults


def test_a_good_run_is_read_and_a_plain_pin_leaves_only_its_hash() -> None:
    found = read(json.dumps(RUN))
    secret = found.plan.drivers[0].pin
    assert secret is not None
    assert secret.hash == hashlib.scrypt(b"2468", salt=bytes.fromhex(secret.salt), n=2**14, r=8, p=1, dklen=32).hex()
    assert (found.n, len(found.plan.stops)) == (None, 1)


def test_the_need_for_a_pin_is_no_pin() -> None:
    found = read(json.dumps(changed("stops.0.proofs", {"pin": "disabled"})))
    assert found.plan.stops[0].proofs is not None
    assert found.plan.stops[0].proofs.pin == "disabled"


def test_a_version_of_the_files_own_is_kept() -> None:
    assert read(json.dumps({**RUN, "n": 7})).n == 7
    assert faults({**RUN, "n": 0})[0].startswith("n: it must be a whole number, 1 to")


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("stops.0.address", 5, "stops[0].address: it must be text"),
        ("stops.0.adress", "x", "stops[0].adress: unknown key; did you mean address?"),
        ("stops.0.service", "gift", 'stops[0].service: it must be one of "delivery", "pickup", "return"'),
        ("stops.0.lines.0.qty", 0, "stops[0].lines[0].qty: it must be a whole number, 1 to 100000"),
        ("stops.0.lines", {}, "stops[0].lines: expected array, got object"),
        ("stops.0.window", {"begin": "2026-05-04T08:00:00.000Z"}, "stops[0].window.end: it is missing"),
        ("stops.0.place", {"latitude": 91, "longitude": 0}, "stops[0].place.latitude: it must be a number, -90 to 90"),
        ("stops.0.proofs", {"photo": "always"}, 'stops[0].proofs.photo: it must be one of "disabled", "enabled", "required", "warn"'),
        ("drivers.0.pin", "12", "drivers[0].pin: 4 characters or more"),
        ("day", "2026-02-30", "day: '2026-02-30T00:00:00.000Z' is not a time"),
        ("stops.0.lines.0.codes", ["A1", "A1"], "barcode 'A1' is there 2 times"),
        ("drivers", [], "drivers: expected array of length >= 1"),
        ("stops.0.note", "x" * 501, "stops[0].note: it must be text"),
    ],
)
def test_a_fault_is_named_by_its_place(path: str, value: Any, told: str) -> None:
    assert faults(changed(path, value))[0].startswith(told)


def test_every_fault_is_told_at_once() -> None:
    run = changed("stops.0.address", "")
    run["stops"][0]["cod"] = {"amount": -1, "currency": "eur"}
    del run["drivers"]
    assert [fault.split(":")[0] for fault in faults(run)] == [
        "drivers", "stops[0].address", "stops[0].cod.amount", "stops[0].cod.currency",
    ]  # fmt: skip


def test_a_value_that_is_wrong_is_not_printed_it_may_be_a_pin() -> None:
    assert not any("13579" in fault for fault in faults(changed("drivers.0.pin", 13579)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "it is not JSON: line 1"),
        ("[]", "it must be a JSON object"),
        ('{"day": 1, "day": 2}', "the key 'day' is there twice"),
        ("[" * 100_000, "it is nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_said(text: str, told: str) -> None:
    assert faults(text)[0].startswith(told)


def test_a_run_that_no_broker_takes_is_refused_here() -> None:
    run = changed("stops", [{"stop_id": f"s{n}", "address": "x" * 200, "note": "y" * 400} for n in range(400)])
    assert "send fewer stops" in faults(run)[0]


def test_a_version_is_above_every_one_before_even_if_only_the_unit_remembers_them() -> None:
    assert next_version(7, 1_790_000_000_000) == 8
    assert next_version(None, 1_790_000_000_000) == 1_790_000_000


def test_the_documented_run_is_one() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "run.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```json\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(read(example).plan.stops) == 2
